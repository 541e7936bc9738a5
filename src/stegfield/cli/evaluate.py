"""``stegfield evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from stegfield.cli.terminal import answer, say

MOST_TRAINING = 20_000
NEIGHBOURS = 12


def evaluate(
    model: str,
    /,
    *,
    output: Annotated[Path, Parameter(alias="-o")],
    data: Path | None = None,
    count: int = 500,
    seed: int = 0,
    json: bool = False,
    force: bool = False,
) -> None:
    """Measure what a model draws against real examples that it has not seen.

    Beside the figures of the model stand those of three anchors: other real examples, the same
    blurred, and noise.

    Args:
        model: faces, climate or digits; or a file that `stegfield train` wrote.
        output: PNG file to write: samples, and below some of them with their nearest neighbours
            among the examples of the training.
        data: The examples that it was trained on: folder or zip; the digits need none.
        count: Samples to measure; fewer where few examples were held out.
        seed: Decides all that is random.
        json: Print the result as JSON.
        force: Replace an existing file.
    """
    import torch

    from stegfield import files, generative
    from stegfield.generative import measures

    files.check_new(output, force=force)
    source = generative.load(model)
    examples = generative.read_examples(source.name, data, max(source.size), medium=source.medium)
    training = examples.grids(examples.training()[:MOST_TRAINING])
    draws = torch.Generator().manual_seed(seed)
    others = examples.held_out()
    held_out = examples.grids(others[torch.randperm(len(others), generator=draws).numpy()])
    latents = torch.randn(count, source.sizes.latent, generator=torch.Generator().manual_seed(seed))
    drawn = source.sample(latents, source.size)
    report = measures.evaluate(
        training, held_out, drawn, globe=source.medium == "climate", seed=seed
    )
    picture = measures.matches_sheet(drawn[:NEIGHBOURS], training)
    files.write_new(output, picture, force=force)
    if json:
        answer({"model": source.name, "steps": source.steps, **report.to_json()})
        return
    say(f"{source.name}, {source.steps:,} steps: {report.samples} samples")
    say("            SWD   diversity  PSNR-2   nearest")
    for name in ("drawn", "real", "blurred", "noise"):
        figures = getattr(report, name)
        say(
            f"{name:8} {figures.swd.mean:7.1f} {figures.diversity:11.2f} "
            f"{figures.psnr2_db:7.1f} dB {figures.nearest_ratio:6.2f}"
        )
