"""Detection of messages in JPEG coefficients: covers, ways to embed, and detectors that learn.

    samples ─quantised─► covers ─scheme─► stegos ─┐
                         covers ──────────────────┴─features─► ridge ─► scores ─curves─► P_E

Nothing is written to files: what an entropy coder does to coefficients is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float, Float32, Int16, UInt8
from numpy.typing import NDArray

from stegfield.carriers import blocks, jpeg
from stegfield.carriers.blocks import Table
from stegfield.errors import ConfigError
from stegfield.fixednet.exact.coefficients import LEAST_HEIGHT
from stegfield.fixednet.exact.order import keyed_order
from stegfield.fixednet.exact.sine import SineNetwork
from stegfield.fixednet.exact.trellis import plan, solve
from stegfield.keys import Key
from stegfield.steganalysis import ridge
from stegfield.steganalysis.curves import Detection, detection
from stegfield.steganalysis.dctr import dctr, step_of
from stegfield.steganalysis.jpeg_simulate import SIMULATORS

Coefficients = Int16[np.ndarray, "rows columns 64"]
Scheme = Callable[..., Coefficients]
"""Takes coefficients, their table, bits per non-zero AC coefficient, and what is random."""
Feature = Callable[[NDArray[np.float32], int], NDArray[np.float32]]
LUMA = (0.299, 0.587, 0.114)
STANDARD = np.array(
    (
        (16, 11, 10, 16, 24, 40, 51, 61),
        (12, 12, 14, 19, 26, 58, 60, 55),
        (14, 13, 16, 24, 40, 57, 69, 56),
        (14, 17, 22, 29, 51, 87, 80, 62),
        (18, 22, 37, 56, 68, 109, 103, 77),
        (24, 35, 55, 64, 81, 104, 113, 92),
        (49, 64, 78, 87, 103, 121, 120, 101),
        (72, 92, 95, 98, 112, 100, 103, 99),
    )
).reshape(-1)
"""Quantisation steps of luma at quality 50 (T.81, table K.1)."""


@dataclass(frozen=True)
class Outcome:
    """How well a detector tells the stegos of a scheme from their covers."""

    result: Detection
    changed: float
    """Share of the AC coefficients that differ."""


def table_of(quality: int) -> Table:
    """Return the quantisation steps of luma that most encoders take for a quality.

    Raises:
        ConfigError: The quality is not from 1 to 100.
    """
    if not 1 <= quality <= 100:
        raise ConfigError(f"quality must be from 1 to 100, got {quality}")
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    table: NDArray[np.int64] = ((STANDARD * scale + 50) // 100).clip(1, 255)
    return table


def quantised(samples: UInt8[np.ndarray, "height width channels"], quality: int) -> Coefficients:
    """Return the coefficients of an image's luma; its sides are multiples of 8."""
    luma = samples @ np.array(LUMA) if samples.shape[2] == 3 else samples[..., 0]
    steps = blocks.to_coefficients(np.rint(luma).astype(np.float64), table_of(quality))
    coefficients: Coefficients = np.rint(steps).astype(np.int16)
    return coefficients


def unrounded(
    samples: Float[np.ndarray, "height width channels"], quality: int
) -> Float[np.ndarray, "rows columns 64"]:
    """Return the coefficients of an image's luma in steps; neither they nor samples are rounded."""
    luma = samples @ np.array(LUMA) if samples.shape[2] == 3 else samples[..., 0]
    return blocks.to_coefficients(luma.astype(np.float64), table_of(quality))


def embedded(
    cover: Coefficients,
    table: Table,
    rate: float,
    random: np.random.Generator,
    *,
    cost: jpeg.CostName,
    modes: int = jpeg.QUIETEST,
    above: Float32[np.ndarray, "rows columns 64"] | None = None,
) -> Coefficients:
    """Embed random bits with the code of the exact profile.

    With side information: how far coefficients are above what they were rounded from.

    Raises:
        ConfigError: The bits are more than the coefficients.
    """
    carrier = jpeg.carrier(cover, table, modes=modes, cost=cost, above=above)
    bits = round(rate * jpeg.nonzero(cover))
    key = Key(random.bytes(32))
    order = keyed_order(key, len(carrier.levels))
    planned = plan(carrier, bits, order)
    network = SineNetwork(key, "body", order, planned.bits, LEAST_HEIGHT)
    message = random.integers(2, size=bits).astype(np.bool_)
    change = solve(network, message, carrier, lambda_=planned.lambda_)
    return jpeg.changed(cover, change)


INFORMED = "ours, side information"
"""The way to embed for covers that the sender rounded."""
SCHEMES: dict[str, Scheme] = {
    **SIMULATORS,
    "ours, uerd": partial(embedded, cost="uerd"),
    "ours, j-uniward": partial(embedded, cost="j-uniward"),
    INFORMED: partial(embedded, cost="uerd"),
}
"""Ways to embed: simulators of the best codes, and ours."""
FEATURES: dict[str, Feature] = {"dctr": lambda pixels, quality: dctr(pixels, step_of(quality))}


def detect(
    covers: Sequence[Coefficients],
    quality: int,
    rate: float,
    *,
    scheme: str,
    features: Sequence[str] = ("dctr",),
    groups: Sequence[int] | None = None,
    seed: int = 0,
    exact: Sequence[Float[np.ndarray, "rows columns 64"]] | None = None,
) -> dict[str, Outcome]:
    """Judge detectors on stegos of one scheme, cross-validated by groups.

    Args:
        covers: Coefficients of luma.
        quality: Which they were quantised for.
        rate: Bits per non-zero AC coefficient.
        scheme: One of `SCHEMES`.
        features: Some of `FEATURES`: what detectors learn from.
        groups: Which covers belong together [default: each stands alone].
        seed: Of all that is random.
        exact: What the covers were rounded from, for `INFORMED`.

    Returns:
        By the name of the features.

    Raises:
        ConfigError: There is no such scheme, or there are too few groups, or it takes what the
            covers were rounded from.
    """
    if scheme not in SCHEMES:
        raise ConfigError(f"there is no way to embed called {scheme}", hint=", ".join(SCHEMES))
    if scheme == INFORMED and exact is None:
        raise ConfigError(f"{INFORMED} takes what the covers were rounded from")
    table, members = table_of(quality), range(len(covers)) if groups is None else groups

    def stego(at: int) -> Coefficients:
        known = {}
        if scheme == INFORMED and exact is not None:
            known["above"] = (covers[at] - exact[at]).astype(np.float32)
        random = np.random.default_rng([seed, at])
        return SCHEMES[scheme](covers[at], table, rate, random, **known)

    stegos = [stego(at) for at in range(len(covers))]
    different = sum(np.count_nonzero(a != b) for a, b in zip(covers, stegos, strict=True))
    share = different / sum(cover.size * 63 / 64 for cover in covers)
    found = {}
    for name in features:
        before, after = (
            np.stack([FEATURES[name](blocks.to_pixels(one, table), quality) for one in images])
            for images in (covers, stegos)
        )
        scores = ridge.cross_validated(before, after, list(members), seed=seed)
        result = detection(*scores, groups=list(members), seed=seed)
        found[name] = Outcome(result, float(share))
    return found
