"""Scenes of the demo: photographs hidden in a photograph's field, and revealed."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from pathlib import Path

from stegfield import fields, files, hiding, pictures, signals
from stegfield.config import FitConfig
from stegfield.demo.photographs import called, photograph
from stegfield.errors import UnreadableError
from stegfield.fields import FitWatch
from stegfield.keys import Key, KeyFile, Passphrase
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
class Exhibit:
    """An original, and what the field shows of it, as the files hold them."""

    name: str
    role: str
    original: Samples = field(repr=False)
    shown: Samples = field(repr=False)
    quality: Quality


@dataclass(frozen=True, eq=False)
class SceneResult:
    """The result of one scene."""

    scene: Scene
    shown: tuple[Exhibit, ...]
    wrong_key: Samples = field(repr=False)
    field_bytes: int
    seconds: float
    stopped: bool
    """Whether training was asked to end before its plan was done."""


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


def play(scene: Scene, folder: Path, watch: FitWatch, *, force: bool) -> SceneResult:
    """Run a scene, and write its files."""

    def path(name: str) -> Path:
        return folder / f"{scene.name}-{name}"

    for name in scene.photographs:
        png = signals.to_png(photograph(name, scene.longest))
        files.write_new(path(f"{name}.png"), png, force=force)
    originals = [signals.read(path(f"{name}.png")) for name in scene.photographs]

    key_file = path("alice.key")
    KeyFile(Key.generate()).write(key_file, force=force)
    keys: list[Key | Passphrase] = [KeyFile.read(key_file).key, Passphrase(PASSPHRASE)]
    result = hiding.hide_functions(
        originals[0],
        [hiding.Secret(image, key) for image, key in zip(originals[1:], keys, strict=True)],
        architecture=scene.architecture,
        training=scene.training,
        watch=watch,
    )
    public = path("public.safetensors")
    fields.save(public, result.field, force=force)

    field = fields.load(public)
    revealed = [hiding.reveal_function(field, key).signal for key in keys]
    shown = []
    for index, signal in enumerate([fields.render(field), *revealed]):
        name = scene.photographs[index]
        again = path(f"{name}-again.png")
        files.write_new(again, signals.to_png(signal), force=force)
        written = to_samples(signals.read(again))
        original = to_samples(originals[index])
        roles = ("shown to everyone", "revealed by a key file", "revealed by a passphrase")
        shown.append(
            Exhibit(called(name), roles[index], original, written, quality(written, original))
        )
    wrong = hiding.reveal_function(field, _refused(field), size=_image_size(originals[1])).signal
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
    """Return a random key, after a check that the field refuses it."""
    stranger = Key.generate()
    try:
        hiding.reveal_function(field, stranger)
    except UnreadableError:
        return stranger
    raise RuntimeError("a random key revealed something")


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
        pictures.Tile(result.wrong_key, "with a wrong key: refused;\nrendered with a size")
    )
    return pictures.sheet([originals, shown, differences])


def section(result: SceneResult) -> str:
    """Return a scene as HTML."""
    rows = "".join(
        f"<tr><td>{html.escape(s.name)}</td><td>{html.escape(s.role)}</td>"
        f"<td>{s.original.shape[1]}x{s.original.shape[0]}</td>"
        f"<td>{s.quality.psnr_db:.2f}</td><td>{s.quality.ssim or 0:.4f}</td></tr>"
        for s in result.shown
    )
    return (
        f"<h2>{html.escape(result.scene.title)}</h2>"
        f"<p>Trained for {result.seconds:.0f} s; the field file has {result.field_bytes:,} "
        f"bytes and is all that the receivers get. {html.escape(result.scene.remark)}</p>"
        "<table><tr><th>photograph</th><th></th><th>size</th><th>PSNR, dB</th><th>SSIM</th>"
        f"</tr>{rows}</table>"
        f'<img src="{result.scene.name}-sheet.png" alt="originals, what the field shows, '
        'and the magnified differences">'
    )
