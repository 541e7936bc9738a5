"""The quality setting that a JPEG file's quantisation table comes from.

Most encoders scale the tables of T.81, K.1 by their quality setting, as the encoder of the
Independent JPEG Group does.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64
from numpy.typing import NDArray

from stegfield.jpeg.files import JpegFile
from stegfield.jpeg.frame import MODES

QUALITIES = range(1, 101)
LARGEST_STEP = 255
LUMA = np.array(
    [
        *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55),
        *(14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62),
        *(18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
        *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
    ]
)
"""Quantisation steps of luma at quality 50: T.81, table K.1."""


def luma_table(quality: int) -> Int64[np.ndarray, " 64"]:
    """Return the quantisation steps of luma at a quality, in the order of modes.

    Args:
        quality: From 1 to 100.
    """
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    steps: NDArray[np.int64] = ((LUMA * scale + 50) // 100).clip(1, LARGEST_STEP)
    return steps


def estimated_quality(file: JpegFile) -> int:
    """Return the quality whose table for luma is nearest to the file's.

    Nearest by the mean ratio of steps; the table is exactly that one if the encoder scales the
    tables of T.81.
    """
    table = np.maximum(file.components[0].table, 1)
    ratios = [np.abs(np.log(luma_table(each) / table)).sum() / MODES for each in QUALITIES]
    # of several qualities with one table, the highest: 100 rather than 99 where all steps are 1
    return int(QUALITIES[-1] - int(np.argmin(ratios[::-1])))
