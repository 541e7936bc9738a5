"""The log of a training run: its figures, and pictures of samples and of how it goes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from stegfield import files
from stegfield.generative.examples import Examples
from stegfield.generative.model import Model
from stegfield.generative.sheets import latents_sheet
from stegfield.generative.wasserstein import sliced_wassersteins
from stegfield.metrics import finite_or_none
from stegfield.pictures import curves
from stegfield.tensor_files import plain_json
from stegfield.watching import Told

LOG, SAMPLES, CURVES = "log.jsonl", "samples.png", "curves.png"
EARLIER = "samples"
"""A folder of pictures of samples from twice as many steps each time, to see them come."""
JUDGED = 200
"""Samples in the distance from real examples that goes into the log."""


@dataclass(frozen=True)
class TrainProgress:
    """Where a run is.

    Loss, `real`, `generated` and penalty are means over about the last 50 steps, of batches that
    are mirrored and augmented. The figures below them were measured when the state was last saved.
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
    """Mean score of real examples."""
    generated: float
    """Mean score of generated samples; near `real` where the critic cannot tell them apart."""
    penalty: float
    learned: float
    """Mean score of up to 256 examples of the training, neither mirrored nor augmented."""
    held_out: float
    """That of as many that are kept from the training. Far below `learned`, the critic has
    memorised its examples."""
    swd: float
    """Sliced Wasserstein distance of samples from real examples."""
    real_swd: float
    """That of as many other real examples, which no generator can be expected to beat."""

    def told(self, names: Sequence[str]) -> Told:
        """Put it in words; there are no signals to name."""
        figures = (
            f"warming up, {self.warm_up_left:,} steps to go"
            if self.warm_up_left
            else f"{self.size}x{self.size}, {self.images_a_second:.0f} a second, "
            f"loss {self.critic_loss:.2f}, scores {self.real:+.2f} {self.generated:+.2f}"
        )
        return Told(
            fraction=self.step / self.steps,
            counted=f"step {self.step:,}",
            figures=figures,
            seconds_left=self.seconds_left,
            ending="ending after this step",
        )


TrainWatch = Callable[[TrainProgress], bool]
"""Called after every step; True ends the run, with its state saved."""


def add(folder: Path, progress: TrainProgress, model: Model, *, seed: int) -> None:
    """Add a line to a run's log, and replace the pictures of its samples and curves.

    Samples are kept whenever there are twice as many steps as when they were last kept. A last line
    that was cut off, when the machine stopped, is dropped first.
    """
    files.add_line(folder / LOG, json.dumps(finite_or_none(asdict(progress))).encode())
    shown = latents_sheet(model, seed)
    files.write_new(folder / SAMPLES, shown, force=True)
    files.make_folder(folder / EARLIER)
    kept = [int(path.stem) for path in (folder / EARLIER).glob("*.png") if path.stem.isdecimal()]
    if progress.step >= 2 * max(kept, default=0):
        files.write_new(folder / EARLIER / f"{progress.step:08}.png", shown, force=True)
    files.write_new(folder / CURVES, distance_curves(folder / LOG), force=True)


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
    generated, real = sliced_wassersteins(
        examples.grids(index), sets, seed=0, globe=model.medium.on_globe
    )
    return generated.mean, real.mean


def distance_curves(log: Path) -> bytes:
    """Draw the distance of samples from real examples over the steps of a log, as a PNG."""
    lines = []
    for line in log.read_bytes().splitlines():
        with suppress(Exception):  # of one that was cut off, or that somebody else wrote
            entries = plain_json(line)
            lines.append([float(entries[name]) for name in ("step", "swd", "real_swd")])
    shown = [(step, swd) for step, swd, _ in lines]
    levels = {"other real ones": lines[-1][2]} if lines else {}
    return curves({"generated": shown}, levels=levels, title="distance from real examples (SWD)")
