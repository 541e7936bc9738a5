"""Robust fields: what damage leaves of the cover and of two secrets, beside the authors' own field.

    python benchmarks/robust.py --data FOLDER --work FOLDER [--only CASE ...] [--steps N]

The images are those that the authors of StegaINR4MIH publish (``faces/seed_triple``, 128x128). A
case that was cut off goes on where it was, from its checkpoint in the work folder; there its field
stays too, so that damage can be measured again without training.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from hiding import hide_all, seed_triple
from measure import Case, arguments, run
from stegfield import fields, fixednet, signals
from stegfield.attacks import images
from stegfield.attacks.damage import DAMAGES, ROUNDINGS, Remains, Witness, show, witness
from stegfield.attacks.guessing import compare_fields, natural_values, random_keys
from stegfield.attacks.images import SentImage, survival
from stegfield.config import EmbedConfig, FitConfig
from stegfield.fields import Field
from stegfield.hiding import key_slots
from stegfield.keys import Key
from stegfield.signals import Signal

SEED, STEPS, BATCH = 1, 2000, 1024
KEYS, SEARCHES, SEARCH_STEPS = 200, 2, 150
PROFILES = ("exact", "robust")
PUBLISHED = {
    "none": (40.5, 38.8, 34.4),
    "pruning 0.1": (34.5, 36.4, 33.4),
    "pruning 0.2": (26.7, 29.5, 29.3),
    "pruning 0.3": (21.9, 24.3, 24.5),
    "noise 0.02": (35.5, 37.1, 33.7),
    "float16": (40.4, 38.8, 34.4),
    "int8": (37.0, 37.8, 34.0),
}
"""PSNR in dB of the field that the authors released, measured on these images: cover, secrets."""


def trained(data: Path, work: Path, name: str, **settings: Any) -> tuple[Field, list[Signal]]:
    """Hide the authors' secrets in their cover, or go on with it, or read the field again."""
    pictures, path = seed_triple(data), work / f"{name}.safetensors"
    if not path.exists():
        result = hide_all(pictures, checkpoint=work / f"{name}.checkpoint", **settings)
        fields.save(path, result.field)
    return fields.load(path), pictures


def witnesses(field: Field, pictures: list[Signal]) -> list[Witness]:
    """Give the secrets with the keys that `hide_all` gives them."""
    return [witness(field, image, Key(bytes([i]) * 32)) for i, image in enumerate(pictures[1:], 1)]


def damaged(field: Field, pictures: list[Signal]) -> dict[str, Any]:
    """Damage a field in every way, and stand the authors' figures beside it where there are any."""
    cover, told = pictures[0], witnesses(field, pictures)
    shown = {"none": show(field, cover, told)}
    for kind, family in DAMAGES.items():
        for level in family.levels[1:]:
            shown[f"{kind} {level:g}"] = show(family.apply(field, cover, level), cover, told)
    shown |= {kind: show(change(field), cover, told) for kind, change in ROUNDINGS.items()}
    return {
        "architecture": field.architecture,
        "weights": field.weight_count(),
        "damage": {name: _figures(name, each) for name, each in shown.items()},
    }


def _figures(name: str, shown: Remains) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "psnr_db": [round(each, 2) for each in shown.psnr_db],
        "ssim": [round(each.ssim or 0, 4) for each in shown.quality],
    }
    if name in PUBLISHED:
        figures["authors_psnr_db"] = PUBLISHED[name]
        pairs = zip(shown.psnr_db, PUBLISHED[name], strict=True)
        figures["least_gain_db"] = round(min(ours - theirs for ours, theirs in pairs), 2)
    return figures


def hidden(
    data: Path, *, work: Path, name: str, robust: bool, architecture: str | None, steps: int
) -> dict[str, Any]:
    """Train a field, and damage it."""
    training = FitConfig(steps=steps, batch=BATCH, seed=SEED, robust=robust)
    field, pictures = trained(data, work, name, architecture=architecture, training=training)
    return {"steps": steps, **damaged(field, pictures)}


def guessed(data: Path, *, work: Path, steps: int) -> dict[str, Any]:
    """Guess the secrets of the paper's SIREN, and compare it with clean fields of its cover."""
    training = FitConfig(steps=steps, batch=BATCH, seed=SEED)
    field, pictures = trained(data, work, "siren", architecture="siren", training=training)
    told = witnesses(field, pictures)
    facts: dict[str, Any] = {"steps": steps}
    for name, wanted, other in (("secret1", told[0], told[1]), ("secret2", told[1], told[0])):
        held = key_slots(field, other.key, other.scheme)
        search = partial(natural_values, field, wanted, steps=SEARCH_STEPS, tries=SEARCHES)
        found = {
            "random keys": random_keys(field, wanted, count=KEYS),
            "searches for a natural picture": search(),
            "the same, with the other key": search(holding=held),
        }
        facts[name] = {
            "flat_psnr_db": round(found["random keys"].flat_psnr_db, 2),
            "cover_psnr_db": round(found["random keys"].cover_psnr_db, 2),
            "cover_ssim": round(found["random keys"].cover_ssim, 4),
            "attacks": {
                kind: {
                    "tries": len(each.psnr_db),
                    "best_psnr_db": round(each.best_psnr_db, 2),
                    "best_ssim": round(each.best_ssim, 4),
                }
                for kind, each in found.items()
            },
        }
    for name, seed in (("of a seed of its own", SEED + 1), ("of the same seed", SEED)):
        path = work / f"clean-{seed}.safetensors"
        if not path.exists():
            again = FitConfig(steps=steps, batch=BATCH, seed=seed)
            fields.save(path, fields.fit(pictures[0], training=again).field)
        apart = compare_fields(fields.load(path), field, told)
        facts[f"beside a clean field {name}"] = {
            "slots_auc": round(apart.weights_auc, 4),
            "correlations": [round(each, 4) for each in apart.correlations],
        }
    return facts


def messages(data: Path, *, count: int = 4, message_bytes: int = 64) -> dict[str, Any]:
    """Send messages in DIV2K crops of 256x256 through every kind of change."""
    facts: dict[str, Any] = {"images": count, "message_bytes": message_bytes}
    paths = sorted((data / "images" / "div2k_valid_256").glob("*.png"))[:count]
    for profile in PROFILES:
        sent = []
        for i, path in enumerate(paths):
            key, message = Key(bytes([i]) * 32), bytes(range(i, i + message_bytes))
            config = EmbedConfig(profile=profile)
            result = fixednet.embed(signals.read(path), message, key, config=config)
            sent.append(SentImage(result.stego, message, key))
        facts[profile] = {
            name: {f"{each.level:g}": each.share for each in survival(sent, family)}
            for name, family in images.CHANGES.items()
        }
    return facts


def cases(work: Path, steps: int) -> dict[str, Case]:
    """Give the cases by name."""
    case: Callable[..., Case] = partial(partial, hidden, work=work)
    return {
        "robust": case(name="robust", robust=True, architecture=None, steps=steps),
        "plain_fourier": case(name="fourier", robust=False, architecture="fourier", steps=steps),
        "plain_siren": case(name="siren", robust=False, architecture="siren", steps=1000),
        "robust_grid": case(name="grid", robust=True, architecture="grid", steps=1000),
        "messages": messages,
        "guesses": partial(guessed, work=work, steps=1000),
    }


def main() -> None:
    """Measure the cases asked for, and write each as it is done."""
    parser = arguments(__doc__, cases(Path(), STEPS), Path("results/robust.json"))
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=STEPS)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    run(cases(given.work, given.steps), given.only, given.data, given.output)


if __name__ == "__main__":
    main()
