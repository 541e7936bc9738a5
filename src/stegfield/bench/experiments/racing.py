"""Racing: how soon our method reaches a PSNR, compared with the paper's."""

from __future__ import annotations

from dataclasses import dataclass

from stegfield import hiding
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.found import Found
from stegfield.bench.experiments.settings import HidingSettings
from stegfield.bench.results import Figure
from stegfield.config import FitConfig, HideConfig
from stegfield.fields import FitProgress
from stegfield.hiding import Secret
from stegfield.keys import Key

STEPS = {"fourier": 1000, "siren": 600, "grid": 600}
"""Seconds that our method plans for, by architecture."""


@dataclass(frozen=True, kw_only=True)
class Racing(HidingSettings):
    """What is hidden; ``seconds`` limits the paper's joint training."""

    target_db: int | float = 38.0
    """PSNR of the worst image at which a run ends."""


def racing(data: Datasets, settings: Racing) -> Found:
    """Train by the paper's method until it reaches a PSNR or runs out of time, then by ours.

    The time of the paper's fit to the cover alone is not counted. If the paper's method does not
    reach the PSNR, the factors by which ours is faster are lower bounds.
    """
    images = settings.images(data)
    keys = [Key(bytes([at]) * 32) for at in range(1, len(images))]
    secrets = [Secret(image, key) for image, key in zip(images[1:], keys, strict=True)]
    joint: list[tuple[float, float]] = []

    def watch(progress: FitProgress) -> bool:
        if progress.step == 1:  # the joint training follows the cover's own fit
            joint.clear()
        joint.append((progress.seconds, min(progress.psnr_db)))
        return joint[-1][1] >= settings.target_db

    hiding.hide_functions(
        images[0],
        secrets,
        architecture="fourier",
        config=HideConfig(slots="magnitude", values="xavier"),
        training=settings.papers_training(),
        watch=watch,
    )
    theirs = next((at for at, db in joint if db >= settings.target_db), joint[-1][0])
    figures: dict[str, Figure] = {
        "papers_seconds": theirs,
        "papers_psnr_db": max(db for _, db in joint),
    }
    for name, steps in STEPS.items():
        plan = FitConfig(
            target_db=settings.target_db,
            steps=min(steps, settings.steps or steps),
            seed=settings.training().seed,
        )
        done = hiding.hide_functions(images[0], secrets, architecture=name, training=plan)
        worst = min([done.cover.psnr_db, *(each.quality.psnr_db for each in done.secrets)])
        figures |= {f"{name}_seconds": done.seconds, f"{name}_psnr_db": worst}
        if worst >= settings.target_db:
            figures[f"{name}_times_faster"] = theirs / done.seconds
    return Found(figures)
