"""Small valid files of every format that is read from strangers, and what reads each."""

from __future__ import annotations

import contextlib
import io
import json
import struct
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import soundfile
import trimesh
from PIL import Image

from stegfield import bench, fields, fixednet, jpeg, signals
from stegfield.cli.job_files import read_jobs
from stegfield.config import EmbedConfig, FitConfig
from stegfield.errors import InputError
from stegfield.fields import checkpoints, drawing, header
from stegfield.fields.header import FieldFile
from stegfield.fixednet.weights import embed_weights, extract_weights
from stegfield.generative import logbook, store
from stegfield.generative.image_files import Images
from stegfield.generative.temperatures import globes
from stegfield.hiding import reveal
from stegfield.keys import Key, KeyFile
from stegfield.payload import law
from stegfield.payload.law import Message

LEAST = 16
SUITES = Path(bench.__file__).parent / "suites"
KEY = Key(bytes(range(32)))


@dataclass(frozen=True)
class Format:
    """Valid files of one format, and what reads them."""

    name: str
    files: tuple[bytes, ...]
    read: Callable[[bytes, Path], object]
    """Gets the bytes, and a path at which they stand as well."""
    cost: int = 1
    """How much rarer its cases are, since they take longer."""


def formats() -> list[Format]:
    """Return all formats, with their files made anew."""
    read = [*_images(), *_heic(), *_jpegs(), *_sounds(), *_films(), *_shapes(), *_others()]
    return [*read, *_ours(), *_carriers(), *_texts()]


def _decode(data: bytes, path: Path) -> object:
    return signals.decode(data, path, flatten=True).values


def _images() -> list[Format]:
    levels = np.random.default_rng(1).integers(0, 256, (16, 24, 4), np.uint8)
    pictures = {
        mode: Image.fromarray(levels[..., : {"L": 1, "RGB": 3, "RGBA": 4}[mode]].squeeze())
        for mode in ("L", "RGB", "RGBA")
    }
    pictures["P"] = pictures["RGB"].quantize(16)
    pictures["1"] = pictures["L"].convert("1")
    pictures["CMYK"] = pictures["RGB"].convert("CMYK")
    pictures["I;16"] = Image.fromarray(levels[..., 0].astype(np.uint16) * 257)
    found = []
    for kind, suffix in (
        ("PNG", ".png"),
        ("JPEG", ".jpg"),
        ("WEBP", ".webp"),
        ("BMP", ".bmp"),
        ("TIFF", ".tif"),
        ("GIF", ".gif"),
        ("PPM", ".ppm"),
        ("AVIF", ".avif"),
    ):
        written = []
        for picture in pictures.values():
            stream = io.BytesIO()
            with contextlib.suppress(OSError, ValueError, KeyError):  # not of this mode
                picture.save(stream, kind)
                written.append(stream.getvalue())
        found.append(Format(suffix, tuple(written), _decode))
    return found


def _heic() -> list[Format]:
    try:
        import pillow_heif
    except ImportError:
        return []
    pillow_heif.register_heif_opener()
    written = []
    for mode in ("L", "RGB", "RGBA"):
        stream = io.BytesIO()
        Image.effect_noise((24, 16), 40).convert(mode).save(stream, "HEIF")
        written.append(stream.getvalue())
    return [Format(".heic", tuple(written), _decode, 4)]


def _jpegs() -> list[Format]:
    levels = np.random.default_rng(2).integers(0, 256, (24, 40, 4), np.uint8)
    written = []
    for mode, bands in (("L", 1), ("RGB", 3), ("CMYK", 4)):
        picture = Image.fromarray(levels[..., :bands].squeeze(), mode)
        for options in (
            {},
            {"optimize": True},
            {"progressive": True},
            {"restart_marker_blocks": 2},
        ):
            stream = io.BytesIO()
            picture.save(stream, "JPEG", quality=60, **options)
            written.append(stream.getvalue())
            _change(written[-1], Path())  # which compiles what workers run
    return [Format("coefficients", tuple(written), _change)]


