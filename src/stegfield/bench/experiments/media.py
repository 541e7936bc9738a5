"""Media: one medium hidden in another's field, and messages in sounds."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from stegfield import fields, fixednet, hiding, pictures, signals
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.found import Found
from stegfield.bench.results import Figure
from stegfield.config import EmbedConfig, FitConfig
from stegfield.errors import ConfigError
from stegfield.hiding import Secret
from stegfield.keys import Key
from stegfield.metrics import AnyQuality, SoundQuality
from stegfield.signals import Signal, chords, clip, stretched

SEED = 1
KEY, OTHER_KEY = Key(b"a" * 32), Key(b"b" * 32)
MUSIC_START, MUSIC_SAMPLES = 44_100, 16_384
NOTHING = "nothing"
FRAMES, ROWS, COLUMNS, PAN, MARGIN = 12, 54, 72, 3, 30
WINDOW, HOP = 256, 64
DECIBELS = 80.0


def photograph(data: Datasets, index: int = 0) -> Signal:
    """Read an image of StegaINR4MIH's authors, 128x128."""
    return data.image("seed_triple", index)


def music(data: Datasets) -> Signal:
    """Read 0.37 s of music at 44.1 kHz, 16,384 samples, the second second on."""
    whole = signals.read(data.path("audio", "gt_bach.wav"))
    part = whole.natural[MUSIC_START : MUSIC_START + MUSIC_SAMPLES]
    values, span = stretched(part)
    return replace(whole, values=values, range=span, origin=None)


def digit(data: Datasets) -> Signal:
    """Read a spoken digit at 8 kHz, 5,148 samples."""
    return signals.read(data.path("audio", "fsdd", "0_jackson_0.wav"))


def temperatures(data: Datasets, index: int = 0) -> Signal:
    """Read a field of ERA5 temperatures, 46x90."""
    with np.load(data.path("climate", "era5_t2m_2026-03-25_46x90.npz")) as arrays:
        kelvin = arrays["temperature"][index].astype(np.float64)
    return Signal(signals.to_values(kelvin[..., None]), signals.CLIMATE)


def film(data: Datasets) -> Signal:
    """Read 16 frames of a film, every second pixel: 16x72x88."""
    whole = signals.read(data.path("video", "carphone_pristine.mp4"))
    return replace(whole, values=whole.values[:16, ::2, ::2], origin=None)


def tomography(data: Datasets) -> Signal:
    """Read a CT volume, means of 8x4x4 voxels: 32x32x32."""
    with np.load(data.path("volumes", "stent.npz")) as arrays:
        numbers = next(iter(arrays.values())).astype(np.float64)
    means = numbers.reshape(32, 8, 32, 4, 32, 4).mean(axis=(1, 3, 5))
    values, span = stretched(np.rint(means)[..., None] / 32768)
    return Signal(values, signals.VOLUME, range=span)


def bunny(data: Datasets) -> Signal:
    """Read the Stanford bunny: signed distances on 48x48x48 points."""
    return signals.read(data.path("shapes", "bunny.ply"))


Reader = Callable[[Datasets], Signal]
SYNTHETIC: dict[str, Reader] = {
    "made picture": lambda data: data.image("photographs", 0, 32),
    "made sound": lambda data: chords(2048),
    "made film": lambda data: clip(4, 16, 16),
}
"""Signals that need no data folder."""
COVERS: dict[str, Reader] = {
    "photograph": photograph,
    "music": music,
    "temperatures": temperatures,
    "film": film,
    "tomography": tomography,
    "bunny": bunny,
    **SYNTHETIC,
}
SECRETS: dict[str, Reader] = {
    **COVERS,
    "photograph": partial(photograph, index=1),
    "digit": digit,
    "temperatures": partial(temperatures, index=12),
}


def pairing(data: Datasets, *, cover: str, secret: str, steps: int = 500) -> Found:
    """Hide one medium in another's field, or nothing, and measure what the field shows of both.

    Args:
        data: Where the signals come from.
        cover: One of `COVERS`.
        secret: One of `SECRETS`, or ``nothing``.
        steps: Training steps.
    """
    shown = _known(COVERS, cover)(data)
    training = FitConfig(steps=steps, seed=SEED)
    if secret == NOTHING:
        fitted = fields.fit(shown, training=training)
        return Found(
            _named("cover", fitted.quality)
            | {"weights": fitted.field.weight_count(), "seconds": fitted.seconds}
        )
    hidden = Secret(_known(SECRETS, secret)(data), KEY)
    result = hiding.hide_functions(shown, [hidden], training=training)
    return Found(
        _named("secret", result.secrets[0].quality)
        | _named("cover", result.cover)
        | {"weights": result.field.weight_count(), "seconds": result.seconds}
    )


def _known(readers: dict[str, Reader], name: str) -> Reader:
    if name not in readers:
        raise ConfigError(f"there is no signal {name!r}", hint=f"try {', '.join(readers)}")
    return readers[name]


def _named(who: str, quality: AnyQuality) -> dict[str, Figure]:
    return {f"{who}_{name}": value for name, value in asdict(quality).items()}


