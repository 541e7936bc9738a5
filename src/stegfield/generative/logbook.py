"""What a training run tells: its figures, its log, and pictures of how it goes."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from stegfield import files
from stegfield.generative.examples import Examples
from stegfield.generative.model import Model
from stegfield.generative.wasserstein import sliced_wassersteins
from stegfield.metrics import finite_or_none
from stegfield.pictures import contact_sheet, curves

LOG, SAMPLES, CURVES = "log.jsonl", "samples.png", "curves.png"
EARLIER = "samples"
"""A folder of pictures of samples from twice as many steps each time, to see them come."""
SHEET, ACROSS = 64, 16
"""Samples that the picture of a run shows, of the same latents each time."""
JUDGED = 200
"""Samples in the distance from real examples that goes into the log."""


@dataclass(frozen=True)
class Progress:
    """Where a run is.

    Loss, `real`, `drawn` and penalty are means over about the last 50 steps, of batches that are
    mirrored and augmented; what follows them is of when the state was last saved.
    """

    step: int
    steps: int
    warm_up_left: int
    """Steps of the warm-up that are still to come; they are not counted in `step`."""
    size: int
    seconds: float
    images_a_second: float
    """Of the steps of this run, without the warm-up."""
    seconds_left: float
    """Until all steps are made, as fast as those of this run."""
    critic_loss: float
    real: float
    """Mean score of real examples; with `drawn`, near each other where the critic is at a loss."""
    drawn: float
    penalty: float
    learned: float
    """Mean score of up to 256 examples of the training, neither mirrored nor augmented."""
    held_out: float
    """That of as many that are kept from the training: far below `learned`, the critic knows its
    examples by heart."""
    swd: float
    """Sliced Wasserstein distance of samples from real examples."""
    real_swd: float
    """That of as many other real examples: less is not to be had."""


Watch = Callable[[Progress], bool]
"""Called after every step; True ends the run, with its checkpoint written."""


def add(folder: Path, progress: Progress, model: Model, *, seed: int) -> None:
    """Add a line to a run's log, and draw its samples and curves anew, each picture whole.

    Samples are kept whenever there are twice as many steps as when they were last kept.

    A last line that was cut off, when the machine stopped, is dropped first.
    """
    files.add_line(folder / LOG, json.dumps(finite_or_none(asdict(progress))).encode())
    drawn = sheet(model, seed)
    files.write_new(folder / SAMPLES, drawn, force=True)
    files.make_folder(folder / EARLIER)
    kept = [int(path.stem) for path in (folder / EARLIER).glob("*.png") if path.stem.isdecimal()]
    if progress.step >= 2 * max(kept, default=0):
        files.write_new(folder / EARLIER / f"{progress.step:08}.png", drawn, force=True)
    files.write_new(folder / CURVES, drawn_curves(folder / LOG), force=True)


@torch.no_grad()
def distances(model: Model, examples: Examples, seed: int) -> tuple[float, float]:
    """Measure how far samples lie from real examples, which were kept from the training.

    Returns:
        The sliced Wasserstein distance of samples, and that of as many examples of the training.
    """
    draws = torch.Generator().manual_seed(seed)
    held_out, training = (
        part[torch.randperm(len(part), generator=draws).numpy()]
        for part in (examples.held_out(), examples.training())
    )
    index = held_out[:JUDGED]
    others = training[: len(index)]
    latents = torch.randn(len(index), model.sizes.latent, generator=draws)
    sets = [model.sample(latents, model.size).clamp(-1, 1), examples.grids(others)]
    drawn, real = sliced_wassersteins(
        examples.grids(index), sets, seed=0, globe=model.medium.on_globe
    )
    return drawn.mean, real.mean


@torch.no_grad()
def sheet(model: Model, seed: int) -> bytes:
    """Draw samples of latents that the seed decides, as a PNG."""
    draws = torch.Generator().manual_seed(seed)
    values = model.sample(torch.randn(SHEET, model.sizes.latent, generator=draws), model.size)
    levels = ((values.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).numpy()
    return contact_sheet(list(levels), ACROSS)


def drawn_curves(log: Path) -> bytes:
    """Draw the distance of samples from real examples over the steps of a log, as a PNG."""
    lines = []
    for line in log.read_text().splitlines():
        with suppress(ValueError):  # one that was cut off when the machine stopped
            lines.append(json.loads(line))
    shown = [(line["step"], line["swd"]) for line in lines]
    levels = {"other real ones": lines[-1]["real_swd"]}
    return curves({"drawn": shown}, levels=levels, title="distance from real examples (SWD)")
