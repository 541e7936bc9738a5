"""Weights: what an adversary without a key sees in the numbers of a published field.

`features` describes one field by figures in eight groups; `stegfield.steganalysis.classify` learns
from pools of them, and `stegfield.steganalysis.outliers` judges a single field by them.

Sources: Dong et al. (2024), StegaINR4MIH, section 4.10, for the histogram of all weights; Westfeld
and Pfitzmann (1999) for the chi-square test; Fridrich et al. (2003) for calibration, here by
training on, where pictures are cropped and compressed again.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from scipy import special

from stegfield import fields, metrics, pictures
from stegfield.config import FitConfig
from stegfield.errors import ConfigError
from stegfield.fields.header import FieldFile
from stegfield.signals import to_levels, to_samples

if TYPE_CHECKING:
    from stegfield.fields import Field

BINS = 100
THRESHOLDS = (1.0, 2.0, 3.0, 4.0)
"""Magnitudes, in standard deviations of a matrix."""
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
"""Of a matrix's singular values, from its smallest to its largest."""
PRUNED = (0.02, 0.05, 0.1, 0.2, 0.4)
"""Shares of the smallest weights of every matrix that are set to zero."""
PEAK_DB = 100.0
"""Stands for the PSNR of equal pictures, which is infinite."""
LOW_BITS, MANTISSA_BITS = 8, 23
BLOCK, CELLS = 1024, 64
"""Weights whose low bytes are tested together, and values told apart: 16 are expected in each."""
DECODER = "decoder."
TUNING = FitConfig(steps=15, batch=1024, learning_rate=2e-4, warm_up=5, seed=0)
Figures = dict[str, float]


def features(field: Field, groups: Sequence[str] | None = None) -> Figures:
    """Describe a field by figures, all of them finite; the names of a group begin with its own.

    Args:
        field: A field; it is not changed.
        groups: Some of `GROUPS`; all if left out.

    Example:
        >>> from stegfield import fields
        >>> from stegfield.signals import waves
        >>> field = fields.new_field(waves(8, 8), sizes={"width": 8, "depth": 1}, seed=1)
        >>> list(features(field, ["thresholds"]))[:2]
        ['thresholds layers.0.weight 1', 'thresholds layers.0.weight 2']
    """
    figures: Figures = {}
    for group in GROUPS if groups is None else groups:
        if group not in GROUPS:
            raise ConfigError(f"there is no group {group!r}", hint=f"try {', '.join(GROUPS)}")
        figures |= {f"{group} {name}": value for name, value in GROUPS[group](field).items()}
    return figures


def histograms(pool: Sequence[Field], bins: int = BINS) -> Float[np.ndarray, "fields {bins}"]:
    """Return the share of each field's weights in bins that span the weights of all of them."""
    weights = [_weights(field) for field in pool]
    ends = (min(w.min() for w in weights), max(w.max() for w in weights))
    counts = [np.histogram(w, bins, ends)[0] / len(w) for w in weights]
    return np.stack(counts)


def chart(kinds: Mapping[str, Sequence[Field]], matrix: str, bins: int = BINS) -> bytes:
    """Draw how the weights of one matrix are distributed in each kind of field, as a PNG.

    The vertical axis is logarithmic, since what differs most are the few largest weights.

    Args:
        kinds: Fields of one architecture and sizes, by the name of their kind.
        matrix: One of the decoder's matrices, as `Field.slot_bounds` names them.
        bins: Across the weights of all fields.
    """
    weights = {
        kind: np.concatenate([matrices(field)[matrix].flatten() for field in pool])
        for kind, pool in kinds.items()
    }
    ends = min(w.min() for w in weights.values()), max(w.max() for w in weights.values())
    edges = np.linspace(*ends, bins + 1)
    middles = ((edges[1:] + edges[:-1]) / 2).tolist()
    shares = {kind: np.histogram(w, edges)[0] / len(w) for kind, w in weights.items()}
    curves = {
        kind: list(zip(middles, share.tolist(), strict=True)) for kind, share in shares.items()
    }
    return pictures.curves(
        curves, across=f"weights of {matrix}", title="share of the weights", logarithmic=True
    )


