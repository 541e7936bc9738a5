"""Draw docs/media.png: a photograph's field that hides a sound and a film.

    python benchmarks/media_picture.py --data FOLDER [--output docs/media.png]

FOLDER holds ``images/usgov_photos`` (works of the US government, free to ship), of which one is the
cover and another one the film, a pan across it; and ``audio``, whose music is from a collection
under the MIT licence.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from media import music
from stegfield import fields, hiding, pictures, signals
from stegfield.config import FitConfig
from stegfield.hiding import Secret
from stegfield.keys import Key
from stegfield.metrics import SoundQuality
from stegfield.signals import Signal

ALICE, BOB = Key(b"a" * 32), Key(b"b" * 32)
STEPS = 800
FRAMES, ROWS, COLUMNS, PAN = 12, 54, 72, 3
WINDOW, HOP = 256, 64
DECIBELS = 80.0


def pan(photograph: Signal) -> Signal:
    """Film a photograph from left to right."""
    still = signals.resize(photograph, COLUMNS + FRAMES * PAN + 30)
    frames = [
        still.values[10 : 10 + ROWS, PAN * frame : PAN * frame + COLUMNS] for frame in range(FRAMES)
    ]
    return Signal(np.stack(frames), signals.VIDEO, rate=12.0)


def spectrogram(sound: Signal) -> UInt8[np.ndarray, "rows columns 1"]:
    """Draw the power of short pieces of a sound in decibels, low frequencies at the bottom."""
    samples = signals.to_levels(sound)[:, 0].astype(np.float64)
    pieces = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP] * np.hanning(WINDOW)
    power = 20 * np.log10(np.abs(np.fft.rfft(pieces)) + 1)
    loudest = power.max()
    shares = ((power - loudest) / DECIBELS + 1).clip(0, 1)
    drawn: UInt8[np.ndarray, "rows columns 1"] = (255 * shares.T[::-1]).astype(np.uint8)[..., None]
    return drawn


def main() -> None:
    """Hide, reveal, and draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=Path("docs/media.png"))
    given = parser.parse_args()
    photographs = sorted((given.data / "images" / "usgov_photos").glob("*.jpg"))
    cover = replace(signals.resize(signals.read(photographs[0]), 128), origin=None)
    film, sound = pan(signals.read(photographs[1])), music(given.data)
    result = hiding.hide(
        cover,
        [Secret(sound, ALICE), Secret(film, BOB)],
        training=FitConfig(steps=STEPS, seed=1),
    )
    shown = [hiding.reveal(result.field, key).signal for key in (ALICE, BOB)]
    heard, seen = (secret.quality for secret in result.secrets)
    ratio = heard.snr_db if isinstance(heard, SoundQuality) else heard.psnr_db
    frames = [signals.to_levels(each)[:: FRAMES // 3] for each in (film, shown[1])]
    render = signals.to_samples(fields.render(result.field))
    first = [
        pictures.Tile(render, f"what everyone sees\nPSNR {result.cover.psnr_db:.1f} dB"),
        pictures.Tile(spectrogram(sound), "a sound, 0 to 22 kHz, 0.37 s"),
        pictures.Tile(spectrogram(shown[0]), f"as a key reveals it\nSNR {ratio:.1f} dB"),
    ]
    captions = [f"a film of {FRAMES} frames", "", ""]
    second = [pictures.Tile(f, c) for f, c in zip(frames[0], captions, strict=True)]
    captions = [f"as another key reveals it\nPSNR {seen.psnr_db:.1f} dB", "", ""]
    third = [pictures.Tile(f, c) for f, c in zip(frames[1], captions, strict=True)]
    given.output.write_bytes(pictures.sheet([first, second, third]))
    print(result.cover.psnr_db, ratio, seen.psnr_db, result.steps, round(result.seconds))


if __name__ == "__main__":
    main()
