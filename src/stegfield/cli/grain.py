"""``stegfield grain``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from stegfield.cli import field_files
from stegfield.cli.embed import figures, read_picture, tell_look, tell_origin
from stegfield.cli.signal_files import suffix_of
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

OF_MESSAGES = ("profile", "messages", "message_bytes", "bits", "rate_bpp", "survived")
"""What a result says of messages, of which there are none."""


def grain(
    picture: Path,
    /,
    *,
    output: Annotated[Path, Parameter(alias="-o")],
    sigma: float | None = None,
    size: int | None = None,
    flatten: bool = False,
    keep_metadata: bool = False,
    json: bool = False,
    force: bool = False,
) -> None:
    """Draw grain over a picture, as `embed --grain` does over one with a message in it.

    Nobody can tell whether a picture with grain has a message in it, if the ciphers hold. So
    publish some that have none. Of a field that `fit` or `hide` wrote, all random bits are drawn
    anew, as `embed` does it, and what it carried is lost.

    Args:
        picture: Image, climate field named .nc, or sound; or field: .safetensors; - is stdin.
        output: File to write: .png, .bmp, .tiff or .webp; .nc; .wav or .flac; .safetensors for a
            field. - is stdout.
        sigma: Standard deviation of the grain, in levels of the file, from 1 to 16 [default: 1.5;
            6 for climate fields].
        size: Reduce an image to so many pixels along its longer side.
        flatten: Put a transparent image onto white.
        keep_metadata: Keep an image's EXIF data, such as camera, time and place, except previews.
        json: Print the result as JSON.
        force: Replace an existing file.
    """
    from stegfield import files, fixednet, signals
    from stegfield.config import GRAINS, EmbedConfig

    if field_files.is_field(picture):
        given = {"sigma": sigma, "size": size, "flatten": flatten, "keep-metadata": keep_metadata}
        for name in (name for name, value in given.items() if value not in (None, False)):
            raise ConfigError(f"--{name} has no meaning for a field", hint="leave it out")
        field_files.draw_again(picture, output, json=json, force=force)
        return
    files.check_apart(files_among(output), files_among(picture))
    check_output(output, json=json, force=force)
    check_stdin(picture=picture)
    if sigma is not None:
        GRAINS.check(sigma, owner="grain", name="sigma")
    config = EmbedConfig(profile="drawn", grain=sigma)
    medium = None if is_stream(picture) else signals.medium_of_file(picture)
    if medium is not None:
        fixednet.check(medium, suffix_of(output, medium), config)
    signal = read_picture(picture, size, flatten=flatten)
    suffix = suffix_of(output, signal.medium)
    profile = fixednet.check(signal.medium, suffix, config, size=signal.size)
    tell_origin(name_of(picture), signal, quiet=profile.quiet)
    tell_look(name_of(picture), signal, suffix, keep_metadata=keep_metadata)
    result = fixednet.grain(signal, sigma, suffix=suffix, keep_metadata=keep_metadata)
    write(output, result.file, force=force)
    if json:
        facts = {k: v for k, v in result.to_json().items() if k not in OF_MESSAGES}
        answer({signal.medium.name: str(output), **facts})
    else:
        say(f"{name_of(output, 'stdout')}: {figures(result)}, {result.seconds:.1f} s")
