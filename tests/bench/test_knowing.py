from __future__ import annotations

import numpy as np
import pytest

from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.knowing import _distances, _likelihood_ratios, knowing
from stegfield.errors import ConfigError
from stegfield.signals import from_samples
from stegfield.steganalysis import curves


@pytest.mark.parametrize(("moved", "least", "most"), [(0.0, 0.3, 0.7), (0.3, 0.99, 1.0)])
def test_kinds_that_differ_are_told_apart_and_equal_ones_are_not(
    moved: float, least: float, most: float
) -> None:
    rng = np.random.default_rng(0)
    edges = np.linspace(-5, 5, 41)
    counts = np.array(
        [[np.histogram(rng.normal(at, 1, 2000), edges)[0] for at in (0, moved)] for _ in range(40)]
    )
    scores = _likelihood_ratios(counts)
    assert least <= curves.roc(scores[:, 0], scores[:, 1]).auc <= most


def test_distances_are_counted_in_levels() -> None:
    function = from_samples(np.full((8, 8, 3), 100, dtype=np.uint8))
    counts = _distances(from_samples(np.full((8, 8, 3), 103, dtype=np.uint8)), function)
    assert counts.sum() == 8 * 8 * 3
    assert counts.argmax() == pytest.approx(len(counts) / 2 + 3 / 0.2, abs=1)


@pytest.mark.parametrize("wrong", [{"cover": "no such"}, {"method": "paper"}])
def test_what_is_not_known_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"there (are|is) no"):
        knowing(Datasets(None), message_bytes=15, **wrong)  # type: ignore[arg-type]
