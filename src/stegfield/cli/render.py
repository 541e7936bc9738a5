"""``stegfield render``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

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
        field: Field file.
        output: PNG file to write; of a climate field, .nc for its temperatures, or .png for a
            picture of them on the globe.
        size: Columns x rows to sample, like 1024x768; the signal's own if left out.
        json: Print the result as JSON.
        force: Replace an existing file.
    """
    from stegfield import fields, files, globes, signals

    files.check_apart([output], [field])
    files.check_new(output, force=force)
    wanted = None if size is None else signals.parse_size(size)
    shown = fields.render(fields.load(field), wanted)
    if signals.medium_of(output) == "climate":
        data = signals.encode(shown, output.suffix)
    else:
        image = shown if shown.medium == "image" else signals.from_samples(globes.globe(shown))
        data = signals.to_png(image)
    files.write_new(output, data, force=force)
    rows, columns = shown.size
    if json:
        answer({"image": str(output), "size": [rows, columns]})
    else:
        say(f"{output}: {columns}x{rows}")