def _change(data: bytes, _: Path) -> object:
    """Read coefficients, write them, and change some."""
    with contextlib.suppress(InputError):
        assert jpeg.encode(jpeg.decode(data)) == data
    file = jpeg.decode(data, allow_recompress=True)
    luma = file.components[0].picture
    change = np.arange(luma.size, dtype=np.int16).reshape(luma.shape) % 3 - 1
    up, down = file.open_ways(0)
    change[((change > 0) & ~up) | ((change < 0) & ~down)] = 0
    planes = [luma + change, *[None] * (len(file.components) - 1)]
    stego = jpeg.encode(jpeg.without_metadata(file).with_coefficients(planes))
    again = jpeg.decode(stego).components[0].picture
    assert (again == luma + change).all()
    return stego


def _sounds() -> list[Format]:
    wave = 0.5 * np.sin(np.arange(120) / 5)[:, None]
    kinds = {
        ".wav": [("WAV", each) for each in ("PCM_16", "PCM_U8", "PCM_24", "FLOAT", "ULAW")]
        + [("WAVEX", "PCM_16"), ("RF64", "PCM_16"), ("WAV", "IMA_ADPCM")],
        ".flac": [("FLAC", "PCM_16"), ("FLAC", "PCM_24")],
    }
    found = []
    for suffix, each in kinds.items():
        written = []
        for kind, subtype in each:
            stream = io.BytesIO()
            soundfile.write(stream, wave, 8000, format=kind, subtype=subtype)
            written.append(stream.getvalue())
        found.append(Format(suffix, tuple(written), _decode))
    return found


def _films() -> list[Format]:
    film = signals.clip(3, 16, 24)
    frames = [Image.fromarray(frame) for frame in signals.to_levels(film)]
    stream = io.BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:], duration=40)
    return [
        Format(".mp4", (signals.encode(film, ".mp4"),), _decode, 2),
        Format(".apng", (signals.encode(film, ".apng"),), _decode),
        Format(".gif of frames", (stream.getvalue(),), _named(".gif")),
    ]


def _named(suffix: str) -> Callable[[bytes, Path], object]:
    return lambda data, path: _decode(data, path.with_suffix(suffix))


def _shapes() -> list[Format]:
    box = trimesh.creation.box()
    found = []
    for suffix in (".ply", ".obj", ".stl", ".off"):
        made = box.export(file_type=suffix[1:])
        data = made.encode() if isinstance(made, str) else bytes(made)
        found.append(Format(suffix, (data,), _decode, 8))
    return found


def _others() -> list[Format]:
    return [
        Format(".npy", (signals.encode(signals.blob(6), ".npy"),), _decode),
        Format(".nc", (signals.encode(signals.globe(7, 12), ".nc"),), _decode, 60),
    ]


def _ours() -> list[Format]:
    field = fields.new_field(
        signals.waves(10, 14), architecture="siren", sizes={"width": 8, "depth": 2}, seed=1
    )
    whole = fields.to_bytes(field)
    length = struct.unpack_from("<Q", whole)[0]
    log = b"".join(
        json.dumps({"step": step, "swd": 0.5, "real_swd": 0.1}).encode() + b"\n" for step in (1, 9)
    )
    return [
        Format("field", (whole, whole[: 8 + length]), lambda data, _: fields.from_bytes(data)),
        Format("model", (store.to_bytes(store.load("digits")),), _model, 8),
        Format("weights", (_weights(),), lambda data, _: extract_weights(data, KEY), 20),
        Format("key", (KeyFile(Key.generate()).to_bytes(),), lambda _, path: KeyFile.read(path)),
        Format("checkpoint", (_checkpoint(),), _go_on, 20),
        Format("log", (log,), lambda _, path: logbook.distance_curves(path), 20),
        Format(".zip", (_zip(),), _learn, 4),
        Format(".npz", (_npz(),), lambda _, path: globes(path), 2),
    ]


