"""Attacking: what damage leaves of fields and messages, and what guesses find."""

from __future__ import annotations

import statistics
from typing import Literal

import numpy as np

from stegfield import fixednet, pictures, signals
from stegfield.attacks import damage, guessing, images
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.found import Found
from stegfield.bench.experiments.hiding import Method, conceal
from stegfield.bench.results import Figure
from stegfield.config import EmbedConfig
from stegfield.hiding import key_slots
from stegfield.keys import Key

SHOWN = 8
KEY = Key(bytes(range(32)))


def damaging(
    data: Datasets,
    *,
    dataset: str,
    method: Method = "ours",
    field: str = "siren",
    resolution: int = 128,
    image: int = 0,
    seconds: float = 0.0,
    steps: int = 0,
) -> Found:
    """Hide two images, damage the field in every way, and measure what is left.

    Args:
        data: Where the images come from.
        dataset: A set of them.
        method: ours; ours, robust, with ``--robust``; or the paper's procedure.
        field: Architecture of ours; the others have one of their own.
        resolution: Rows and columns.
        image: Which group of images.
        seconds: To train for; 0 heeds ``steps`` alone.
        steps: To train for; 0 heeds ``seconds`` alone.
    """
    hidden = conceal(
        data,
        dataset=dataset,
        method=method,
        field=field,
        resolution=resolution,
        image=image,
        seconds=seconds,
        steps=steps,
    )
    public, cover = hidden.result.field, hidden.images[0]
    witnesses = [
        damage.witness(public, secret, each.key_file)
        for secret, each in zip(hidden.images[1:], hidden.result.secrets, strict=True)
        if each.key_file is not None
    ]
    figures: dict[str, Figure] = {"weights": public.weight_count()}
    drawn: dict[str, bytes] = {}
    for kind, family in damage.DAMAGES.items():
        lines: dict[str, list[tuple[int | float, int | float]]] = {"stego": [], "secrets": []}
        for level in family.levels:
            shown = damage.show(family.apply(public, cover, level), cover, witnesses)
            stego, *secrets = shown.psnr_db
            figures |= _named(f"{kind} {level:g}", shown)
            lines["stego"].append((level, stego))
            lines["secrets"].append((level, statistics.mean(secrets)))
        title = f"{method}: {family.title}, PSNR in dB"
        drawn[kind] = pictures.curves(lines, across=family.across, title=title)
    for kind, change in damage.ROUNDINGS.items():
        figures |= _named(kind, damage.show(change(public), cover, witnesses))
    return Found(figures, drawn)


def _named(name: str, shown: damage.Remains) -> dict[str, Figure]:
    stego, *secrets = shown.psnr_db
    return {
        f"{name} stego_psnr_db": stego,
        f"{name} secrets_psnr_db": statistics.mean(secrets),
        f"{name} worst_psnr_db": min(shown.psnr_db),
    }


def guessing_keys(
    data: Datasets,
    *,
    dataset: str,
    method: Literal["random keys", "natural pictures", "another key"],
    keys: int = 1000,
    descents: int = 3,
    search_steps: int = 300,
    resolution: int = 128,
    image: int = 0,
    seconds: float = 0.0,
    steps: int = 0,
) -> Found:
    """Hide two images and guess at the first, by someone who knows where its slots are.

    Args:
        data: Where the images come from.
        dataset: A set of them.
        method: Values of random keys; values that make a smooth picture, found by descent; or the
            same by the holder of the other secret's key, starting from its values.
        keys: Random ones to try.
        descents: To try.
        search_steps: Of each descent.
        resolution: Rows and columns.
        image: Which group of images.
        seconds: To train for; 0 heeds ``steps`` alone.
        steps: To train for; 0 heeds ``seconds`` alone.
    """
    hidden = conceal(
        data, dataset=dataset, resolution=resolution, image=image, seconds=seconds, steps=steps
    )
    public = hidden.result.field
    wanted, other = (
        damage.witness(public, secret, each.key_file)
        for secret, each in zip(hidden.images[1:], hidden.result.secrets, strict=True)
        if each.key_file is not None
    )
    if method == "random keys":
        found = guessing.random_keys(public, wanted, count=keys, pictures=SHOWN, seed=image)
    else:
        held = key_slots(public, other.key, other.scheme)
        found = guessing.natural_values(
            public,
            wanted,
            steps=search_steps,
            tries=descents,
            holding=held if method == "another key" else None,
            seed=image,
        )
    secret = signals.to_samples(wanted.secret)
    return Found(
        {
            "best_psnr_db": found.best_psnr_db,
            "best_ssim": found.best_ssim,
            "flat_psnr_db": found.flat_psnr_db,
            "cover_psnr_db": found.cover_psnr_db,
            "cover_ssim": found.cover_ssim,
            "secret_psnr_db": hidden.result.secrets[0].quality.psnr_db,
            "tries": len(found.psnr_db),
        },
        {
            "guesses": pictures.contact_sheet(
                [secret, *found.best[:SHOWN]], SHOWN + 1, tile_width=secret.shape[1]
            )
        },
    )


def sending(
    data: Datasets,
    *,
    dataset: str,
    method: str,
    message_bytes: int = 512,
    count: int = 6,
) -> Found:
    """Embed messages and send them through every channel, at rising levels.

    Args:
        data: Where the images come from.
        dataset: A set of them.
        method: The profile.
        message_bytes: Random ones, in each image.
        count: Images.
    """
    sent, psnr = [], []
    for index in range(count):
        message = np.random.default_rng(index).bytes(message_bytes)
        result = fixednet.embed(
            data.image(dataset, index), message, KEY, config=EmbedConfig(profile=method)
        )
        sent.append(images.SentImage(result.stego, message, KEY))
        psnr.append(result.quality.psnr_db)
    figures: dict[str, Figure] = {"psnr_db": statistics.mean(psnr), "images": count}
    drawn = {}
    for kind, family in images.CHANGES.items():
        curve = images.survival(sent, family)
        figures |= {f"{kind} {each.level:g}": 100 * each.share for each in curve}
        points = [(each.level, 100 * each.share) for each in curve]
        title = f"{method}: {family.title}, messages that came back, %"
        drawn[kind] = pictures.curves({kind: points}, across=family.across, title=title)
    return Found(figures, drawn)
