"""Costs of changing quantised DCT coefficients by one: UERD and J-UNIWARD.

UERD divides a mode's quantisation step by the energy of its block and of the blocks around it.

J-UNIWARD adds up, over three wavelet subbands, the change of each wavelet coefficient relative to
what the cover has there. The pictures of the DCT's modes are outer products, and so are the
wavelet filters; since abs(a b^T) = abs(a) abs(b)^T, the sum over a window of 23x23 coefficients is
two products with small matrices, one along columns and one along rows.

Both work on a band of blocks at a time, so that memory does not grow with the cover.

Sources: Guo, Ni, Su, Tang and Shi (2015), "Using Statistical Image Model for JPEG Steganography:
Uniform Embedding Revisited", equations 3 and 4; Holub, Fridrich and Denemark (2014), "Universal
Distortion Function for Steganography in an Arbitrary Domain", equation 3, with windows centred as
Benes et al. (2023) correct them; Daubechies (1988), 8 vanishing moments.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int, Integer
from numpy.typing import NDArray

from stegfield.carriers.blocks import BASIS, MODES, SIDE, Planes, Table

LOW_PASS = (
    -0.00011747678400228192,
    0.0006754494059985568,
    -0.0003917403729959771,
    -0.00487035299301066,
    0.008746094047015655,
    0.013981027917015516,
    -0.04408825393106472,
    -0.01736930100202211,
    0.128747426620186,
    0.00047248457399797254,
    -0.2840155429624281,
    -0.015829105256023893,
    0.5853546836548691,
    0.6756307362980128,
    0.3128715909144659,
    0.05441584224308161,
)
"""Daubechies' scaling filter of 16 taps, from its last to its first."""
STABILIZER = 2.0**-6
"""Added to each wavelet coefficient of the cover, in grey levels."""
TAPS = len(LOW_PASS)
REACH = 2
"""Blocks to the right, or below, of which wavelet coefficients hold a part of a block as well."""
BAND = 1 << 18
"""About how many pixels are filtered at a time: they fit into a processor's cache."""
Precision = type[np.float32] | type[np.float64]
Chosen = Int[np.ndarray, " modes"]
Costs = Float[np.ndarray, "_rows _columns _modes"]


def uerd(
    coefficients: Planes,
    table: Table,
    modes: Chosen | None = None,
    *,
    precision: Precision = np.float32,
) -> Costs:
    """Compute UERD's costs.

    Args:
        coefficients: Quantised coefficients.
        table: The quantisation step of each mode.
        modes: The modes whose costs are computed [default: all].
        precision: Of the costs.

    Returns:
        The cost of a change by one; infinite where a block and those around it are plain.
    """
    steps = table.astype(precision)
    rows, columns, _ = coefficients.shape
    energy = np.empty((rows, columns), precision)
    for part in _bands(rows, columns):
        energy[part] = np.abs(coefficients[part, :, 1:]).astype(precision) @ steps[1:]
    wide = np.pad(energy, 1, mode="symmetric")
    three = wide[:-2] + wide[1:-1] + wide[2:]
    around = three[:, :-2] + three[:, 1:-1] + three[:, 2:] - energy
    scale = np.append((table[1] + table[SIDE]) / 2, table[1:]).astype(precision)
    with np.errstate(divide="ignore"):
        plain = 1 / (energy + around / 4)
    costs: NDArray[np.floating] = plain[..., None] * scale[_all_if_none(modes)]
    return costs


