"""``stegfield demo``."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from stegfield.cli.terminal import say, watching

if TYPE_CHECKING:
    from collections.abc import Callable

    from stegfield.fields import Progress


def demo(
    *,
    output: Annotated[Path, Parameter(alias="-o")] = Path("stegfield-demo"),
    force: bool = False,
) -> None:
    """Hide two photographs in a third one's field, reveal them, and draw a gallery.

    Takes one to three minutes. Needs the extra `stegfield[demo]`, whose scikit-image has the
    photographs.

    Args:
        output: Folder for the files and the gallery, index.html.
        force: Replace the files of an earlier demo.
    """
    from rich.console import Console
    from rich.table import Table

    from stegfield import demo as scenes

    with ExitStack() as bars:

        def watch(title: str) -> Callable[[Progress], bool]:
            bars.close()
            say(title)
            return bars.enter_context(watching(["cover", "secret 1", "secret 2"]))

        results = scenes.run(output, watch, force=force)
    table = Table("field", "photograph", "", "size", "PSNR, dB", "SSIM", "seconds", box=None)
    for result in results:
        for shown in result.shown:
            rows, columns, _ = shown.original.shape
            table.add_row(
                result.scene.architecture,
                shown.name,
                shown.role,
                f"{columns}x{rows}",
                f"{shown.quality.psnr_db:.2f}",
                f"{shown.quality.ssim or 0:.4f}",
                f"{result.seconds:.0f}",
            )
    Console().print(table)
    say(f"look at {output / 'index.html'}")
