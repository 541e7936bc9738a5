"""Every detector against every way to embed, at equal payload.

    covers ─scheme─► stegos ─┐
    covers ──────────────────┴─detector─► scores ─curves─► a row

Detectors of LSB replacement score images one by one. Those that learn are cross-validated: no image
is scored by one that has seen another of its group.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from stegfield import archives, files, fixednet, signals
from stegfield.config import EmbedConfig
from stegfield.errors import ConfigError
from stegfield.keys import Key
from stegfield.metrics import Samples, mean_psnr_db
from stegfield.steganalysis import lsb, rich, simulate
from stegfield.steganalysis.curves import Detection, Roc, Scores, detection, roc
from stegfield.steganalysis.detectors import DETECTORS, Detector, others

Scheme = Callable[[Samples, float, np.random.Generator], Samples]
Judge = Callable[[Sequence[Samples], Sequence[Samples], Sequence[int]], tuple[Scores, Scores]]
LARGEST_FILE = 1 << 30


@dataclass(frozen=True, eq=False)
class Row:
    """One detector against one scheme."""

    detector: str
    scheme: str
    payload_bpp: float
    psnr_db: float
    """Of all stegos together, against their covers."""
    result: Detection
    curve: Roc

    def to_json(self) -> dict[str, Any]:
        """Return plain values, without the curve."""
        facts = {
            name: value for name, value in vars(self).items() if name not in ("result", "curve")
        }
        return facts | self.result.to_json()


def compare_detectors(
    covers: Sequence[Samples],
    payload_bpp: float,
    *,
    schemes: Mapping[str, Scheme] | None = None,
    detectors: Mapping[str, tuple[Judge, float]] | None = None,
    groups: Sequence[int] | None = None,
    seed: int = 0,
) -> list[Row]:
    """Judge detectors on stegos of several schemes, all with the same payload.

    Args:
        covers: Images.
        payload_bpp: Bits a pixel, all channels together.
        schemes: Ways to embed [default: `SCHEMES`].
        detectors: Each with its threshold [default: `detectors_of_images`].
        groups: Which covers belong together [default: each stands alone].
        seed: Decides all that is random, except for the salts of our own messages.

    Raises:
        CapacityError: a scheme cannot carry the payload.
        ConfigError: there are no covers, or groups do not match them.
    """
    groups = range(len(covers)) if groups is None else groups
    detectors = detectors_of_images() if detectors is None else detectors
    if not covers or len(groups) != len(covers):
        raise ConfigError(f"{len(groups)} groups do not fit {len(covers)} covers")
    rows = []
    for scheme, make in (SCHEMES if schemes is None else schemes).items():
        stegos = [
            make(cover, payload_bpp, np.random.default_rng([seed, at]))
            for at, cover in enumerate(covers)
        ]
        psnr_db = mean_psnr_db(_flat(covers), _flat(stegos))
        for name, (judge, threshold) in detectors.items():
            before, after = judge(covers, stegos, groups)
            result = detection(before, after, threshold=threshold, groups=groups, seed=seed)
            rows.append(Row(name, scheme, payload_bpp, psnr_db, result, roc(before, after)))
    return rows


def kept(
    path: Path, make: Callable[[], Sequence[Samples]]
) -> UInt8[np.ndarray, "images rows columns channels"]:
    """Read stegos from a file, or make them and write it.

    Our own stegos have random salts. A network whose training was stopped needs those that it began
    with, so they are kept.

    Args:
        path: An .npy file; its folder is created unless it exists.
        make: Returns the stegos, all of one size.

    Raises:
        InputError: the file is damaged.
    """
    if not path.exists():
        files.make_folder(path.parent)
        stream = io.BytesIO()
        np.save(stream, np.stack(make()), allow_pickle=False)
        files.write_new(path, stream.getvalue())
    data = files.read_bounded(path, LARGEST_FILE)
    with files.distrusting(path, "a file of stegos", hint="remove it to make them anew"):
        stegos = archives.array_of(data)
        if stegos.dtype != np.uint8 or stegos.ndim != 4:
            raise ValueError(f"it is {stegos.dtype.name} of {stegos.ndim} axes")
        return stegos


def simulated(
    cover: Samples, payload_bpp: float, random: np.random.Generator, *, name: str
) -> Samples:
    """Embed by a simulator."""
    return simulate.SIMULATORS[name](cover, payload_bpp / cover.shape[2], random)


def embedded(
    cover: Samples, payload_bpp: float, random: np.random.Generator, *, flat: bool
) -> Samples:
    """Embed with our exact profile: a message in a payload that is random throughout."""
    config = EmbedConfig(bpp=payload_bpp, flat=flat)
    key = Key(random.bytes(32))
    return signals.to_samples(
        fixednet.embed(signals.from_samples(cover), b"", key, config=config).stego
    )


def one_by_one(
    covers: Sequence[Samples], stegos: Sequence[Samples], _: Sequence[int], *, detector: Detector
) -> tuple[Scores, Scores]:
    """Score each image by a detector; 0 where it finds nothing to judge by."""
    before, after = (
        np.array([detector.score(signals.from_samples(image)) for image in images])
        for images in (covers, stegos)
    )
    return np.nan_to_num(before), np.nan_to_num(after)


def learned(
    covers: Sequence[Samples], stegos: Sequence[Samples], groups: Sequence[int], *, kind: str
) -> tuple[Scores, Scores]:
    """Score by ensembles on rich features, cross-validated."""
    return rich.cross_validated(rich.features(covers, kind), rich.features(stegos, kind), groups)


SCHEMES: dict[str, Scheme] = {
    **{name: partial(simulated, name=name) for name in simulate.SIMULATORS},
    "stegfield": partial(embedded, flat=False),
    "stegfield --flat": partial(embedded, flat=True),
}
RICHER: dict[str, tuple[Judge, float]] = {
    name: (partial(learned, kind=name), rich.UNDECIDED) for name in rich.FEATURES
}
"""Detectors that learn, including the slow ones."""


def detectors_of_images() -> dict[str, tuple[Judge, float]]:
    """Return the detectors that need no long training, those of other packages too.

    Returns:
        By name, each with its threshold.
    """
    singly = {name: DETECTORS[name] for name in lsb.DETECTORS} | dict(others("image"))
    return {
        **{
            name: (partial(one_by_one, detector=one), one.threshold) for name, one in singly.items()
        },
        "spam": RICHER["spam"],
    }


def _flat(images: Sequence[Samples]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.concatenate([image.ravel() for image in images])
