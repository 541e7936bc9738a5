"""Suspecting: how often detectors of LSB replacement suspect whole images, innocent ones too."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from stegfield import signals
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.found import Found
from stegfield.errors import ConfigError
from stegfield.metrics import Samples
from stegfield.steganalysis import compare, lsb
from stegfield.steganalysis.verdict import judge

COVERS = "covers"
COMPRESSED = ("usgov",)
"""Sets of JPEG files, reduced at least by half to remove traces of compression."""


def suspecting(
    data: Datasets,
    *,
    datasets: str,
    method: str,
    payload: float = 0.0,
    longest: int = 1024,
    images: int = 0,
) -> Found:
    """Count the images that each detector suspects, at its threshold.

    Args:
        data: Where images come from.
        datasets: Sets of them, with commas between.
        method: ``covers``, or one of `compare.SCHEMES`.
        payload: Bits a pixel.
        longest: Pixels of the longer side to which images from JPEG files are reduced.
        images: Images of each set; 0 takes all.
    """
    covers = _covers(data, datasets, longest, images)
    sent = covers if method == COVERS else _stegos(covers, method, payload)
    found = [lsb.rates(image) for image in sent]
    suspected = {
        f"{name}_suspected": sum(rates[name] >= lsb.THRESHOLD for rates in found)
        for name in lsb.DETECTORS
    }
    return Found({"images": len(sent), "threshold": lsb.THRESHOLD, **suspected})


def judging(data: Datasets, *, datasets: str, kind: str, images: int = 0) -> Found:
    """Count the verdicts of `stegfield detect` on pictures that hide nothing.

    Args:
        data: Where images come from.
        datasets: Sets of them, with commas between.
        kind: One of `KINDS`: what was done to the pictures.
        images: Images of each set; 0 takes all.
    """
    if kind not in KINDS:
        raise ConfigError(f"there is no kind {kind!r}", hint=f"try {', '.join(KINDS)}")
    covers = _covers(data, datasets, LONGEST, images)
    found = [judge(signals.from_samples(KINDS[kind](image))).suspected for image in covers]
    return Found(
        {
            "images": len(found),
            "suspected": found.count(True),
            "no_sign": found.count(False),
            "not_judged": found.count(None),
        }
    )


def _quantized(image: Samples) -> Samples:
    return np.asarray(Image.fromarray(image).quantize(64).convert("RGB"))


def _stretched(image: Samples) -> Samples:
    return np.rint(image[..., :1] // 4 * (255.0 / 63)).astype(np.uint8)


LONGEST = 1024
KINDS: dict[str, Callable[[Samples], Samples]] = {
    "as it is": lambda image: image,
    "palette of 64 colours": _quantized,
    "16 levels of grey": lambda image: image[..., :1] // 16 * 17,
    "6 bits stretched to 8": _stretched,
    "black and white": lambda image: (image[..., :1] // 128 * 255).astype(np.uint8),
}
"""What becomes of a photograph before it is judged."""


def choosing(
    data: Datasets,
    *,
    datasets: str,
    payload: float = 0.6,
    halves: int = 200,
    longest: int = 1024,
    images: int = 0,
) -> Found:
    """Choose the detector that suspects the fewest covers of one half, and test it on the other.

    Of several such detectors, the one that finds the most stegos of the same half is chosen. The
    means over random halves tell how the verdict of all detectors does on new images.

    Args:
        data: Where images come from.
        datasets: Sets of them, with commas between.
        payload: Bits a pixel of LSB replacement.
        halves: Number of random halves.
        longest: Pixels of the longer side to which images from JPEG files are reduced.
        images: Images of each set; 0 takes all.
    """
    covers = _covers(data, datasets, longest, images)
    stegos = _stegos(covers, "replacement", payload)
    alarms, found = (
        np.array([list(lsb.rates(image).values()) for image in some]) >= lsb.THRESHOLD
        for some in (covers, stegos)
    )
    random, told = np.random.default_rng(0), []
    for _ in range(halves):
        known, unseen = np.array_split(random.permutation(len(covers)), 2)
        counts = list(zip(alarms[known].sum(axis=0), -found[known].sum(axis=0), strict=True))
        best = min(range(len(counts)), key=counts.__getitem__)
        told.append((best, alarms[unseen, best].mean(), found[unseen, best].mean()))
    chosen, suspected, detected = map(list, zip(*told, strict=True))
    return Found(
        {
            **{f"{name}_chosen": chosen.count(at) for at, name in enumerate(lsb.DETECTORS)},
            "covers_suspected_percent": 100 * float(np.mean(suspected)),
            "stegos_detected_percent": 100 * float(np.mean(detected)),
        }
    )


def _stegos(covers: list[Samples], method: str, payload: float) -> list[Samples]:
    if method not in compare.SCHEMES:
        raise ConfigError(
            f"there is no way to embed called {method}", hint=f"try {', '.join(compare.SCHEMES)}"
        )
    make = compare.SCHEMES[method]
    return [
        make(cover, float(payload), np.random.default_rng(at)) for at, cover in enumerate(covers)
    ]


def _covers(data: Datasets, datasets: str, longest: int, images: int) -> list[Samples]:
    covers = []
    for name in map(str.strip, datasets.split(",")):
        for index in range(images or data.count(name)):
            image = data.image(name, index)
            if name in COMPRESSED:
                image = signals.resize(image, min(longest, max(image.size) // 2))
            covers.append(signals.to_samples(image))
    return covers
