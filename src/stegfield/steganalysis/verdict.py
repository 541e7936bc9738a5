"""What can be said of one image, and how often such a verdict is wrong.

A high estimate is no proof: covers have them too. So every verdict comes with what the same
threshold did to photographs that hide nothing, and to the same with messages. These counts are of
the suite ``detecting-1-thresholds`` of `stegfield bench`.

The threshold was fixed before, by StegExpose. Which detector has the last word was decided by these
counts, which flatters it; chosen by half of the images and tried on the other half (suite
``detecting-2-choice``), whichever won suspects 1.3 % of the covers, not none.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from stegfield import signals
from stegfield.errors import ConfigError, InputError
from stegfield.metrics import Samples
from stegfield.signals import Signal
from stegfield.steganalysis import lsb
from stegfield.steganalysis.curves import share_interval

DECIDES = "ws"
"""Where all detectors are asked: the one that suspects the fewest covers."""
IMAGES = 63
"""Kodak's 24, 30 crops of DIV2K at 256x256, 9 works of the US government reduced to 1024."""
SUSPECTED: dict[str, dict[str, int]] = {
    "covers": {"primary": 2, "pairs": 1, "rs": 3, "chi": 18, "ws": 0, "fusion": 10},
    "replacement, 0.3 bpp": {"primary": 8, "pairs": 7, "rs": 7, "chi": 23, "ws": 4, "fusion": 19},
    "replacement, 0.6 bpp": {
        "primary": 48,
        "pairs": 41,
        "rs": 54,
        "chi": 24,
        "ws": 52,
        "fusion": 33,
    },
    "replacement, 1.2 bpp": {
        "primary": 63,
        "pairs": 63,
        "rs": 63,
        "chi": 30,
        "ws": 63,
        "fusion": 63,
    },
    "replacement, 3 bpp": {"primary": 63, "pairs": 63, "rs": 62, "chi": 63, "ws": 63, "fusion": 63},
    "matching, 1 bpp": {"primary": 5, "pairs": 5, "rs": 5, "chi": 21, "ws": 3, "fusion": 12},
    "stegfield, 1 bpp": {"primary": 2, "pairs": 1, "rs": 3, "chi": 19, "ws": 0, "fusion": 9},
}
"""How many of `IMAGES` each detector suspects at `lsb.THRESHOLD`; rates are bits a pixel."""
COVERS = "covers"
LIKELY = "replacement, 0.6 bpp"
"""The messages that the chance in a verdict is about."""
ONE_IN = 100
"""A guess that has nothing to do with the picture: of so many, one hides such a message."""
LEAST_PIXELS = 64 * 64
"""Of smaller images, up to two in five that hide nothing were suspected, not those few."""
LEAST_LEVELS, LEAST_USED = 16, 0.5
"""Of a photograph's channels: how many levels, and what share of those in its range, are used."""
MOST = 0.01, 0.99
"""Shares of the samples between which a channel's range lies: a few highlights do not count."""
MOST_IN_PALETTE = 256
FEW_LEVELS = (
    "it has too few different levels or colours: detectors made for photographs raise false alarms "
    "on scans, drawings, screenshots and palettes"
)

COEFFICIENTS = (
    "Detectors of those must learn from photos like this one, of the same size and quality, as in "
    "`stegfield.steganalysis.jpegs`, and even they find next to nothing of quiet messages"
)