def sounding(
    data: Datasets,
    *,
    method: str,
    rate: float = 0.0,
    message_bytes: int = 40,
    made: bool = False,
) -> Found:
    """Embed a message in every recorded sound; measure SNR, PSNR and changed samples.

    Args:
        data: Where the sounds come from.
        method: ours, or ours with all changes at the same cost (flat).
        rate: Bits a sample; 0 takes as many as the message needs.
        message_bytes: Length of the message.
        made: Take a synthetic sound, which needs no data folder.
    """
    if method not in ("ours", "ours, flat"):
        raise ConfigError(f"there is no method {method!r} for sounds", hint="ours, or ours, flat")
    flat = method != "ours"
    config = EmbedConfig(bpp=float(rate), flat=flat) if rate else EmbedConfig(flat=flat)
    message = np.random.default_rng(SEED).bytes(message_bytes)
    sounds = [chords(8192)] if made else _recorded(data)
    results = [fixednet.embed(sound, message, KEY, config=config) for sound in sounds]
    found = [each.quality for each in results if isinstance(each.quality, SoundQuality)]
    wrong = sum(
        fixednet.extract(signals.decode(each.file, Path("x.wav")), KEY) != message
        for each in results
    )
    return Found(
        {
            "sounds": len(results),
            "wrong_messages": wrong,
            "snr_db": statistics.mean(each.snr_db for each in found),
            "worst_snr_db": min(each.snr_db for each in found),
            "psnr_db": statistics.mean(each.psnr_db for each in found),
            "largest": max(each.largest for each in found),
            "changed_percent": 100 * statistics.mean(each.changed for each in results),
        }
    )


def _recorded(data: Datasets) -> list[Signal]:
    return [signals.read(path) for path in sorted(data.path("audio").rglob("*.wav"))]


def hiding_media(data: Datasets, *, dataset: str = "usgov", steps: int = 800) -> Found:
    """Hide a sound and a film in a photograph's field, and draw what each key reveals.

    Args:
        data: Where the signals come from; without music, the sound is synthetic.
        dataset: A set of photographs: the first is the cover, the second is filmed in a pan.
        steps: Training steps.
    """
    still = data.image(dataset, 0, None)
    cover = replace(signals.resize(still, 128), origin=None)
    moving = _pan(data.image(dataset, 1, None))
    sound = chords(MUSIC_SAMPLES) if dataset == "photographs" else music(data)
    result = hiding.hide_functions(
        cover,
        [Secret(sound, KEY), Secret(moving, OTHER_KEY)],
        training=FitConfig(steps=steps, seed=SEED),
    )
    heard, seen = (hiding.reveal_function(result.field, key).signal for key in (KEY, OTHER_KEY))
    snr = result.secrets[0].quality
    ratio = snr.snr_db if isinstance(snr, SoundQuality) else snr.psnr_db
    film_db = result.secrets[1].quality.psnr_db
    render = signals.to_samples(fields.render(result.field))
    rows = [
        [
            pictures.Tile(render, f"what everyone sees\nPSNR {result.cover.psnr_db:.1f} dB"),
            pictures.Tile(_spectrogram(sound), "a sound, 0.37 s"),
            pictures.Tile(_spectrogram(heard), f"as a key reveals it\nSNR {ratio:.1f} dB"),
        ],
        _frames(moving, f"a film of {FRAMES} frames"),
        _frames(seen, f"as another key reveals it\nPSNR {film_db:.1f} dB"),
    ]
    figures = {"cover_psnr_db": result.cover.psnr_db, "sound_snr_db": ratio}
    return Found(figures | {"film_psnr_db": film_db}, {"media": pictures.sheet(rows)})


def _pan(photograph: Signal) -> Signal:
    """Film a photograph from left to right."""
    still = signals.resize(photograph, COLUMNS + FRAMES * PAN + MARGIN)
    frames = [
        still.values[10 : 10 + ROWS, PAN * frame : PAN * frame + COLUMNS] for frame in range(FRAMES)
    ]
    return Signal(np.stack(frames), signals.VIDEO, rate=12.0)


def _frames(film: Signal, caption: str) -> list[pictures.Tile]:
    some = signals.to_levels(film)[:: FRAMES // 3]
    captions = [caption] + [""] * (len(some) - 1)
    return [pictures.Tile(frame, text) for frame, text in zip(some, captions, strict=True)]


def _spectrogram(sound: Signal) -> UInt8[np.ndarray, "rows columns 1"]:
    """Draw the power of short pieces of a sound in decibels, low frequencies at the bottom."""
    samples = signals.to_levels(sound)[:, 0].astype(np.float64)
    pieces = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP] * np.hanning(WINDOW)
    power = 20 * np.log10(np.abs(np.fft.rfft(pieces)) + 1)
    shares = ((power - power.max()) / DECIBELS + 1).clip(0, 1)
    drawn: UInt8[np.ndarray, "rows columns 1"] = (255 * shares.T[::-1]).astype(np.uint8)[..., None]
    return drawn
