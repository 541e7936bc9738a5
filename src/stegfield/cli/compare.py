"""``stegfield compare``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

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
    """Tell how alike two images are: PSNR, SSIM, RMSE and MAE on their 8-bit samples.

    Of two climate fields: PSNR, RMSE and the largest difference in kelvin, in the first's packing;
    of two sounds: SNR, PSNR, RMSE and the largest difference in 16-bit levels.

    Args:
        a: The original: an image or a signal of another medium. One of the two may be -, stdin.
        b: What became of it, of the same size; the ratio of SNR is that of the original.
        output: PNG file to draw both images and their magnified difference in; - is stdout.
        gain: How many times the difference is magnified in the picture [default: as many as make
            it bright; the picture tells]. Single pixels are drawn larger where it is shrunk.
        heat: Draw in place of the difference how large it is on average in each place.
        flatten: Put transparent images onto white.
        json: Print as JSON.
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
    quality = signals.quality(pair[1], pair[0])
    if output is not None and pair[0].medium is not signals.IMAGE:
        raise ConfigError("only of images is a difference drawn", hint="leave --output out")
    if output is not None:
        first, second = (signals.to_samples(signal) for signal in pair)
        row = [
            pictures.Tile(first, Path(name_of(a)).name),
            pictures.Tile(second, Path(name_of(b)).name),
            pictures.difference_tile(first, second, gain=gain, heat_map=heat),
        ]
        write(output, pictures.sheet([row]), force=force)
    if json:
        answer(quality.to_json())
    elif is_stream(output):
        say(str(quality))
    else:
        print(quality)  # noqa: T201
