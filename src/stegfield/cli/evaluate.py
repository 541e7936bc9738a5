"""``stegfield evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from stegfield.cli.signal_files import check_png
from stegfield.cli.terminal import answer, say
from stegfield.errors import ConfigError

TOO_NEAR = "  too near"
ZONAL = "  zonal mean   spread    spectrum"


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
    """Compare the samples of a model with real examples that it has not seen.

    The table has the model and three anchors: other real examples, the same ones blurred, and
    noise. SWD is the sliced Wasserstein distance. Diversity and nearest are multiples of the values
    of real examples. Too near is the share of samples closer to a training example than 99 in 100
    real ones are: 1 % is usual, and it takes 200 real ones to measure it. For climate fields there
    are also the RMS errors of the mean and the spread at each latitude, and of the spectrum along
    longitude.

    Args:
        model: faces, climate or digits; or a file that `stegfield train` wrote.
        output: PNG file to write: samples, and below them some with their nearest training
            examples.
        data: Folder or zip of the examples that it was trained on; the digits need none.
        count: Samples to measure; fewer if there are few examples, or large ones.
        seed: Decides all random choices.
        json: Print the result as JSON.
        force: Replace an existing file.
    """
    from stegfield import files, generative
    from stegfield.generative.judging import judge
    from stegfield.generative.measures import ENOUGH
    from stegfield.signals.packing import HALF_RANGE_KELVIN

    if count < 2:
        raise ConfigError(f"--count must be at least 2, got {count}")
    if not 0 <= seed < 1 << 63:
        raise ConfigError(f"--seed must be from 0 to 2^63 - 1, got {seed}")
    check_png(output)
    files.check_new(output, force=force)
    source = generative.load(model)
    examples = generative.read_examples(source.name, data, max(source.size), medium=source.medium)
    if (learned := len(examples.training())) != source.examples:
        say(
            f"warning: {source.name} was trained on {source.examples:,} examples, and of these it "
            f"would be {learned:,}\nhint: name the examples that it was trained on with --data"
        )
    judged = judge(source, examples, count=count, seed=seed)
    report = judged.report
    files.write_new(output, judged.picture, force=force)
    if json:
        answer({"model": source.name, "steps": source.steps, **report.to_json()})
        return
    few = ", so that the other real ones were trained on" if report.trained_anchors else ""
    say(
        f"{source.name}, {source.steps:,} steps: {report.samples} samples, "
        f"beside {report.reference} held-out examples{few}"
    )
    zonal, told = source.medium.on_globe, report.real.copied is not None
    heads = f"{'':8}     SWD  diversity    PSNR-2  nearest"
    say(heads + (TOO_NEAR if told else "") + (ZONAL if zonal else ""))
    for name in ("drawn", "real", "blurred", "noise"):
        figures = getattr(report, name)
        line = (
            f"{name:8} {figures.swd.mean:7.1f} {figures.diversity:10.2f} "
            f"{figures.psnr2_db:6.1f} dB {figures.nearest_ratio:8.2f}"
        )
        if figures.copied is not None:
            line += f"{100 * figures.copied:8.1f} %"
        if figures.zonal is not None:
            line += (
                f"{figures.zonal.mean_rms * HALF_RANGE_KELVIN:10.2f} K"
                f"{figures.zonal.std_rms * HALF_RANGE_KELVIN:7.2f} K"
                f"{figures.zonal.spectrum_rms_db:8.2f} dB"
            )
        say(line)
    if not told:
        say(f"with fewer than {ENOUGH} other real ones, too near cannot be measured")
