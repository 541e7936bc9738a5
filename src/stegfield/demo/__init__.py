"""The demo: embed and extract, hide and reveal, measure, and write a gallery.

The demo uses files as a user would: it writes and reads images, saves and loads fields, and takes
every figure from the 8-bit files. The photographs ship with scikit-image; without it, the demo
shows generated faces.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from stegfield import files
from stegfield.demo import hidden, messages, photographs
from stegfield.demo.hidden import SceneResult
from stegfield.demo.messages import MessageResult
from stegfield.fields import FitProgress, FitWatch

__all__ = ["MessageResult", "SceneResult", "hidden", "messages", "run"]


def run(
    folder: Path, watch: FitWatch, announce: Callable[[str], None], *, force: bool = False
) -> tuple[list[MessageResult], list[SceneResult]]:
    """Run the scenes and write their files and ``index.html`` into a folder.

    Args:
        folder: Created if it does not exist.
        watch: Called at the start of each scene and after every training step. Returning True winds
            down the scene that trains, writes all of its files, and skips the scenes that follow.
        announce: Called with each scene's title.
        force: Replace files of an earlier demo.

    Raises:
        OutputError: A file exists already (unless ``force``), or cannot be written.
    """
    files.make_folder(folder)
    files.check_new(folder / "index.html", force=force)
    if photographs.missing():
        announce(photographs.STAND_INS)
    said = []
    for scene in messages.SCENES:
        announce(scene.title)
        said.append(messages.play(scene, folder, force=force))
    results: list[SceneResult] = []
    for setting in hidden.SCENES:
        if watch(FitProgress(0, 0.0, 0.0, ())):
            break
        announce(setting.title)
        results.append(hidden.play(setting, folder, watch, force=force))
        if results[-1].stopped:
            break
    page = _page(results, said).encode()
    files.write_new(folder / "index.html", page, force=force)
    return said, results


def _page(hidden_results: Sequence[SceneResult], message_results: Sequence[MessageResult]) -> str:
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>stegfield demo</title>'
        '<meta name="viewport" content="width=device-width">'
        "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;"
        "padding:0 1rem}table{border-collapse:collapse;margin:1rem 0}td,th{padding:.2rem 1rem "
        ".2rem 0;text-align:left}img{max-width:100%}</style><h1>Files hidden in photographs</h1>"
        "<p>A message is embedded in an image's samples, and a network that grows from the key "
        "extracts it bit for bit.</p>"
        + "".join(map(messages.section, message_results))
        + "<h1>Photographs hidden in a photograph's field</h1><p>Each field below shows one "
        "photograph to everyone and two more, one to a key file and one to a passphrase. All "
        "figures are measured on the written 8-bit files.</p>"
        + "".join(map(hidden.section, hidden_results))
        + "</html>\n"
    )
