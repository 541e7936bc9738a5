"""``stegfield compare``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from stegfield.cli.signal_files import check_png, read_signal
from stegfield.cli.streams import (
    check_output,
    check_stdin,
    files_among,
    is_stream,
    name_of,
    write,
)
from stegfield.cli.terminal import answer, say
from stegfield.errors import ConfigError

if TYPE_CHECKING:
    from stegfield.signals import Signal


def compare(
    a: Path,
    b: Path,
    /,
    *,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    gain: float | None = None,
    heat: bool = False,
    flatten: bool = False,
    json: bool = False,
    force: bool = False,
) -> None:
    """Compare two images: PSNR, SSIM, RMSE and MAE of their 8-bit samples.

    For climate fields: PSNR, RMSE and the largest difference in kelvin, in the first's packing. For
    sounds: SNR, PSNR, RMSE and the largest difference in 16-bit levels.

    Args:
        a: The original: an image or a signal of another medium. One of the two may be -, stdin.
        b: The signal to compare with it, of the same size; SNR takes the power of the original.
        output: PNG file to write, both images and their difference; - is stdout.
        gain: Factor by which the difference is magnified in the picture [default: as large as makes
            it bright; the picture tells]. Single pixels are drawn larger where it is shrunk.
        heat: Draw how large the difference is on average in each place, in its stead.
        flatten: Put transparent images onto white.
        json: Print the result as JSON.
        force: Replace an existing file.
    """
    from stegfield import files, pictures, signals

    if gain is not None and not 0 < gain < math.inf:
        raise ConfigError(f"--gain must be above 0, got {gain}")
    if heat and gain is not None:
        raise ConfigError("--heat cannot be combined with --gain", hint="leave one of them out")
    if output is not None:
        check_png(output)
        files.check_apart(files_among(output), files_among(a, b))
        check_output(output, json=json, force=force)
    check_stdin(original=a, other=b)
    pair = [read_signal(path, flatten=flatten) for path in (a, b)]
    if output is not None and pair[0].medium is not signals.IMAGE:
        raise ConfigError("--output draws the difference of images only", hint="leave it out")
    check_comparable(pair, (name_of(a), name_of(b)))
    quality = signals.quality(pair[1], pair[0])
    if output is not None:
        first, second = (signals.to_samples(signal) for signal in pair)
        row = [
            pictures.Tile(first, Path(name_of(a)).name),
            pictures.Tile(second, Path(name_of(b)).name),
            pictures.difference_tile(first, second, gain=gain, heat_map=heat),
        ]
        write(output, pictures.sheet([row]), force=force)
    looks = [signal.look or signals.Look() for signal in pair]
    if not looks[0].shows_like(looks[1]):
        say(
            f"warning: viewers show the samples of {name_of(a)} by {looks[0].colours}, those of "
            f"{name_of(b)} by {looks[1].colours}; the figures compare the samples"
        )
    if json:
        answer(quality.to_json())
    elif is_stream(output):
        say(str(quality))
    else:
        print(quality)  # noqa: T201


def check_comparable(pair: Sequence[Signal], names: Sequence[str]) -> None:
    """Refuse signals that differ in medium, size or channels, in the words of their files.

    Raises:
        ConfigError: The signals differ in medium, size or channels.
    """
    first, second = pair
    if first.medium is not second.medium:
        raise ConfigError(
            f"{names[0]} is {first.medium.noun}, and {names[1]} is {second.medium.noun}",
            hint="compare signals of one medium",
        )
    told = [_extent(signal) for signal in pair]
    if told[0] != told[1]:
        raise ConfigError(
            f"the {first.medium.plural} differ in size: {names[0]} is {told[0]}, and {names[1]} is "
            f"{told[1]}",
            hint=f"compare {first.medium.plural} of one size and one number of channels",
        )


def _extent(signal: Signal) -> str:
    from stegfield import signals

    channels = f"{signal.channels} channel{'s' if signal.channels > 1 else ''}"
    return f"{signals.size_text(signal.size)} with {channels}"
