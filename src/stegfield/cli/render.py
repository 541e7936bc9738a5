"""``stegfield render``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from stegfield.cli.signal_files import file_of
from stegfield.cli.terminal import answer, say, size_text


def render(
    field: Path,
    /,
    *,
    output: Annotated[Path, Parameter(alias="-o")],
    size: str | None = None,
    json: bool = False,
    force: bool = False,
) -> None:
    """Show what a field shows to everyone, at any size.

    Args:
        field: Field file.
        output: File to write: .png for an image, .nc for a climate field, .wav or .flac for a
            sound, .mp4 or .apng for a video, .npy for a volume, .ply for a shape. A .png draws any
            of them: the globe, the wave, the first frame, the middle slice.
        size: Size to sample: columns x rows, like 1024x768; columns x rows x frames of a video;
            samples of a sound [default: that of the signal].
        json: Print the result as JSON.
        force: Replace an existing file.
    """
    from stegfield import fields, files, signals

    files.check_apart([output], [field])
    files.check_new(output, force=force)
    points = None if size is None else signals.parse_size(size, None)
    shown = fields.render(fields.load(field), points)
    size_shown = shown.size
    medium = signals.medium_of(output)
    if medium is signals.IMAGE:
        shown = signals.still(shown)
    files.write_new(output, file_of(shown, output), force=force)
    if json:
        answer({medium.name: str(output), "size": list(size_shown)})
    else:
        say(f"{output}: {size_text(size_shown)}")
