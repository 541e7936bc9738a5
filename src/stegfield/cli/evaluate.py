"""``stegfield evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from stegfield.cli.errors import warn
from stegfield.cli.signal_files import check_png
from stegfield.cli.terminal import answer, say
from stegfield.errors import ConfigError

if TYPE_CHECKING:
    from stegfield.generative import Model
    from stegfield.generative.measures import Figures, GeneratorReport

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
    """Measure what a model generates against real examples that it has not seen.

    Beside the figures of the model stand those of three anchors: other real examples, the same
    blurred, and noise. SWD is the sliced Wasserstein distance; diversity and nearest are multiples
    of what real examples have. Samples are too near if they are nearer to an example of the
    training than 99 in 100 real ones, so 1 % is usual; it takes 200 real ones to tell. Climate
    fields also have the RMS errors of the mean and the spread at each latitude, and of the spectrum
    along longitude.

    Args:
        model: faces, climate or digits; or a file that `stegfield train` wrote.
        output: PNG file to write: some samples beside their nearest neighbours among the examples
            of the training.
        data: The examples that it was trained on: folder or zip; the digits need none.
        count: Samples to measure; fewer where there are few examples, or large ones.
        seed: Decides all that is random.
        json: Print the result as JSON.
        force: Replace an existing file.
    """
    from stegfield import files, generative
    from stegfield.generative.judging import examples_caution, judge
    from stegfield.generative.seeds import check_seed

    if count < 2:
        raise ConfigError(f"--count must be at least 2, got {count}")
    check_seed(seed)
    check_png(output)
    files.check_new(output, force=force)
    source = generative.load(model)
    examples = generative.read_examples(source.name, data, max(source.size), medium=source.medium)
    if (caution := examples_caution(source, examples)) is not None:
        warn(caution)
    judged = judge(source, examples, count=count, seed=seed)
    report = judged.report
    files.write_new(output, judged.picture, force=force)
    if json:
        answer({"model": source.name, "steps": source.steps, **report.to_json()})
        return
    _tell(source, report)


def _tell(source: Model, report: GeneratorReport) -> None:
    """Print the figures, a line for the model's samples and one for each anchor."""
    from stegfield.generative.measures import ENOUGH

    few = ", so that the other real ones were trained on" if report.trained_anchors else ""
    say(
        f"{source.name}, {source.steps:,} steps: {report.samples} samples, "
        f"beside {report.reference} held-out examples{few}"
    )
    zonal, told = source.medium.on_globe, report.real.copied is not None
    heads = f"{'':9}     SWD  diversity    PSNR-2  nearest"
    say(heads + (TOO_NEAR if told else "") + (ZONAL if zonal else ""))
    for name in ("generated", "real", "blurred", "noise"):
        say(f"{name:9} {_line(getattr(report, name))}")
    if not told:
        say(f"with fewer than {ENOUGH} other real ones, too near cannot be measured")


def _line(figures: Figures) -> str:
    from stegfield.signals.packing import HALF_RANGE_KELVIN

    line = (
        f"{figures.swd.mean:7.1f} {figures.diversity:10.2f} "
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
    return line
