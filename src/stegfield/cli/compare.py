"""``stegfield compare``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from stegfield.cli.signal_files import check_png, read_signal
from stegfield.cli.terminal import answer, say
from stegfield.errors import ConfigError


def compare(
    a: Path,
    b: Path,
    /,
    *,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    gain: float = 20.0,
    flatten: bool = False,
    json: bool = False,
    force: bool = False,
) -> None:
    """Compare two images: PSNR, SSIM, RMSE and MAE of their 8-bit samples.

    For climate fields: PSNR, RMSE and the largest difference in kelvin, in the first's packing. For
    sounds: SNR, PSNR, RMSE and the largest difference in 16-bit levels.

    Args:
        a: The original: an image or a signal of another medium.
        b: The signal to compare with it, of the same size; SNR takes the power of the original.
        output: PNG file to write: both images, and their difference.
        gain: Factor by which the difference is magnified in the picture.
        flatten: Put transparent images onto white.
        json: Print the result as JSON.
        force: Replace an existing file.
    """
    from stegfield import files, pictures, signals

    if not 0 < gain < math.inf:
        raise ConfigError(f"--gain must be above 0, got {gain}")
    if output is not None:
        check_png(output)
        files.check_apart([output], [a, b])
        files.check_new(output, force=force)
    pair = [read_signal(path, flatten=flatten) for path in (a, b)]
    quality = signals.quality(pair[1], pair[0])
    if output is not None and pair[0].medium is not signals.IMAGE:
        raise ConfigError("--output draws the difference of images only", hint="leave it out")
    if output is not None:
        first, second = (signals.to_samples(signal) for signal in pair)
        row = [
            pictures.Tile(first, a.name),
            pictures.Tile(second, b.name),
            pictures.Tile(
                pictures.difference(first, second, gain),
                f"difference x {gain:g}\nPSNR {quality.psnr_db:.2f} dB",
            ),
        ]
        files.write_new(output, pictures.sheet([row]), force=force)
    looks = [signal.look or signals.Look() for signal in pair]
    if not looks[0].shows_like(looks[1]):
        say(
            f"warning: viewers show the samples of {a} by {looks[0].colours}, those of {b} by "
            f"{looks[1].colours}; the figures compare the samples"
        )
    if json:
        answer(quality.to_json())
    else:
        print(quality)  # noqa: T201
