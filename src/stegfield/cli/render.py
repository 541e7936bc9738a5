"""``stegfield render``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from stegfield.cli.signal_files import file_of, read_field
from stegfield.cli.streams import (
    check_output,
    check_stdin,
    files_among,
    is_stream,
    name_of,
    write,
)
from stegfield.cli.terminal import answer, say


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
        field: Field file; - is stdin.
        output: File to write: .png for an image, .nc for a climate field, .wav or .flac for a
            sound, .mp4 or .apng for a video, .npy for a volume, .ply for a shape; - is stdout. A
            .png draws any of them: the globe, the wave, the first frame, the middle slice.
        size: Size to sample: columns x rows, like 1024x768; columns x rows x frames of a video;
            samples of a sound [default: that of the signal].
        json: Print the result as JSON.
        force: Replace an existing file.
    """
    from stegfield import fields, files, signals

    files.check_apart(files_among(output), files_among(field))
    check_output(output, json=json, force=force)
    check_stdin(field=field)
    points = None if size is None else signals.parse_size(size, None)
    shown = fields.render(read_field(field), points)
    size_shown = shown.size
    medium = shown.medium if is_stream(output) else signals.medium_of(output)
    if medium is signals.IMAGE:
        shown = signals.still(shown)
    write(output, file_of(shown, output), force=force)
    if json:
        answer({medium.name: str(output), "size": list(size_shown)})
    else:
        say(f"{name_of(output, 'stdout')}: {signals.size_text(size_shown)}")
