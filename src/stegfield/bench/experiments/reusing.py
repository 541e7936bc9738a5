"""Reusing a key: whether many images of one size by one key differ from those by many keys."""

from __future__ import annotations

from typing import Literal

import numpy as np

from stegfield import carriers, signals
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.found import Found
from stegfield.fixednet.exact import profile as exact
from stegfield.keys import Key
from stegfield.payload import Content
from stegfield.steganalysis.ranks import rank


def reusing(
    data: Datasets,
    *,
    keys: Literal["none", "one", "each"],
    dataset: str = "kodak",
    images: int = 4500,
    size: int = 64,
    message: int = 16,
) -> Found:
    """Embed in grey crops, and return the rank over GF(2) of their low bits.

    Args:
        data: Where images come from.
        keys: One key for all images, one for each, or no message.
        dataset: A set of them.
        images: Number of crops, at random places.
        size: Rows and columns of a crop.
        message: Bytes of each message, random ones.
    """
    draws, key = np.random.default_rng(0), Key.generate()
    pictures = [signals.to_samples(data.image(dataset, at)) for at in range(data.count(dataset))]
    rows = np.zeros((images, size * size), dtype=bool)
    for at in range(images):
        picture = pictures[at % len(pictures)]
        top, left = (draws.integers(length - size + 1) for length in picture.shape[:2])
        crop = picture[top : top + size, left : left + size, :1]
        carrier = carriers.of(signals.from_samples(crop))
        levels = carrier.levels.astype(np.int64)
        if keys != "none":
            content = Content.of(draws.bytes(message))
            with_key = key if keys == "one" else Key.generate()
            levels += exact.embed(carrier, content, with_key)[0]
        rows[at] = levels & 1
    found = rank(rows)
    return Found({"images": images, "rank": found, "missing": min(rows.shape) - found})
