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

from stegfield import signals
from stegfield.errors import ConfigError, InputError
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
LEAST_PIXELS = 64 * 64
"""Of smaller images, up to two in five that hide nothing were suspected, not those few."""


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
        """The verdict in one to three sentences."""
        if self.suspected is None:
            return f"cannot be judged: {self.why_not}"
        name, counts = self.decided_by, {k: v[self.decided_by] for k, v in SUSPECTED.items()}
        if self.suspected:
            low, high = share_interval(counts[COVERS], IMAGES)
            return (
                f"suspected of LSB replacement by {name}, which suspects {counts[COVERS]} of "
                f"{IMAGES} innocent photographs as well ({low:.0%} to {high:.0%} of all)"
            )
        found = "; ".join(f"{k}: {count}" for k, count in counts.items() if k != COVERS)
        return (
            f"no sign of LSB replacement for {name}, which says little of other changes; of "
            f"{IMAGES} stegos of each kind it found ({found})"
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values, with the words and the errors measured of the detector."""
        measured = {name: counts[self.decided_by] for name, counts in SUSPECTED.items()}
        return asdict(self) | {
            "words": self.words,
            "threshold": lsb.THRESHOLD,
            "measured": {"images": IMAGES, "suspected": measured},
        }


def judge(image: Signal, detector: str = "all") -> Verdict:
    """Judge an image by one of our detectors of LSB replacement, or by all of them.

    Samples out of a lossy file, such as a JPEG, are not judged: it would have destroyed a message
    in them, and none of these detectors looks into coefficients. Nor are palettes and few levels.

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
        return Verdict(
            dict.fromkeys(names),
            decides,
            None,
            f"a lossy file ({image.origin}) keeps no lowest bits; messages in its coefficients, or "
            "any that survive it, are not looked for",
        )
    if image.origin in ("palette", "few levels"):
        why = "it has a palette or few levels, which look like LSB replacement to these detectors"
        return Verdict(dict.fromkeys(names), decides, None, why)
    if math.prod(image.size) < LEAST_PIXELS:
        why = f"it has fewer than {LEAST_PIXELS:,} pixels, too few for these detectors"
        return Verdict(dict.fromkeys(names), decides, None, why)
    found = lsb.rates(signals.to_samples(image), names)
    rates = {name: rate if math.isfinite(rate) else None for name, rate in found.items()}
    decisive = rates[decides]
    if decisive is None:
        return Verdict(rates, decides, None, "too few different levels")
    return Verdict(rates, decides, decisive >= lsb.THRESHOLD)
