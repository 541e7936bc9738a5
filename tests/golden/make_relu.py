"""Write relu.json: the weights and logits of ReLU networks, worked out in numpy.

Run it only for a new version of the network. Of stegfield it uses the noise of a key alone, which
has vectors of its own (`make_keys.py`).
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stegfield.keys import IMAGE_SALT, Key

CASES = [(bytes(range(32)), 0, 3), (bytes(range(32)), 9, 3), (bytes(32), 0, 1)]
UNITS, DEPTH = 128, 4
ROWS, COLUMNS = 5, 4


def tensors(key: Key, seed_index: int, channels: int) -> dict[str, NDArray[np.float64]]:
    """Draw the tensors of a network, name by name."""
    drawn = {}
    for layer, (outputs, inputs) in enumerate(
        [(UNITS, channels), (UNITS, UNITS), (UNITS, UNITS), (DEPTH, UNITS)]
    ):
        label = f"relu/{channels}/{seed_index}/{layer}"
        noise = key.stream(f"{label}/weight", salt=IMAGE_SALT)
        drawn[f"weight{layer}"] = noise.normal(outputs * inputs * 9).reshape(outputs, inputs, 3, 3)
        if outputs == UNITS:
            drawn[f"scale{layer}"] = key.stream(f"{label}/scale", salt=IMAGE_SALT).normal(outputs)
    return drawn


def logits(
    image: NDArray[np.float64], drawn: dict[str, NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Send an image (rows, columns, channels) with values in [0, 1] through the network."""
    values = image
    for layer in range(4):
        values = convolve(values, drawn[f"weight{layer}"])
        if f"scale{layer}" in drawn:
            values = np.where(values > 0, values, 0.01 * values)
            mean, variance = values.mean(axis=(0, 1)), values.var(axis=(0, 1))
            values = (values - mean) / np.sqrt(variance + 1e-5) * drawn[f"scale{layer}"]
    return values


def convolve(values: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slide a 3x3 kernel over values that are 0 outside."""
    rows, columns, _ = values.shape
    padded = np.pad(values, ((1, 1), (1, 1), (0, 0)))
    out = np.zeros((rows, columns, len(weight)))
    for row in range(3):
        for column in range(3):
            seen = padded[row : row + rows, column : column + columns]
            out += seen @ weight[:, :, row, column].T
    return out


def case(secret: bytes, seed_index: int, channels: int) -> dict[str, Any]:
    """Work out one vector."""
    drawn = tensors(Key(secret), seed_index, channels)
    levels = np.arange(ROWS * COLUMNS * channels) * 37 % 256
    image = (levels / 255).reshape(ROWS, COLUMNS, channels)
    return {
        "key": secret.hex(),
        "seed_index": seed_index,
        "levels": levels.reshape(image.shape).tolist(),
        "sha256": {
            name: hashlib.sha256(values.astype("<f4").tobytes()).hexdigest()
            for name, values in drawn.items()
        },
        "logits": logits(image, drawn).round(6).tolist(),
    }


if __name__ == "__main__":
    vectors = [case(*given) for given in CASES]
    Path(__file__).with_name("relu.json").write_text(json.dumps(vectors, indent=1) + "\n")
