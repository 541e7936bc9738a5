"""DCTR: features of a decoded JPEG, by which detectors learn changes of its coefficients.

The picture is filtered with the 64 pictures of the DCT at every place, not only on the grid of the
file. A change of one coefficient shows in many of these responses, each at its own place relative
to the grid. So their magnitudes are counted by place: 64 filters, 25 places after mirror places are
put together, and 5 magnitudes make 8,000 features.

Source: Holub and Fridrich (2015), "Low-Complexity Features for JPEG Steganalysis Using
Undecimated DCT", with their truncation at 4 and their step for a quality.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32
from numpy.typing import NDArray

from stegfield.carriers.blocks import BASIS, MODES, SIDE

LARGEST = 4
"""Magnitude, in steps, from which on all responses count as one."""
FOLD = np.array([0, 1, 2, 3, 4, 3, 2, 1])
"""Places along an axis, of which those at equal distances from the grid are put together."""
PLACES = 25


def step_of(quality: int) -> float:
    """Return the step that responses are quantised with, for a JPEG quality of 50 or more."""
    return SIDE * (2 - quality / 50)


def dctr(pixels: Float[np.ndarray, "height width"], step: float) -> Float32[np.ndarray, " 8000"]:
    """Compute the features of a picture whose upper left corner is on the grid.

    Args:
        pixels: Samples of the decoded luma, not rounded.
        step: What responses are divided by, in grey levels (see `step_of`).
    """
    basis = BASIS.astype(np.float32)
    down = _filtered((pixels / step).astype(np.float32).T, basis)  # frequency, columns, rows
    rows, columns = down.shape[2], down.shape[1] - SIDE + 1
    ends = FOLD[np.arange(rows) % SIDE][:, None] * 5 + FOLD[np.arange(columns) % SIDE]
    at = ends.astype(np.int64) * (LARGEST + 1)
    total = np.bincount(ends.reshape(-1), minlength=PLACES).repeat(LARGEST + 1)
    counts = np.empty((MODES, PLACES * (LARGEST + 1)), np.float32)
    for v in range(SIDE):
        both = _filtered(np.ascontiguousarray(down[v].T), basis)
        for u in range(SIDE):
            size = np.minimum(np.rint(np.abs(both[u])), LARGEST).astype(np.int64)
            found = np.bincount((at + size).reshape(-1), minlength=counts.shape[1])
            counts[SIDE * v + u] = found / total
    return counts.reshape(-1)


def _filtered(values: NDArray[np.float32], basis: NDArray[np.float32]) -> NDArray[np.float32]:
    """Correlate each row with each wave of the DCT: frequency, rows, columns less 7."""
    windows = np.lib.stride_tricks.sliding_window_view(values, SIDE, axis=1)
    found: NDArray[np.float32] = np.moveaxis(windows @ basis.T, 2, 0)
    return found
