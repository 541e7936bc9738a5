from __future__ import annotations

import numpy as np
import pytest

from stegfield.generative import digits


def test_digits_are_digits() -> None:
    pytest.importorskip("sklearn")
    examples = digits()
    grids = examples.grids(np.arange(len(examples)))
    assert grids.shape == (1797, 8, 8, 1)
    assert (float(grids.min()), float(grids.max())) == (-1, 1)
