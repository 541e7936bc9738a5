"""Hiding: several images in one field, by our procedure and by the paper's."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from stegfield import hiding as hide
from stegfield import pictures, signals
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.found import Found
from stegfield.config import FitConfig, HideConfig, SlotRule, ValueRule
from stegfield.errors import ConfigError
from stegfield.fields import render
from stegfield.hiding import HideResult, Secret
from stegfield.keys import Key
from stegfield.metrics import AnyQuality, quality
from stegfield.signals import Signal

GAIN = 10.0
"""By how much differences are magnified in pictures."""
TILE = 160
"""Pixels of an image's width in them."""
Method = Literal["ours", "ours, robust", "paper"]
FIELDS = {"ours, robust": "fourier", "paper": "fourier"}
PAPERS_SHARE = 7 / 5
"""Seconds of the whole procedure for each second of joint training."""


@dataclass(frozen=True, eq=False)
class Concealed:
    """A field that hides images, and these: the cover, then the secrets."""

    result: HideResult
    images: list[Signal]


def conceal(
    data: Datasets,
    *,
    dataset: str,
    method: Method = "ours",
    field: str = "siren",
    width: int = 0,
    depth: int = 0,
    w0: float = 0.0,
    resolution: int = 128,
    secrets: int = 2,
    image: int = 0,
    seconds: float = 0.0,
    steps: int = 0,
    ratio: float = 0.0,
    slots: SlotRule = "keyed",
    values: ValueRule = "matched",
) -> Concealed:
    """Hide images of a set in another one; the settings are those of `hiding`."""
    images = _images(data, dataset, image, secrets, resolution)
    keys = [Key(index.to_bytes(32, "big")) for index in range(1, secrets + 1)]
    sizes = {} if method in FIELDS else {"width": width, "depth": depth, "w0": w0}
    result = hide.hide(
        images[0],
        [Secret(signal, key) for signal, key in zip(images[1:], keys, strict=True)],
        architecture=FIELDS.get(method, field),
        sizes={name: size for name, size in sizes.items() if size},
        config=HideConfig(
            slots="magnitude" if method == "paper" else slots,
            values="xavier" if method == "paper" else values,
            ratio=ratio or None,
        ),
        training=_training(method, seconds, steps, image),
    )
    return Concealed(result, images)


def hiding(
    data: Datasets,
    *,
    dataset: str,
    method: Method = "ours",
    field: str = "siren",
    width: int = 0,
    depth: int = 0,
    w0: float = 0.0,
    resolution: int = 128,
    secrets: int = 2,
    image: int = 0,
    seconds: float = 0.0,
    steps: int = 0,
    ratio: float = 0.0,
    slots: SlotRule = "keyed",
    values: ValueRule = "matched",
    shown: int = 0,
    draw: bool = False,
) -> Found:
    """Hide images and measure all that come out, on 8-bit samples.

    Args:
        data: Where the images come from.
        dataset: A set of them; cover and secrets are ``secrets + 1`` in a row.
        method: Ours with its defaults; that with ``--robust``; or the paper's: the
            field of the authors' code, magnitude slots, Xavier values, Adam at 1e-3 on the
            absolute error of all points.
        field: Architecture of ours; the others have one of their own.
        width: Units of its layers; 0 takes the default, as with the next two.
        depth: Its layers.
        w0: Its factor on the argument of every sine.
        resolution: Rows and columns.
        secrets: How many.
        image: Which group of images.
        seconds: To train for; 0 heeds ``steps`` alone.
        steps: To train for; 0 heeds ``seconds`` alone.
        ratio: Share of the weights that are slots; 0 takes the default.
        slots: Where slots are.
        values: How slot values are drawn.
        shown: Rows and columns at which to look at what was hidden, beside the same images at that
            size; 0 takes ``resolution``.
        draw: Give a picture: the images, what came out, and the differences, ten times.
    """
    hidden = conceal(
        data,
        dataset=dataset,
        method=method,
        field=field,
        width=width,
        depth=depth,
        w0=w0,
        resolution=resolution,
        secrets=secrets,
        image=image,
        seconds=seconds,
        steps=steps,
        ratio=ratio,
        slots=slots,
        values=values,
    )
    result, images = hidden.result, hidden.images
    qualities: list[AnyQuality] = [result.cover, *(secret.quality for secret in result.secrets)]
    out: list[Signal] = []
    if shown or draw:
        size = shown or resolution
        images = _images(data, dataset, image, secrets, size)
        out = _shown(result, size)
    if shown:
        qualities = [
            quality(signals.to_samples(a), signals.to_samples(b))
            for a, b in zip(images, out, strict=True)
        ]
    drawn = {"images": _picture(images, out)} if draw else {}
    return Found(_figures(qualities, result), drawn)


def _images(data: Datasets, dataset: str, image: int, secrets: int, size: int) -> list[Signal]:
    first = image * (secrets + 1)
    return [data.image(dataset, index, size) for index in range(first, first + secrets + 1)]


def _training(method: Method, seconds: float, steps: int, seed: int) -> FitConfig:
    if not seconds and not steps:
        raise ConfigError("an experiment needs steps or seconds")
    plan: dict[str, Any] = {"steps": steps or None, "seed": seed}
    if method != "paper":
        return FitConfig(
            max_seconds=float(seconds) or None, robust=method == "ours, robust", **plan
        )
    return FitConfig(
        max_seconds=seconds * PAPERS_SHARE or None,
        optimizer="adam",
        learning_rate=1e-3,
        batch=0,
        decay=0.0,
        warm_up=0,
        loss="l1",
        **plan,
    )


def _figures(qualities: Sequence[AnyQuality], result: HideResult) -> dict[str, float | None]:
    stego, *secrets = qualities
    figures: dict[str, float | None] = {}
    for name in ("psnr_db", "ssim", "rmse", "mae"):
        values = [getattr(secret, name) for secret in secrets]
        figures[f"stego_{name}"] = getattr(stego, name)
        figures[f"secrets_{name}"] = statistics.mean(values)
        figures |= {f"secret{at}_{name}": value for at, value in enumerate(values, 1)}
    worst = min(each.psnr_db for each in qualities)
    return figures | {
        "worst_psnr_db": worst,
        "seconds": result.seconds,
        "steps": result.steps,
        "weights": result.field.weight_count(),
    }


def _shown(result: HideResult, size: int) -> list[Signal]:
    """Give what everyone sees and what each key reveals, at a size."""
    public = render(result.field, size=(size, size))
    return [
        public,
        *(
            hide.reveal(result.field, secret.key_file, size=(size, size)).signal
            for secret in result.secrets
            if secret.key_file is not None
        ),
    ]


def _picture(images: list[Signal], out: list[Signal]) -> bytes:
    levels = [[signals.to_samples(signal) for signal in row] for row in (images, out)]
    differences = [pictures.difference(a, b, GAIN) for a, b in zip(*levels, strict=True)]
    shown = [*levels[0], *levels[1], *differences]
    return pictures.contact_sheet(shown, len(images), tile_width=TILE)