def _moments(field: Field) -> Figures:
    """Return spread and shape of every tensor's distribution."""
    figures: Figures = {}
    for full_name, weight in trained(field).items():
        name = full_name.removeprefix("decoder.")
        values = weight.ravel().astype(np.float64)
        spread = values.std() + 1e-12
        scaled = (values - values.mean()) / spread
        figures[f"{name} spread"] = math.log(spread)
        figures[f"{name} skewness"] = float((scaled**3).mean())
        figures[f"{name} kurtosis"] = float((scaled**4).mean())
        figures[f"{name} largest"] = float(np.abs(scaled).max())
    return figures


def _spectrum(field: Field) -> Figures:
    """Return quantiles of every matrix's singular values, and how evenly they share its size."""
    figures: Figures = {}
    for name, matrix in matrices(field).items():
        values = np.linalg.svd(matrix, compute_uv=False) + 1e-12
        shares = values / values.sum()
        for at, value in zip(QUANTILES, np.quantile(values, QUANTILES), strict=True):
            figures[f"{name} {at:g}"] = math.log(value)
        figures[f"{name} rank"] = float(np.exp(-(shares * np.log(shares)).sum()))
    return figures


def _units(field: Field) -> Figures:
    """Measure how much the units of every layer differ, and whether strong ones stay strong."""
    figures: Figures = {}
    outgoing = None
    for name, matrix in matrices(field).items():
        norms = {
            "inputs": np.linalg.norm(matrix, axis=0),
            "outputs": np.linalg.norm(matrix, axis=1),
        }
        for side, values in norms.items():
            spread = values.std() / (values.mean() + 1e-12)
            figures[f"{name} {side} spread"] = float(spread)
            figures[f"{name} {side} largest"] = float(values.max() / (np.median(values) + 1e-12))
        if outgoing is not None and len(outgoing) == len(norms["inputs"]):
            figures[f"{name} passed on"] = _correlation(outgoing, norms["inputs"])
        outgoing = norms["outputs"]
    return figures


def _thresholds(field: Field) -> Figures:
    """Return the share of every matrix's weights that are larger than some magnitudes."""
    return {
        f"{name} {times:g}": float((np.abs(matrix) > times * matrix.std()).mean())
        for name, matrix in matrices(field).items()
        for times in THRESHOLDS
    }


def _pruning(field: Field) -> Figures:
    """Measure how well a field shows its own picture when small weights are set to zero, in dB."""
    shown = to_levels(fields.render(field))
    figures: Figures = {}
    for share in PRUNED:
        pruned = copy.deepcopy(field)
        for name in field.slot_bounds():
            weights = pruned.decoder.get_parameter(name).detach().numpy().reshape(-1)
            weights[np.abs(weights).argsort(kind="stable")[: int(share * weights.size)]] = 0
        left = metrics.mean_psnr_db(to_levels(fields.render(pruned)), shown)
        figures[f"{share:g}"] = min(left, PEAK_DB)
    return figures


def _mantissas(field: Field) -> Figures:
    """Measure how uneven the lowest mantissa bits of all weights are, and how dependent."""
    low = low_bytes(field)
    bits = np.unpackbits(low[:, None], axis=1)
    even = 2 * math.sqrt(len(low)) * (bits.mean(0) - 0.5)
    figures = {f"bit {at}": float(value) for at, value in enumerate(even[::-1])}
    centred = low - low.mean()
    variance = float((centred**2).mean()) + 1e-12
    figures["neighbours"] = float((centred[1:] * centred[:-1]).mean()) / variance
    figures["chi-square"] = math.log10(max(least_chance(low), 1e-30))
    return figures