def _carriers() -> list[Format]:
    """Return files that carry messages, read with the key: their places are foreign too."""
    field = fields.new_field(
        signals.waves(10, 14), architecture="siren", sizes={"width": 24, "depth": 2}, seed=1
    )
    theta = header.decode(fields.to_bytes(field))
    grains = drawing.grains_of(theta.tensors)
    plane = law.compose([Message(b"noon", KEY, ".txt")], drawing.plane_bits(theta.tensors, grains))
    drawn = drawing.draw(theta.tensors, grains, plane)
    carrying = FieldFile(replace(theta.header, grains=grains), drawn).to_bytes()
    grained = fixednet.embed(
        signals.waves(64, 80), b"noon", KEY, config=EmbedConfig(profile="drawn")
    )
    exact = fixednet.embed(signals.waves(32, 40), b"noon", KEY)
    return [
        Format("drawn field", (carrying,), lambda data, _: reveal(header.decode(data), KEY), 4),
        Format("stego.png", (grained.file, exact.file), _extract, 8),
        Format(
            "stego.nc", (fixednet.embed(signals.globe(37, 72), b"noon", KEY).file,), _extract, 60
        ),
    ]


def _extract(data: bytes, path: Path) -> object:
    path.write_bytes(data)
    return fixednet.extract(path, KEY)


def _texts() -> list[Format]:
    """Return what users may get from others beside pictures: jobs and suites."""
    jobs = b"""[all]
command = "embed"
key = "my.key"
[[jobs]]
cover = ["a.png", "b.png"]
message = "letter"
output = "{name}-{number}.png"
profile = "exact"
"""
    table = b"command,cover,message,output,key\nembed,a.png,letter,b.png,my.key\n"
    suites = tuple(path.read_bytes() for path in sorted(SUITES.glob("*.toml"))[:6])
    return [
        Format("jobs.toml", (jobs,), lambda _, path: read_jobs(path)),
        Format("jobs.csv", (table,), lambda _, path: read_jobs(path)),
        Format("suite.toml", suites, lambda _, path: bench.load(str(path))),
    ]


def _weights() -> bytes:
    draws = np.random.default_rng(0)
    some = draws.normal(0, 0.02, (40, 50)).astype(np.float32)
    tensors: dict[str, Any] = {"a": some, "b": some[:20].astype(np.float16), "c": np.arange(9)}
    return embed_weights(safetensors.numpy.save(tensors, {"by": "us"}), b"noon", KEY).file


def _model(data: bytes, path: Path) -> object:
    return store.from_bytes(data, path)


def _checkpoint() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run"
        _fit(path)
        return path.read_bytes()


def _fit(path: Path) -> object:
    return fields.fit(
        signals.waves(12, 12),
        architecture="siren",
        sizes={"width": 8, "depth": 2},
        training=FitConfig(steps=1, seed=1, polish=0),
        checkpoint=path,
    )


def _go_on(_: bytes, path: Path) -> object:
    with contextlib.suppress(InputError):
        checkpoints.start(path)
    return _fit(path)


def _zip() -> bytes:
    picture, stream = io.BytesIO(), io.BytesIO()
    Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3)).save(picture, "PNG")
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(LEAST):
            archive.writestr(f"{number}.png", picture.getvalue())
    return stream.getvalue()


def _learn(_: bytes, path: Path) -> object:
    images = Images(path, 8)
    return images.values(np.arange(len(images)), 8)


def _npz() -> bytes:
    stream = io.BytesIO()
    kelvin = np.full((LEAST, 5, 8), 280, np.float32)
    np.savez_compressed(stream, temperature=kelvin, latitude=np.linspace(90, -90, 5))
    return stream.getvalue()