@dataclass(frozen=True)
class Verdict:
    """What detectors of LSB replacement say of one image."""

    rates: dict[str, float | None]
    """Estimated bits a sample; None where there is nothing to judge by."""
    decided_by: str
    suspected: bool | None
    """None where the image cannot be judged."""
    why_not: str | None = None

    @property
    def words(self) -> str:
        """The verdict in plain sentences, with how often such a verdict is wrong."""
        if self.suspected is None:
            return f"cannot be judged: {self.why_not}"
        name, counts = self.decided_by, {k: v[self.decided_by] for k, v in SUSPECTED.items()}
        if self.suspected:
            low, high = share_interval(counts[COVERS], IMAGES)
            return (
                "suspected of LSB replacement: the lowest bits look overwritten in about "
                f"{min(self.rates[name] or 0, 1):.0%} of the samples. {self._chance}. False "
                f"alarms: {name} suspects {counts[COVERS]} of {IMAGES} innocent photographs, so "
                f"{low:.0%} to {high:.0%} of all. Of other pictures the rate is not known, so this "
                "is a reason to look closer, not a proof"
            )
        found = "; ".join(f"{k}: {count}" for k, count in counts.items() if k != COVERS)
        return (
            f"no sign of LSB replacement for {name}. {self._chance}. That does not mean that there "
            f"is no message: of {IMAGES} stegos of each kind, {name} found ({found})"
        )

    @property
    def _chance(self) -> str:
        """What the verdict means for one of many photographs, in a sentence without its end."""
        assert self.suspected is not None  # noqa: S101 - there is a verdict
        chance = posterior(self.decided_by, suspected=self.suspected, prior=1 / ONE_IN)
        like = "suspected like this" if self.suspected else "without a sign like this"
        return (
            f"If one photograph in {ONE_IN} hid such a message ({LIKELY.partition(', ')[2]}), "
            f"about {100 * chance:.2g} in 100 {like} would hide one"
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values, with the words and the errors measured of the detector."""
        measured = {name: counts[self.decided_by] for name, counts in SUSPECTED.items()}
        chances = {} if self.suspected is None else {"posterior": self._posteriors()}
        return (
            asdict(self)
            | chances
            | {
                "words": self.words,
                "threshold": lsb.THRESHOLD,
                "measured": {"images": IMAGES, "suspected": measured},
            }
        )

    def _posteriors(self) -> dict[str, float]:
        """Return the chance of a message by what was believed before."""
        suspected = bool(self.suspected)
        return {
            f"{prior:g}": posterior(self.decided_by, suspected=suspected, prior=prior)
            for prior in (1 / ONE_IN, 0.5)
        }


def posterior(detector: str, *, suspected: bool, prior: float) -> float:
    """Return the chance that a photograph hides a message by LSB replacement, after a verdict.

    The rates of the detector are the counts on `IMAGES` photographs, with half an image more on
    either side (Jeffreys' prior), since no count of so few shows a rate of zero.

    Args:
        detector: Which detector decided.
        suspected: Its verdict.
        prior: The chance before, between 0 and 1.

    Example:
        >>> round(posterior("ws", suspected=True, prior=0.5), 2)
        0.99
        >>> posterior("ws", suspected=False, prior=0.5) < 0.5
        True
    """
    found, alarms = ((SUSPECTED[kind][detector] + 0.5) / (IMAGES + 1) for kind in (LIKELY, COVERS))
    with_one, without = (found, alarms) if suspected else (1 - found, 1 - alarms)
    return prior * with_one / (prior * with_one + (1 - prior) * without)


def _lossy(origin: str) -> str:
    """Say why samples out of a lossy file are not judged, and what would judge a JPEG."""
    why = (
        f"a lossy file ({origin}) keeps no lowest bits of samples, which these detectors judge; "
        "messages in its coefficients, or any that survive it, are not looked for"
    )
    return f"{why}. {COEFFICIENTS}" if origin == "JPEG" else why


def has_few_levels(samples: Samples) -> bool:
    """Tell whether a picture uses too few levels, or colours, for its lowest bits to be judged.

    A photograph uses most levels between its darkest and its brightest. Scans in black and white,
    drawings, screenshots and palettes do not, and neither do samples of fewer bits stretched to 8.

    Example:
        >>> has_few_levels(np.arange(4096, dtype=np.uint8).reshape(64, 64, 1) // 16 * 16)
        True
    """
    for channel in np.moveaxis(samples, 2, 0):
        counts = np.bincount(channel.ravel(), minlength=256)
        darkest, brightest = np.searchsorted(counts.cumsum(), np.array(MOST) * channel.size)
        share = np.count_nonzero(counts[darkest : brightest + 1]) / (brightest + 1 - darkest)
        if np.count_nonzero(counts) < LEAST_LEVELS or share < LEAST_USED:
            return True
    if samples.shape[2] == 1:
        return False
    packed = samples.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1])
    return len(np.unique(packed)) <= MOST_IN_PALETTE


def judge(image: Signal, detector: str = "all") -> Verdict:
    """Judge an image by one of our detectors of LSB replacement, or by all of them.

    Samples out of a lossy file, such as a JPEG, are not judged: it would have destroyed a message
    in them, and none of these detectors looks into coefficients. Nor are pictures of few levels or
    colours, of which a third that hide nothing were suspected.

    Raises:
        InputError: the signal is not an image.
        ConfigError: no detector of LSB replacement has this name.
    """
    if image.medium is not signals.IMAGE:
        raise InputError(
            f"the detectors judge images, and this is {signals.noun(image.medium)}",
            hint="they were made for samples of 8 bits",
        )
    if detector not in ("all", *lsb.DETECTORS):
        raise ConfigError(
            f"there is no detector {detector!r} of LSB replacement",
            hint=f"try all, {', '.join(lsb.DETECTORS)}",
        )
    decides = DECIDES if detector == "all" else detector
    names = lsb.DETECTORS if detector == "all" else (detector,)
    if image.origin in ("JPEG", "WebP", "HEIC", "AVIF"):
        return Verdict(dict.fromkeys(names), decides, None, _lossy(image.origin))
    if image.origin in ("palette", "few levels"):
        why = "it has a palette or few levels, which look like LSB replacement to these detectors"
        return Verdict(dict.fromkeys(names), decides, None, why)
    if math.prod(image.size) < LEAST_PIXELS:
        why = f"it has fewer than {LEAST_PIXELS:,} pixels, too few for these detectors"
        return Verdict(dict.fromkeys(names), decides, None, why)
    samples = signals.to_samples(image)
    if has_few_levels(samples):
        return Verdict(dict.fromkeys(names), decides, None, FEW_LEVELS)
    found = lsb.rates(samples, names)
    rates = {name: rate if math.isfinite(rate) else None for name, rate in found.items()}
    decisive = rates[decides]
    if decisive is None:
        return Verdict(rates, decides, None, FEW_LEVELS)
    return Verdict(rates, decides, decisive >= lsb.THRESHOLD)