def juniward(
    pixels: Float[np.ndarray, "height width"] | Integer[np.ndarray, "height width"],
    table: Table,
    modes: Chosen | None = None,
    *,
    precision: Precision = np.float32,
) -> Costs:
    """Compute J-UNIWARD's costs.

    Args:
        pixels: Samples of the decoded cover, whole blocks of them.
        table: The quantisation step of each mode.
        modes: The modes whose costs are computed [default: all].
        precision: Of the costs.

    Returns:
        The cost of a change by one.
    """
    rows, columns = (side // SIDE for side in pixels.shape)
    chosen = _all_if_none(modes)
    steps = table.astype(precision)[chosen]
    wide = np.pad(pixels.astype(precision), TAPS, mode="symmetric")
    costs = np.empty((rows, columns, len(chosen)), precision)
    for part in _bands(rows, columns):
        # a block's change reaches the wavelets that begin up to 15 pixels before it
        band = wide[SIDE * part.start + 1 : SIDE * (part.stop + REACH) + TAPS, 1:]
        relative = _relative_changes(band, part.stop - part.start, columns)
        costs[part] = relative.reshape(-1, columns, MODES)[..., chosen] * steps
    return costs


def _all_if_none(modes: Chosen | None) -> NDArray[np.integer]:
    return np.arange(MODES) if modes is None else modes


def _bands(rows: int, columns: int) -> Iterator[slice]:
    height = max(REACH, BAND // (MODES * columns))
    for first in range(0, rows, height):
        yield slice(first, min(first + height, rows))


def _relative_changes(band: NDArray[np.floating], rows: int, columns: int) -> NDArray[np.floating]:
    """Sum up the changes relative to the cover, for steps of 1: rows, v, columns, u turned."""
    low = np.array(LOW_PASS)
    high = low[::-1] * np.where(np.arange(TAPS) % 2, 1, -1)
    kind = band.dtype
    down = {name: _along_columns(band, taps) for name, taps in (("low", low), ("high", high))}
    total = np.zeros((rows, columns, SIDE, SIDE), kind)
    for first, second, name in ((low, high, "low"), (high, low, "high"), (high, high, "high")):
        wavelets = _along_columns(down[name].T, second).T
        weight = np.abs(wavelets)
        weight += kind.type(STABILIZER)
        np.reciprocal(weight, out=weight)
        total += _window_sums(weight, _shares(first, kind), _shares(second, kind), rows, columns)
    return total


def _along_columns(values: NDArray[np.floating], taps: NDArray[np.float64]) -> NDArray[np.floating]:
    """Correlate each column with a filter, where the filter lies inside."""
    count = len(values) - len(taps) + 1
    total = values[:count] * values.dtype.type(taps[0])
    part = np.empty_like(total)
    for at, tap in enumerate(taps[1:], start=1):
        np.multiply(values[at : at + count], values.dtype.type(tap), out=part)
        total += part
    return total


def _shares(taps: NDArray[np.float64], kind: np.dtype[np.floating]) -> NDArray[np.floating]:
    """Return how much a change of each frequency changes each of the 24 wavelets around a block.

    Returns:
        Three matrices for 8 wavelets each: frequencies x wavelets.
    """
    full = np.stack([np.convolve(wave, taps[::-1]) for wave in BASIS])
    padded = np.pad(np.abs(full), ((0, 0), (0, 1))).astype(kind)
    return np.ascontiguousarray(padded.reshape(SIDE, 1 + REACH, SIDE).transpose(1, 0, 2))


def _window_sums(
    weight: NDArray[np.floating],
    down: NDArray[np.floating],
    across: NDArray[np.floating],
    rows: int,
    columns: int,
) -> NDArray[np.floating]:
    """Weigh the wavelets around each block, as much as each frequency changes them."""
    held = weight[: SIDE * (rows + REACH), : SIDE * (columns + REACH)]
    tall = np.ascontiguousarray(held).reshape(rows + REACH, SIDE, -1)
    summed = sum(down[at] @ tall[at : at + rows] for at in range(1 + REACH))
    wide = np.asarray(summed).reshape(rows, SIDE, columns + REACH, SIDE)
    parts = (wide[:, :, at : at + columns] @ across[at].T for at in range(1 + REACH))
    found: NDArray[np.floating] = np.asarray(sum(parts)).transpose(0, 2, 1, 3)
    return found
