"""A report on one field: damage of every kind and guesses, as figures and pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stegfield.attacks.damage import DAMAGES, ROUNDINGS, Remains, Witness, show
from stegfield.attacks.guessing import (
    Differences,
    Guesses,
    compare_fields,
    natural_values,
    random_keys,
)
from stegfield.config import AttackConfig
from stegfield.fields import Field
from stegfield.hiding import key_slots
from stegfield.metrics import Samples
from stegfield.pictures import Tile, contact_sheet, curves, sheet
from stegfield.signals import Signal, to_samples

TILE_WIDTH = 128
COLUMNS = 8
RANDOM_KEYS, NATURAL_VALUES, ANOTHER_KEY = "random-keys", "natural-values", "another-key"
Told = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class AttackReport:
    """The results of all attacks on a field."""

    names: tuple[str, ...]
    """The cover, then the secrets."""
    damaged: Mapping[str, Mapping[int | float, Remains]]
    """By the kind of damage, and by its level."""
    rounded: Mapping[str, Remains]
    guesses: Mapping[str, Mapping[str, Guesses]] = field(default_factory=dict)
    """By the kind of attack, and by the name of the secret."""
    differences: Differences | None = None
    """From a second field of the cover, if there is one."""

    def to_json(self) -> dict[str, Any]:
        """Return the figures as plain values."""
        facts: dict[str, Any] = {
            "images": list(self.names),
            "damage": {
                kind: [{"level": level, **_figures(shown)} for level, shown in levels.items()]
                for kind, levels in self.damaged.items()
            },
            "rounding": {kind: _figures(shown) for kind, shown in self.rounded.items()},
            "guesses": {
                kind: {
                    name: {
                        "tries": len(found.psnr_db),
                        "best_psnr_db": round(found.best_psnr_db, 2),
                        "best_ssim": round(found.best_ssim, 4),
                        "flat_psnr_db": round(found.flat_psnr_db, 2),
                        "cover_psnr_db": round(found.cover_psnr_db, 2),
                        "cover_ssim": round(found.cover_ssim, 4),
                    }
                    for name, found in secrets.items()
                }
                for kind, secrets in self.guesses.items()
            },
        }
        if self.differences is not None:
            facts["beside_another_field"] = {
                "slots_auc": round(self.differences.weights_auc, 4),
                "correlations": {
                    name: round(each, 4)
                    for name, each in zip(
                        self.names[1:], self.differences.correlations, strict=True
                    )
                },
            }
        return facts

    def pictures(self, originals: Sequence[Samples]) -> dict[str, bytes]:
        """Draw PNG files: a chart and a sheet for each kind of damage, a sheet of the guesses."""
        drawn = {}
        for kind, levels in self.damaged.items():
            family = DAMAGES[kind]
            drawn[f"{kind}.png"] = curves(
                {
                    name: [(level, shown.psnr_db[at]) for level, shown in levels.items()]
                    for at, name in enumerate(self.names)
                },
                across=family.across,
                title=f"{family.title}: PSNR, dB",
            )
            drawn[f"{kind}-images.png"] = self._sheet(
                {f"{level:g}": shown for level, shown in levels.items()}
            )
        drawn["rounding-images.png"] = self._sheet(self.rounded)
        for kind, secrets in self.guesses.items():
            for at, found in enumerate(secrets.values(), start=1):
                drawn[f"{kind}-{at}.png"] = contact_sheet(
                    [originals[at], *found.best], COLUMNS, tile_width=TILE_WIDTH
                )
        return drawn

    def _sheet(self, shown: Mapping[str, Remains]) -> bytes:
        rows = [
            [
                Tile(each.samples[at], f"{label}\n{each.psnr_db[at]:.1f} dB")
                for label, each in shown.items()
            ]
            for at in range(len(self.names))
        ]
        return sheet(rows, tile_width=TILE_WIDTH)


def examine(
    public: Field,
    cover: Signal,
    witnesses: Mapping[str, Witness],
    *,
    other: Field | None = None,
    config: AttackConfig = AttackConfig(),
    told: Told = lambda _: None,
) -> AttackReport:
    """Run every attack on a field.

    Args:
        public: A field that hides secrets.
        cover: What it shows to everyone.
        witnesses: The secrets by their names, each with its key.
        other: A second field of the cover, to compare the first with.
        config: How many guesses to make.
        told: Called with the name of each attack before it begins.

    Raises:
        ConfigError: The fields cannot be compared.
    """
    everyone = list(witnesses.values())
    differences = None if other is None else compare_fields(other, public, everyone)
    damaged: dict[str, dict[int | float, Remains]] = {}
    for kind, family in DAMAGES.items():
        told(family.title)
        damaged[kind] = {
            level: show(family.apply(public, cover, level), cover, everyone)
            for level in family.levels
        }
    told("rounding")
    rounded = {kind: show(change(public), cover, everyone) for kind, change in ROUNDINGS.items()}
    guesses: dict[str, dict[str, Guesses]] = {RANDOM_KEYS: {}, NATURAL_VALUES: {}}
    for name, each in witnesses.items():
        told(f"guessing {name}")
        guesses[RANDOM_KEYS][name] = random_keys(public, each, count=config.keys)
        guesses[NATURAL_VALUES][name] = natural_values(
            public, each, steps=config.descent_steps, tries=config.descents
        )
        for holder in [other for other in everyone if other is not each][:1]:
            guesses.setdefault(ANOTHER_KEY, {})[name] = natural_values(
                public,
                each,
                steps=config.descent_steps,
                tries=config.descents,
                holding=key_slots(public, holder.key, holder.scheme),
            )
    return AttackReport(("cover", *witnesses), damaged, rounded, guesses, differences)


def file_names(secrets: int) -> list[str]:
    """Return the file names of the pictures in a report on a field with this many secrets."""
    guesses = [RANDOM_KEYS, NATURAL_VALUES, *([ANOTHER_KEY] if secrets > 1 else [])]
    return [
        *(name for kind in DAMAGES for name in (f"{kind}.png", f"{kind}-images.png")),
        "rounding-images.png",
        *(f"{kind}-{at}.png" for kind in guesses for at in range(1, secrets + 1)),
    ]


def originals(cover: Signal, witnesses: Mapping[str, Witness]) -> list[Samples]:
    """Return the samples of the cover, then of each secret."""
    return [to_samples(cover), *(to_samples(each.secret) for each in witnesses.values())]


def _figures(shown: Remains) -> dict[str, Any]:
    return {
        "psnr_db": [round(each, 2) for each in shown.psnr_db],
        "ssim": [None if q.ssim is None else round(q.ssim, 4) for q in shown.quality],
        "records_found": list(shown.certain),
    }
