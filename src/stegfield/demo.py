"""The demo: hide photographs in a photograph's field, reveal them, measure, and draw a gallery.

Everything goes the way of a user's files: images are written and read again, the field is saved and
loaded, and every figure comes from the 8-bit files. The photographs ship with scikit-image.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from stegfield import fields, files, hiding, pictures, signals
from stegfield.config import FitConfig
from stegfield.errors import InputError, UnreadableError
from stegfield.fields import Progress, Watch
from stegfield.keys import Key, Passphrase
from stegfield.metrics import Quality, Samples, quality
from stegfield.signals import Signal, to_samples

GAIN = 20.0
PASSPHRASE = "the cat knows where the rocket is"  # noqa: S105 - only the demo's


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One run of the demo: photographs of scikit-image's, their size and the field."""

    name: str
    title: str
    photographs: tuple[str, ...]
    """The cover first."""
    longest: int
    """Pixels of the longer side of each."""
    architecture: str
    training: FitConfig
    remark: str
    """What to look at in the picture."""


@dataclass(frozen=True, eq=False)
class Shown:
    """An original and what the field showed of it, as the files hold them."""

    name: str
    role: str
    original: Samples
    shown: Samples
    quality: Quality


@dataclass(frozen=True, eq=False)
class SceneResult:
    """What one run of the demo came to."""

    scene: Scene
    shown: tuple[Shown, ...]
    wrong_key: Samples
    field_bytes: int
    seconds: float
    stopped: bool
    """Training was asked to end before its plan was done."""


SCENES = (
    Scene(
        name="siren",
        title="SIREN, the paper's 8x128: 128 pixels wide",
        photographs=("coffee", "chelsea", "astronaut"),
        longest=128,
        architecture="siren",
        training=FitConfig(steps=1000),
        remark="A wrong key shows no secret.",
    ),
    Scene(
        name="grid",
        title="Grid field: 256 pixels wide, and faster",
        photographs=("chelsea", "astronaut", "rocket"),
        longest=256,
        architecture="grid",
        training=FitConfig(steps=1500),
        remark="Its grids show outlines of the secrets to anyone: it does not conceal them.",
    ),
)


def run(
    folder: Path, watch: Watch, announce: Callable[[str], None], *, force: bool = False
) -> list[SceneResult]:
    """Run the scenes and write their files and ``index.html`` into a folder.

    Args:
        folder: Created if it does not exist.
        watch: Is told of the start of each scene and of every training step. Returning True winds
            down the scene that trains, writes all of its files, and leaves out those that follow.
        announce: Called with each scene's title.
        force: Replace files of an earlier demo.

    Raises:
        InputError: scikit-image, which has the photographs, is not installed.
        OutputError: A file exists already, or cannot be written.
    """
    files.make_folder(folder)
    files.check_new(folder / "index.html", force=force)
    results: list[SceneResult] = []
    for scene in SCENES:
        if watch(Progress(0, 0.0, 0.0, ())):
            break
        announce(scene.title)
        results.append(_play(scene, folder, watch, force=force))
        if results[-1].stopped:
            break
    page = _page(results).encode()
    files.write_new(folder / "index.html", page, force=force)
    return results


