"""``stegfield demo``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from stegfield.cli.progress import watching
from stegfield.cli.terminal import answer, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stegfield.demo import MessageResult, SceneResult


def demo(
    *,
    output: Annotated[Path, Parameter(alias="-o")] = Path("stegfield-demo"),
    json: bool = False,
    force: bool = False,
) -> None:
    """Embed and extract, hide and reveal, and write a gallery of the results.

    Takes one to three minutes. Its photographs come with the extra `stegfield[demo]`; without it,
    generated faces stand in for them.

    Args:
        output: Folder for the files and the gallery, index.html.
        json: Print the figures as JSON.
        force: Replace the files of an earlier demo.
    """
    from stegfield import demo as scenes

    with watching("cover", "secret 1", "secret 2") as watch:
        said, results = scenes.run(output, watch, say, force=force)
    gallery = output / "index.html"
    if len(results) < len(scenes.hidden.SCENES) or any(result.stopped for result in results):
        say("the demo was stopped early: the figures are not what the fields can reach")
    if json:
        answer(
            {
                "gallery": str(gallery),
                "messages": [
                    {"message": m.scene.message, "cover": m.scene.cover, **m.embedding.to_json()}
                    for m in said
                ],
                "scenes": [_facts(result) for result in results],
            }
        )
        return
    _print_messages(said)
    _print_table(results)
    say(f"look at {gallery}")


def _facts(result: SceneResult) -> dict[str, Any]:
    return {
        "field": result.scene.architecture,
        "bytes": result.field_bytes,
        "seconds": round(result.seconds, 3),
        "stopped": result.stopped,
        "images": [
            {
                "photograph": shown.name,
                "role": shown.role,
                "size": list(shown.original.shape[:2]),
                **shown.quality.to_json(),
            }
            for shown in result.shown
        ],
    }


def _print_messages(results: Sequence[MessageResult]) -> None:
    from rich.console import Console
    from rich.table import Table

    from stegfield.demo.photographs import called

    table = Table("profile", "cover", "message", "bytes", "bpp", "PSNR, dB", "seconds", box=None)
    for result in results:
        done = result.embedding
        table.add_row(
            done.profile,
            called(result.scene.cover),
            result.scene.message,
            f"{done.message_bytes:,}",
            f"{done.rate_bpp:.3f}",
            f"{done.quality.psnr_db:.2f}",
            f"{done.seconds:.1f}",
        )
    Console().print(table, "")


def _print_table(results: Sequence[SceneResult]) -> None:
    from rich.console import Console
    from rich.table import Table

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
