"""Attacking: what damage leaves of fields and messages, and what guesses find."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace

import numpy as np

from stegfield import fixednet, pictures, signals
from stegfield.attacks import damage, guessing, images
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.found import Found
from stegfield.bench.experiments.hiders import with_field
from stegfield.bench.experiments.settings import HidingSettings
from stegfield.bench.results import Figure
from stegfield.config import EmbedConfig
from stegfield.errors import ConfigError
from stegfield.fields import Field
from stegfield.hiding import key_slots
from stegfield.keys import Key
from stegfield.signals import Signal

SHOWN = 8
KEY = Key(bytes(range(32)))
GUESSES = ("random keys", "natural pictures", "another key")


@dataclass(frozen=True, kw_only=True)
class Guessing(HidingSettings):
    """How two images are hidden and the first is attacked; ``method`` is one of `GUESSES`."""

    keys: int = 1000
    """Random keys to try."""
    descents: int = 3
    """Descents to try."""
    search_steps: int = 300
    """Steps of each descent."""


@dataclass(frozen=True, eq=False)
class Hidden:
    """A field that hides images, the images, and what reveals each secret."""

    field: Field
    images: list[Signal]
    witnesses: list[damage.Witness]
    secret_psnr_db: float
    """Of the first."""

    @classmethod
    def of(cls, data: Datasets, settings: HidingSettings) -> Hidden:
        """Hide images of a set."""
        images = settings.images(data)
        result = with_field(data, images, settings)
        witnesses = [
            damage.witness(result.field, secret, each.key_file)
            for secret, each in zip(images[1:], result.secrets, strict=True)
            if each.key_file is not None
        ]
        return cls(result.field, images, witnesses, result.secrets[0].quality.psnr_db)


def damaging(data: Datasets, settings: HidingSettings) -> Found:
    """Hide images, damage the field in every way, and measure what is left."""
    hidden = Hidden.of(data, settings)
    public, cover, witnesses = hidden.field, hidden.images[0], hidden.witnesses
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
        title = f"{settings.method}: {family.title}, PSNR in dB"
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
        **{f"{name} secret{at}_psnr_db": value for at, value in enumerate(secrets, 1)},
    }


def guessing_keys(data: Datasets, settings: Guessing) -> Found:
    """Hide two images and attack the first, as an adversary who knows where its slots are.

    The methods: values of random keys; values that make a smooth picture, found by descent; or the
    same by an adversary with the other secret's key, starting from its values.
    """
    method, seed = settings.method, settings.image
    if method not in GUESSES:
        raise ConfigError(f"there is no way to guess called {method}", hint=", ".join(GUESSES))
    hidden = Hidden.of(data, replace(settings, method="ours"))
    public, (target, other) = hidden.field, hidden.witnesses
    if method == "random keys":
        found = guessing.random_keys(public, target, count=settings.keys, pictures=SHOWN, seed=seed)
    else:
        held = key_slots(public, other.key, other.scheme)
        found = guessing.natural_values(
            public,
            target,
            steps=settings.search_steps,
            tries=settings.descents,
            holding=held if method == "another key" else None,
            seed=seed,
        )
    secret = signals.to_samples(target.secret)
    return Found(
        {
            "best_psnr_db": found.best_psnr_db,
            "best_ssim": found.best_ssim,
            "flat_psnr_db": found.flat_psnr_db,
            "cover_psnr_db": found.cover_psnr_db,
            "cover_ssim": found.cover_ssim,
            "secret_psnr_db": hidden.secret_psnr_db,
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
        message_bytes: Length of the random message in each image.
        count: Images.
    """
    config = EmbedConfig(profile=method)
    sent, psnr, seconds = [], [], []
    for index in range(count):
        message = np.random.default_rng(index).bytes(message_bytes)
        result = fixednet.embed(data.image(dataset, index), message, KEY, config=config)
        sent.append(images.SentImage(result.stego, message, KEY))
        psnr.append(result.quality.psnr_db)
        seconds.append(result.seconds)
    figures: dict[str, Figure] = {
        "psnr_db": statistics.mean(psnr),
        "worst_psnr_db": min(psnr),
        "seconds": statistics.median(seconds),
        "images": count,
    }
    drawn = {}
    for kind, family in images.CHANGES.items():
        curve = images.survival(sent, family)
        figures |= {f"{kind} {each.level:g}": 100 * each.share for each in curve}
        points = [(each.level, 100 * each.share) for each in curve]
        title = f"{method}: {family.title}, messages that came back, %"
        drawn[kind] = pictures.curves({kind: points}, across=family.across, title=title)
    return Found(figures, drawn)
