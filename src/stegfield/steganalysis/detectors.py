"""Detectors by name: each one is a score of a signal or a field, high where something is hidden.

Ours estimate the rate of LSB replacement in images, or judge the low mantissa bits of fields. What
is known of their errors is told by `stegfield.steganalysis.verdict`. Other packages add theirs by
an entry point of the group ``stegfield.detectors``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from stegfield.errors import PluginError
from stegfield.metrics import finite_or_none
from stegfield.registry import Registry
from stegfield.signals import Signal, to_samples
from stegfield.steganalysis import lsb

if TYPE_CHECKING:
    from stegfield.fields import Field

FIELD = "field"
"""What detectors of fields judge."""
MANTISSAS = "mantissas"


@dataclass(frozen=True)
class Detector:
    """A score, and from where on it speaks against a signal or a field."""

    score: Callable[[Any], float]
    """Of a `Signal` or a `Field`; not a number where there is nothing to judge by."""
    threshold: float
    """What has as high a score is suspected."""
    about: str
    """What the score is, as in "bits a sample"."""
    judges: str = "image"
    """The medium of the signals that it judges, by name; or "field"."""

    def judge(self, name: str, what: Signal | Field) -> ScoreVerdict:
        """Judge one signal or field."""
        score = float(self.score(what))
        known = math.isfinite(score)
        return ScoreVerdict(
            detector=name,
            score=score if known else None,
            threshold=self.threshold,
            about=self.about,
            suspected=score >= self.threshold if known else None,
        )


@dataclass(frozen=True)
class ScoreVerdict:
    """What one detector says of one signal or field."""

    detector: str
    score: float | None
    """None where there is nothing to judge by."""
    threshold: float
    about: str
    suspected: bool | None

    @property
    def words(self) -> str:
        """Say it in a sentence."""
        if self.score is None:
            return f"cannot be judged by {self.detector}"
        found = "suspected by" if self.suspected else "not suspected by"
        return (
            f"{found} {self.detector}: {self.score:.3g} {self.about}, "
            f"with a threshold of {self.threshold:g}"
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return finite_or_none(asdict(self) | {"words": self.words})


def _rate(image: Signal, *, name: str) -> float:
    return lsb.rates(to_samples(image), [name])[name]


def _mantissas(field: Field) -> float:
    from stegfield.steganalysis.outliers import judge_field

    verdict = judge_field(field)
    return math.nan if verdict.rounded else -math.log10(max(verdict.low_bits_p, 1e-300))


DETECTORS: Registry[Detector] = Registry(
    "stegfield.detectors",
    "detector",
    {
        **{
            name: Detector(partial(_rate, name=name), lsb.THRESHOLD, "bits a sample")
            for name in lsb.DETECTORS
        },
        MANTISSAS: Detector(_mantissas, 3.0, "digits of a p-value", judges=FIELD),
    },
)


def others(judges: str) -> Iterator[tuple[str, Detector]]:
    """Load the detectors of other packages for a medium or for fields, by name.

    One that cannot be imported is passed over: only who names it needs it.
    """
    ours = (*lsb.DETECTORS, MANTISSAS)
    for name in DETECTORS:
        if name not in ours:
            try:
                detector = DETECTORS[name]
            except PluginError:
                continue
            if detector.judges == judges:
                yield name, detector