def _roughness(field: Field) -> Figures:
    """Measure how much a field varies between the samples that it was fitted to.

    At twice the size, every second point is new to the field.
    """
    rows, columns = field.public.size[:2]
    fine, plain = (
        fields.render(field, size).values.astype(np.float64)
        for size in ((2 * rows, 2 * columns), (rows, columns))
    )
    figures: Figures = {}
    for axis, name in enumerate(("down", "across")):
        once, twice = (
            float(np.square(np.diff(values, n=2, axis=axis)).mean()) + 1e-12
            for values in (plain, fine)
        )
        figures[name] = math.log(twice / once)
    return figures


def _tuning(field: Field) -> Figures:
    """Measure how a short training on its own picture moves every matrix, and its error."""
    tuned = copy.deepcopy(field)
    shown = fields.render(field)
    fields.train(tuned, [fields.Target(shown)], TUNING)
    figures = {"db": metrics.mean_psnr_db(to_samples(fields.render(tuned)), to_samples(shown))}
    figures["db"] = min(figures["db"], PEAK_DB)
    after = matrices(tuned)
    for name, before in matrices(field).items():
        spread = before.std() + 1e-12
        figures[f"{name} moved"] = float((after[name] - before).std() / spread)
        figures[f"{name} spread"] = float(after[name].std() / spread)
        figures[f"{name} tails"] = kurtosis(after[name]) - kurtosis(before)
    return figures


GROUPS: dict[str, Callable[[Field], Figures]] = {
    "moments": _moments,
    "spectrum": _spectrum,
    "units": _units,
    "thresholds": _thresholds,
    "pruning": _pruning,
    "mantissas": _mantissas,
    "roughness": _roughness,
    "tuning": _tuning,
}
"""What is looked at; only the last takes more than a moment."""
QUICK = tuple(group for group in GROUPS if group != "tuning")


def low_bytes(field: Field | FieldFile) -> NDArray[np.uint8]:
    """Return the lowest 8 mantissa bits of every weight, in the order of the file."""
    return (_weights(field).view(np.uint32) & 0xFF).astype(np.uint8)


def least_chance(low: NDArray[np.uint8]) -> float:
    """Test blocks of low bytes for evenness; return the least p-value, times the number of blocks.

    Trained weights and encrypted messages are even there, plain messages and rounded weights are
    not. A message of a few weights hides among 1,024.
    """
    count = max(1, len(low) // BLOCK)
    chances = []
    for block in np.array_split(low, count):
        observed = np.bincount(block // (256 // CELLS), minlength=CELLS)
        expected = len(block) / CELLS
        squares = float(((observed - expected) ** 2).sum() / expected)
        chances.append(float(special.gammaincc((CELLS - 1) / 2, squares / 2)))
    return min(1.0, count * min(chances))


def matrices(field: Field | FieldFile) -> dict[str, NDArray[np.float64]]:
    """Return the matrices of the decoder by name, as `Field.slot_bounds` has them."""
    return {
        name.removeprefix(DECODER): values.astype(np.float64)
        for name, values in trained(field).items()
        if name.startswith(DECODER) and values.ndim == 2
    }


def trained(field: Field | FieldFile) -> dict[str, NDArray[np.float32]]:
    """Return all numbers that are trained, by the names of their tensors, layer by layer.

    Those of a field file are read without torch.
    """
    if isinstance(field, FieldFile):
        fixed = field.header.sizes.FIXED
        return {name: values for name, values in field.tensors.items() if name not in fixed}
    return {name: weight.detach().numpy() for name, weight in field.named_parameters()}


def _weights(field: Field | FieldFile) -> NDArray[np.float32]:
    """Return all weights in the order of their names, which is that of the file."""
    return np.concatenate([values.ravel() for _, values in sorted(trained(field).items())])


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    spread = a.std() * b.std()
    return float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread > 0 else 0.0


def kurtosis(values: NDArray[np.float64]) -> float:
    """Return the fourth moment by the square of the second: 1.8 if uniform, 3 if normal."""
    centred = values - values.mean()
    return float((centred**4).mean() / ((centred**2).mean() ** 2 + 1e-30))
