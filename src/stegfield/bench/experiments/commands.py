"""Commands: seconds and peak memory of `stegfield` as it is run, imports included."""

from __future__ import annotations

import re
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from stegfield import fields, fixednet, generative, hiding, signals
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.found import Found
from stegfield.bench.measuring import command, timed
from stegfield.bench.results import Figure
from stegfield.config import FitConfig
from stegfield.errors import ConfigError, StegfieldError
from stegfield.hiding import Secret
from stegfield.keys import Key, KeyFile
from stegfield.metrics import Samples
from stegfield.signals import waves

KEY = Key(bytes(range(32)))
SMALLEST = 64
"""Rows and columns of the image that memory growth is measured from."""


def embedding_commands(
    data: Datasets, *, dataset: str, size: str, image: int = 4, rate: int = 1
) -> Found:
    """Embed and extract by commands, in an image of a size and in one of 64x64.

    Args:
        data: Where the image comes from.
        dataset: A set; one image of it is repeated as tiles.
        size: Size of the cover, as ``columns x rows`` without spaces.
        image: Which image.
        rate: Bits a pixel that the message fills.

    Raises:
        ConfigError: The size is not of this form.
    """
    numbers = re.fullmatch(r"(\d+)x(\d+)", size)
    if numbers is None:
        raise ConfigError(f"size is columns x rows, such as 768x512, got {size}")
    columns, rows = map(int, numbers.groups())
    samples = signals.to_samples(data.image(dataset, image))
    least = _both_ways(samples, SMALLEST, SMALLEST, rate)
    more = rows * columns - SMALLEST**2
    if not more:
        return Found(least)
    most = _both_ways(samples, rows, columns, rate)
    slope = 1e6 * (most["embed_seconds"] - least["embed_seconds"]) / more
    return Found(most | {"seconds_a_megapixel": slope})


def _both_ways(samples: Samples, rows: int, columns: int, rate: int) -> dict[str, float]:
    tiles = [-(-size // have) for size, have in zip((rows, columns), samples.shape, strict=False)]
    cover = signals.from_samples(np.tile(samples, (*tiles, 1))[:rows, :columns])
    length = fixednet.capacity(cover)["exact"][f"{rate} bpp"]
    message = np.random.default_rng(0).bytes(length)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        KeyFile(KEY).write(folder / "key")
        (folder / "cover.png").write_bytes(signals.to_png(cover))
        (folder / "message").write_bytes(message)
        key = ("--key", folder / "key", "--force")
        both, out = (folder / "cover.png", folder / "message"), folder / "stego.png"
        written = command("embed", *both, "-o", out, "--bpp", str(rate), *key)
        read = command("extract", out, "-o", folder / "again", *key)
        if (folder / "again").read_bytes() != message:
            raise StegfieldError("a message came back wrong")
    return {
        "pixels": rows * columns,
        "message_bytes": length,
        "embed_seconds": written.seconds,
        "embed_megabytes": written.peak_megabytes,
        "extract_seconds": read.seconds,
        "extract_megabytes": read.peak_megabytes,
    }


def hiding_command(
    data: Datasets, *, dataset: str, field: str, resolution: int = 256, steps: int = 30
) -> Found:
    """Hide two images by the command, and measure its peak memory.

    Args:
        data: Where the images come from.
        dataset: A set of them.
        field: The architecture.
        resolution: Rows and columns.
        steps: Training steps.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        secrets: list[str | Path] = []
        for at in range(3):
            image = data.image(dataset, at, resolution)
            (folder / f"{at}.png").write_bytes(signals.to_png(image))
            if at:
                KeyFile(Key(bytes([at]) * 32)).write(folder / f"{at}.key")
                secrets += ["--secret", folder / f"{at}.png", folder / f"{at}.key"]
        how = ("--field", field, "--steps", str(steps))
        done = command(
            "hide", "--as", "functions", folder / "0.png", "-o", folder / "field", *how, *secrets
        )
    return Found({"seconds": done.seconds, "megabytes": done.peak_megabytes})


def revealing(data: Datasets, *, field: str, resolution: int = 128, large: int = 2048) -> Found:
    """Reveal a secret, and render a field larger: as calls, and as commands.

    Args:
        data: Not used.
        field: The architecture.
        resolution: Rows and columns of what is revealed.
        large: Rows and columns of what is rendered.
    """
    cover, secret = (waves(resolution, resolution, phase=phase) for phase in (0.0, 1.0))
    training = FitConfig(steps=2, seed=1)
    made = hiding.hide_functions(
        cover, [Secret(secret, KEY)], architecture=field, training=training
    ).field
    size = (large, large)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path, out = folder / "field.safetensors", ("-o", folder / "out.png", "--force")
        fields.save(path, made)
        KeyFile(KEY).write(folder / "key")
        rendered = command("render", path, *out, "--size", f"{large}x{large}")
        revealed = command("reveal", path, *out, "--key", folder / "key")
    return Found(
        {
            "reveal_seconds": timed(5, partial(hiding.reveal_function, made, KEY)),
            "render_seconds": timed(3, partial(fields.render, made, size)),
            "reveal_command_seconds": revealed.seconds,
            "reveal_command_megabytes": revealed.peak_megabytes,
            "render_command_seconds": rendered.seconds,
            "render_command_megabytes": rendered.peak_megabytes,
        }
    )


def generating_covers(
    data: Datasets, *, model: str, resolution: int = 64, large: int = 1024
) -> Found:
    """Load a model and generate covers; the larger one as a command as well.

    Args:
        data: Not used.
        model: A model that ships with the package.
        resolution: Points along each side of a cover.
        large: Points along each side of the larger one.
    """
    source = generative.load(model)
    figures: dict[str, Figure] = {
        "load_seconds": timed(9, lambda: generative.load(model)),
        "cover_seconds": timed(21, lambda: generative.generate(source, size=(resolution,) * 2)),
        "large_cover_seconds": timed(3, lambda: generative.generate(source, size=(large, large))),
    }
    with tempfile.TemporaryDirectory() as folder:
        out = ("-o", f"{folder}/large.png", "--size", str(large))
        done = command("generate", model, "--seed", "1", *out)
    return Found(
        figures
        | {"large_command_seconds": done.seconds, "large_command_megabytes": done.peak_megabytes}
    )
