"""Quality of hiding one medium in another's field, and of messages in sounds, on real data.

    python benchmarks/media.py --data FOLDER --output results/media.json [--only CASE ...]

FOLDER holds ``faces/seed_triple``, ``audio``, ``climate``, ``video``, ``volumes`` and ``shapes``.
Every pair of media is a case of its own, which replaces its entry of the output; so a run that is
cut off goes on with ``--only`` and the cases that are left. Each is one cover and one secret in the
default SIREN of 8x128, 500 steps of 4,096 points, seed 1.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from measure import Case, arguments, run
from stegfield import fields, fixednet, hiding, signals
from stegfield.config import EmbedConfig, FitConfig
from stegfield.hiding import Secret
from stegfield.keys import Key
from stegfield.signals import Signal, stretched

SEED, STEPS = 1, 500
KEY = Key(bytes(range(32)))
MUSIC_START, MUSIC_SAMPLES = 44_100, 16_384
MESSAGE = 40


def photograph(data: Path) -> Signal:
    """Read the authors' cover, 128x128."""
    return signals.read(data / "faces" / "seed_triple" / "cover.png")


def second_photograph(data: Path) -> Signal:
    """Read the first of their secrets, 128x128."""
    return signals.read(data / "faces" / "seed_triple" / "secret1.jpg")


def music(data: Path) -> Signal:
    """Read 0.37 s of music at 44.1 kHz, 16,384 samples, the second second on."""
    whole = signals.read(data / "audio" / "gt_bach.wav")
    part = whole.natural[MUSIC_START : MUSIC_START + MUSIC_SAMPLES]
    values, span = stretched(part)
    return Signal(values, signals.SOUND, rate=whole.rate, range=span)


def digit(data: Path) -> Signal:
    """Read a spoken digit at 8 kHz, 5,148 samples."""
    return signals.read(data / "audio" / "fsdd" / "0_jackson_0.wav")


def temperatures(data: Path, index: int = 0) -> Signal:
    """Read a field of ERA5 temperatures, 46x90."""
    with np.load(data / "climate" / "era5_t2m_2026-03-25_46x90.npz") as arrays:
        kelvin = arrays["temperature"][index].astype(np.float64)
    return Signal(signals.to_values(kelvin[..., None]), signals.CLIMATE)


def film(data: Path) -> Signal:
    """Read 16 frames of a film, every second pixel: 16x72x88."""
    whole = signals.read(data / "video" / "carphone_pristine.mp4")
    return Signal(whole.values[:16, ::2, ::2], signals.VIDEO, rate=whole.rate)


def tomography(data: Path) -> Signal:
    """Read a CT volume, means of 8x4x4 voxels: 32x32x32."""
    with np.load(data / "volumes" / "stent.npz") as arrays:
        numbers = next(iter(arrays.values())).astype(np.float64)
    means = numbers.reshape(32, 8, 32, 4, 32, 4).mean(axis=(1, 3, 5))
    values, span = stretched(np.rint(means)[..., None] / 32768)
    return Signal(values, signals.VOLUME, range=span)


def bunny(data: Path) -> Signal:
    """Read the Stanford bunny: signed distances on 48x48x48 points."""
    return signals.read(data / "shapes" / "bunny.ply")


COVERS: dict[str, Callable[[Path], Signal]] = {
    "photograph": photograph,
    "music": music,
    "temperatures": temperatures,
    "film": film,
    "tomography": tomography,
    "bunny": bunny,
}
SECRETS: dict[str, Callable[[Path], Signal]] = {
    "photograph": second_photograph,
    "music": music,
    "digit": digit,
    "temperatures": partial(temperatures, index=12),
    "film": film,
    "tomography": tomography,
    "bunny": bunny,
}


def pair(cover: str, secret: str) -> Case:
    """Give a case: one secret in the field of one cover."""

    def case(data: Path) -> dict[str, Any]:
        shown, hidden = COVERS[cover](data), SECRETS[secret](data)
        training = FitConfig(steps=STEPS, seed=SEED)
        result = hiding.hide(shown, [Secret(hidden, KEY)], training=training)
        return {
            "cover": {"medium": shown.medium.name, "size": shown.size, **result.cover.to_json()},
            "secret": {
                "medium": hidden.medium.name,
                "size": hidden.size,
                **result.secrets[0].quality.to_json(),
            },
            "weights": result.field.weight_count(),
            "steps": result.steps,
            "seconds": round(result.seconds, 1),
        }

    return case


def alone(cover: str) -> Case:
    """Give a case: the cover's field when it hides nothing."""

    def case(data: Path) -> dict[str, Any]:
        shown = COVERS[cover](data)
        result = fields.fit(shown, training=FitConfig(steps=STEPS, seed=SEED))
        return {
            "cover": {"medium": shown.medium.name, "size": shown.size, **result.quality.to_json()},
            "weights": result.field.weight_count(),
            "steps": result.steps,
            "seconds": round(result.seconds, 1),
        }

    return case


def messages(data: Path) -> dict[str, Any]:
    """Embed in every recorded sound, at several rates: SNR, PSNR, share of samples changed."""
    paths = sorted((data / "audio").rglob("*.wav"))
    message = np.random.default_rng(SEED).bytes(MESSAGE)
    told: dict[str, Any] = {"sounds": len(paths), "message_bytes": MESSAGE}
    for name, config in (
        ("40 bytes", EmbedConfig()),
        ("0.5 bits a sample", EmbedConfig(bpp=0.5)),
        ("1 bit a sample", EmbedConfig(bpp=1.0)),
        ("1 bit a sample, flat", EmbedConfig(bpp=1.0, flat=True)),
    ):
        results = [fixednet.embed(signals.read(p), message, KEY, config=config) for p in paths]
        figures = [result.to_json() for result in results]
        wrong = sum(
            fixednet.extract(signals.decode(result.file, Path("x.wav")), KEY) != message
            for result in results
        )
        told[name] = {
            "wrong": wrong,
            "mean_snr_db": round(statistics.mean(each["snr_db"] for each in figures), 2),
            "worst_snr_db": round(min(each["snr_db"] for each in figures), 2),
            "mean_psnr_db": round(statistics.mean(each["psnr_db"] for each in figures), 2),
            "largest": max(each["largest"] for each in figures),
            "changed": round(statistics.mean(each["changed"] for each in figures), 4),
        }
    return told


CASES: dict[str, Case] = {
    "messages": messages,
    **{f"{cover} alone": alone(cover) for cover in COVERS},
    **{
        f"{secret} in {cover}": pair(cover, secret)
        for cover in COVERS
        for secret in SECRETS
        if COVERS[cover] is not SECRETS[secret]
    },
}


def main() -> None:
    """Measure the cases that are named, or all of them."""
    given = arguments(__doc__, CASES, Path("results/media.json")).parse_args()
    run(CASES, given.only, given.data, given.output)


if __name__ == "__main__":
    main()