def _play(scene: Scene, folder: Path, watch: Watch, *, force: bool) -> SceneResult:
    def path(name: str) -> Path:
        return folder / f"{scene.name}-{name}"

    for name in scene.photographs:
        png = signals.to_png(_photograph(name, scene.longest))
        files.write_new(path(f"{name}.png"), png, force=force)
    originals = [signals.read(path(f"{name}.png")) for name in scene.photographs]

    key_file = path("alice.key")
    Key.generate().write(key_file, force=force)
    keys: list[Key | Passphrase] = [Key.read(key_file), Passphrase(PASSPHRASE)]
    result = hiding.hide(
        originals[0],
        [hiding.Secret(image, key) for image, key in zip(originals[1:], keys, strict=True)],
        architecture=scene.architecture,
        training=scene.training,
        watch=watch,
    )
    public = path("public.safetensors")
    fields.save(public, result.field, force=force)

    field = fields.load(public)
    revealed = [hiding.reveal(field, key).signal for key in keys]
    shown = []
    for index, signal in enumerate([fields.render(field), *revealed]):
        name = scene.photographs[index]
        again = path(f"{name}-again.png")
        files.write_new(again, signals.to_png(signal), force=force)
        written = to_samples(signals.read(again))
        original = to_samples(originals[index])
        roles = ("shown to everyone", "revealed by a key file", "revealed by a passphrase")
        shown.append(Shown(name, roles[index], original, written, quality(written, original)))
    wrong = hiding.reveal(field, _refused(field), size=_image_size(originals[1])).signal
    done = SceneResult(
        scene,
        tuple(shown),
        to_samples(wrong),
        public.stat().st_size,
        result.seconds,
        result.stopped,
    )
    files.write_new(path("sheet.png"), _sheet(done), force=force)
    return done


def _refused(field: fields.Field) -> Key:
    """Give a key that belongs to nobody, after making sure that it is refused."""
    stranger = Key.generate()
    try:
        hiding.reveal(field, stranger)
    except UnreadableError:
        return stranger
    raise RuntimeError("a random key revealed something")


def _photograph(name: str, longest: int) -> Signal:
    try:
        import skimage.data
    except ImportError:
        raise InputError(
            "the demo's photographs come with scikit-image, which is not installed",
            hint="pip install 'stegfield[demo]'",
        ) from None
    levels = torch.from_numpy(getattr(skimage.data, name)())
    return signals.resize(Signal(levels.float() / 127.5 - 1), longest)


def _image_size(signal: Signal) -> tuple[int, int]:
    rows, columns = signal.size
    return rows, columns


def _sheet(result: SceneResult) -> bytes:
    originals = [
        pictures.Tile(s.original, f"{s.name}: {('cover' if i == 0 else 'secret')}")
        for i, s in enumerate(result.shown)
    ]
    shown = [
        pictures.Tile(s.shown, f"{s.role}\nPSNR {s.quality.psnr_db:.1f} dB") for s in result.shown
    ]
    differences = [
        pictures.Tile(pictures.difference(s.original, s.shown, GAIN), f"difference x {GAIN:g}")
        for s in result.shown
    ]
    shown.append(
        pictures.Tile(result.wrong_key, "with a wrong key:\nrefused; forced, it shows this")
    )
    return pictures.sheet([originals, shown, differences])


def _page(results: list[SceneResult]) -> str:
    parts = []
    for result in results:
        rows = "".join(
            f"<tr><td>{html.escape(s.name)}</td><td>{html.escape(s.role)}</td>"
            f"<td>{s.original.shape[1]}x{s.original.shape[0]}</td>"
            f"<td>{s.quality.psnr_db:.2f}</td><td>{s.quality.ssim or 0:.4f}</td></tr>"
            for s in result.shown
        )
        parts.append(
            f"<h2>{html.escape(result.scene.title)}</h2>"
            f"<p>Trained for {result.seconds:.0f} s; the field file has {result.field_bytes:,} "
            f"bytes and is all that the receivers get. {html.escape(result.scene.remark)}</p>"
            "<table><tr><th>photograph</th><th></th><th>size</th><th>PSNR, dB</th><th>SSIM</th>"
            f"</tr>{rows}</table>"
            f'<img src="{result.scene.name}-sheet.png" alt="originals, what the field shows, '
            'and the magnified differences">'
        )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>stegfield demo</title>'
        "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;"
        "padding:0 1rem}table{border-collapse:collapse;margin:1rem 0}td,th{padding:.2rem 1rem "
        ".2rem 0;text-align:left}img{max-width:100%}</style><h1>Photographs hidden in a "
        "photograph</h1><p>Each field below shows one photograph to everyone and two more, one to "
        "a key file and one to a passphrase. All figures are measured on the written 8-bit files."
        f"</p>{''.join(parts)}</html>\n"
    )
