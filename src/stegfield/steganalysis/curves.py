"""How well a detector tells stegos from covers, judged by the scores that it gives to both.

A detector is a score, high for stegos; with a threshold, it is one that says yes or no.
All measures come from the shares of covers and of stegos at or above each threshold.

Intervals are bootstrapped at 95 %. The least error of a few scores is smaller than that of many,
since its threshold was picked by the same scores; and smaller again in each resample. So its
interval is turned round (the basic bootstrap), which undoes this, and widened to the estimate where
that would lie outside; that of the AUC, which has no such bias, is taken as it is (percentiles).

Sources: Pevný, Bas and Fridrich (2010) for P_E; Efron and Tibshirani (1993) for the bootstrap;
Wilson (1927) for intervals of shares.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from stegfield import pictures
from stegfield.errors import ConfigError

TAILS = (0.025, 0.975)
NORMAL = 1.959964  # the standard normal distribution's upper tail
RESAMPLES = 1000
FEW_FALSE_ALARMS = 0.05
NEVER_SEEN = 3.0
"""What happened in none of n cases happens in less than 3/n of all, at 95 %."""
Interval = tuple[float, float]
Scores = Float[np.ndarray, " _items"]
Draw = Callable[[], tuple[NDArray[np.int64], NDArray[np.int64]]]


@dataclass(frozen=True, eq=False)
class Roc:
    """Receiver operating characteristic, from (0, 0) to (1, 1) as the threshold falls."""

    thresholds: NDArray[np.float64] = field(repr=False)
    false_alarms: NDArray[np.float64] = field(repr=False)
    """Share of the covers at or above each threshold."""
    detections: NDArray[np.float64] = field(repr=False)
    """Share of the stegos at or above each threshold."""

    @property
    def auc(self) -> float:
        """Area under the curve: how often a stego scores above a cover, ties counting half."""
        return float(np.trapezoid(self.detections, self.false_alarms))

    @property
    def p_e(self) -> float:
        """Least average error under equal priors: min of (P_FA + P_MD) / 2."""
        return float((self.false_alarms + 1 - self.detections).min() / 2)

    def detected(self, false_alarms: float) -> float:
        """Return the share of stegos found with at most this share of false alarms."""
        return float(self.detections[self.false_alarms <= false_alarms].max())


@dataclass(frozen=True)
class Detection:
    """How well a detector tells stegos from covers; intervals are of 95 %."""

    covers: int
    stegos: int
    auc: float
    auc_interval: Interval
    p_e: float
    """Least average error, its threshold picked by these very scores."""
    p_e_interval: Interval
    detected_at_5_percent: float
    """Share of stegos found where 5 % of the covers give a false alarm."""
    threshold: float | None = None
    """A threshold that was fixed before these scores were seen."""
    false_alarms: float | None = None
    """Share of covers at or above it."""
    detected: float | None = None
    """Share of stegos at or above it."""

    @property
    def error(self) -> float | None:
        """Average error of the fixed threshold, under equal priors."""
        if self.false_alarms is None or self.detected is None:
            return None
        return (self.false_alarms + 1 - self.detected) / 2

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self) | ({} if self.threshold is None else {"error": self.error})


def detection(
    covers: Scores,
    stegos: Scores,
    *,
    threshold: float | None = None,
    groups: Sequence[int] | None = None,
    seed: int = 0,
) -> Detection:
    """Judge a detector by the scores that it gives to covers and to stegos.

    Args:
        covers: Scores of covers; one that could not be judged has no place here.
        stegos: Scores of stegos.
        threshold: One that was fixed before, to be judged by itself.
        groups: If given, the stego at an index was made of the cover at that index, and belongs to
            this group; the bootstrap draws whole groups, such as all crops of a photograph, since
            they are alike. Otherwise covers and stegos are drawn one by one.
        seed: Of the bootstrap.

    Raises:
        ConfigError: there are no covers or stegos, a score is not finite, or groups do not match.

    Example:
        >>> told = detection(np.array([0.1, 0.2, 0.3]), np.array([0.25, 0.4, 0.5]), threshold=0.25)
        >>> round(told.auc, 3), round(told.p_e, 3), round(told.error, 3)
        (0.889, 0.167, 0.167)
    """
    curve = roc(covers, stegos)
    draw, units = _bootstrap(len(covers), len(stegos), groups, np.random.default_rng(seed))
    drawn = [roc(covers[a], stegos[b]) for a, b in (draw() for _ in range(RESAMPLES))]
    low, high = _percentiles([each.p_e for each in drawn])
    most = max(2 * curve.p_e - low, curve.p_e, NEVER_SEEN / units)
    least = min(2 * curve.p_e - high, curve.p_e)
    return Detection(
        covers=len(covers),
        stegos=len(stegos),
        auc=curve.auc,
        auc_interval=_percentiles([each.auc for each in drawn]),
        p_e=curve.p_e,
        p_e_interval=(max(least, 0.0), min(most, 0.5)),
        detected_at_5_percent=curve.detected(FEW_FALSE_ALARMS),
        threshold=threshold,
        false_alarms=None if threshold is None else float((covers >= threshold).mean()),
        detected=None if threshold is None else float((stegos >= threshold).mean()),
    )


def roc(covers: Scores, stegos: Scores) -> Roc:
    """Return the shares of covers and of stegos at or above every threshold that matters.

    Raises:
        ConfigError: there are no covers or stegos, or a score is not finite.
    """
    if not (len(covers) and len(stegos)):
        raise ConfigError(f"{len(covers)} covers and {len(stegos)} stegos cannot be told apart")
    both = np.concatenate([covers, stegos]).astype(np.float64)
    if not np.isfinite(both).all():
        raise ConfigError("a score is not a finite number", hint="leave out what has no score")
    thresholds = np.append(np.inf, np.unique(both)[::-1])
    return Roc(thresholds, _at_least(covers, thresholds), _at_least(stegos, thresholds))


def share_interval(count: int, total: int) -> Interval:
    """Return Wilson's 95 % interval of a share of which ``count`` of ``total`` were seen.

    Example:
        >>> [round(end, 3) for end in share_interval(0, 30)]
        [0.0, 0.114]
    """
    if not 0 <= count <= total or total == 0:
        raise ConfigError(f"{count} of {total} is no share")
    share, spread = count / total, NORMAL**2 / total
    middle = share + spread / 2
    half = math.sqrt(spread * (share * (1 - share) + spread / 4))
    low, high = (middle - half) / (1 + spread), (middle + half) / (1 + spread)
    # rounding must not leave the share itself outside
    return (0.0 if count == 0 else low), (1.0 if count == total else high)


def chart(curves: Mapping[str, Roc]) -> bytes:
    """Draw ROC curves by their names, and chance beside them, as a PNG."""
    series: dict[str, Sequence[tuple[float, float]]] = {
        f"{name} {curve.auc:.2f}": list(
            zip(curve.false_alarms.tolist(), curve.detections.tolist(), strict=True)
        )
        for name, curve in curves.items()
    }
    series["chance 0.50"] = [(0.0, 0.0), (1.0, 1.0)]
    return pictures.curves(series, across="false alarms", title="stegos detected; AUC")


def _at_least(scores: Scores, thresholds: NDArray[np.float64]) -> NDArray[np.float64]:
    below = np.searchsorted(np.sort(scores), thresholds, side="left")
    return (len(scores) - below) / len(scores)


def _bootstrap(
    covers: int, stegos: int, groups: Sequence[int] | None, random: np.random.Generator
) -> tuple[Draw, int]:
    """Return what draws indices of covers and stegos, and the number of independent units."""
    if groups is None:
        return (
            lambda: (random.integers(covers, size=covers), random.integers(stegos, size=stegos))
        ), covers + stegos
    if not covers == stegos == len(groups):
        raise ConfigError(f"{len(groups)} groups do not fit {covers} covers and {stegos} stegos")
    members = [np.flatnonzero(np.asarray(groups) == group) for group in np.unique(groups)]

    def draw() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        at = np.concatenate([members[g] for g in random.integers(len(members), size=len(members))])
        return at, at

    return draw, len(members)


def _percentiles(values: Sequence[float]) -> Interval:
    low, high = np.quantile(values, TAILS)
    return float(low), float(high)
