"""Blocks: what the 8x8 coefficients of a JPEG stand for, as pixels, and back.

Coefficients lie as rows and columns of blocks, and 64 modes in each, row by row: mode 8 v + u has
the frequency v down and u across. Nothing here rounds or clips, unlike decoders of files.

Source: ITU-T T.81, A.3.3 (the transform).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32, Integer
from numpy.typing import NDArray

from stegfield.jpeg.frame import MODES, SIDE, ZIGZAG

MIDDLE = 128
"""Of 8-bit samples: what a coefficient of 0 stands for."""


def _basis() -> NDArray[np.float64]:
    """Make the orthonormal DCT: a row is a frequency."""
    at = np.arange(SIDE)
    rows = np.cos((2 * at + 1) * at[:, None] * np.pi / (2 * SIDE)) / 2
    rows[0] /= np.sqrt(2)
    waves: NDArray[np.float64] = rows
    return waves


__all__ = ["BASIS", "MODES", "SIDE", "ZIGZAG", "Planes", "Table", "to_coefficients", "to_pixels"]
BASIS = _basis()
Planes = Integer[np.ndarray, "rows columns 64"]
Table = Integer[np.ndarray, " 64"]


def to_pixels(coefficients: Planes, table: Table) -> Float32[np.ndarray, "_height _width"]:
    """Compute the samples that quantised coefficients stand for, on the scale of 0 to 255.

    Args:
        coefficients: Quantised coefficients.
        table: The quantisation step of each mode.
    """
    rows, columns, _ = coefficients.shape
    steps = (coefficients * table.astype(np.float32)).reshape(rows, columns, SIDE, SIDE)
    basis = BASIS.astype(np.float32)
    blocks = (basis.T @ steps.astype(np.float32, copy=False) @ basis).transpose(0, 2, 1, 3)
    pixels: NDArray[np.float32] = blocks.reshape(SIDE * rows, SIDE * columns) + np.float32(MIDDLE)
    return pixels


def to_coefficients(
    pixels: Float[np.ndarray, "height width"], table: Table
) -> Float[np.ndarray, "_rows _columns 64"]:
    """Compute coefficients in quantisation steps, not rounded, in float64.

    Args:
        pixels: Samples on the scale of 0 to 255; both sides are multiples of 8.
        table: The quantisation step of each mode.
    """
    rows, columns = (side // SIDE for side in pixels.shape)
    blocks = (np.asarray(pixels, np.float64) - MIDDLE).reshape(rows, SIDE, columns, SIDE)
    waves = BASIS @ blocks.transpose(0, 2, 1, 3) @ BASIS.T
    steps: NDArray[np.float64] = waves.reshape(rows, columns, MODES) / table
    return steps
