"""Judging models against examples, in bounded memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from stegfield import generative
from stegfield.errors import ConfigError
from stegfield.generative import Arrays
from stegfield.generative.judging import judge
from stegfield.generative.model import Model


class Counted(Arrays):
    """Digits made up, that note how many were asked for at once, and which."""

    def __init__(self, count: int) -> None:
        values = torch.rand(count, 8, 8, 1, generator=torch.Generator().manual_seed(1)) * 2 - 1
        super().__init__(values)
        self.asked: list[Int64[np.ndarray, " batch"]] = []

    def grids(self, index: Int64[np.ndarray, " batch"]) -> Float[Tensor, "batch rows cols values"]:
        self.asked.append(index)
        return super().grids(index)


@pytest.fixture(scope="module")
def model() -> Model:
    return generative.load("digits")


def test_no_more_than_fits_is_in_memory_at_once(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    sample = Model.sample

    def counted(self: Model, latents: Tensor, size: Any) -> Tensor:
        drawn.append(len(latents))
        return sample(self, latents, size)

    monkeypatch.setattr(Model, "sample", counted)
    monkeypatch.setattr("stegfield.generative.judging.MOST_BYTES", 40 * 8 * 8 * 4)
    examples = Counted(600)
    report = judge(model, examples, count=1000).report
    assert max(map(len, examples.asked)) == 40
    assert drawn == [20]
    assert (report.samples, report.reference, report.training) == (20, 20, 540)
    assert not report.trained_anchors
    # every example of the training is looked at, and held-out ones stay apart
    seen = np.unique(np.concatenate([index for index in examples.asked if index[0] % 10 != 9]))
    assert seen.tolist() == examples.training().tolist()


def test_no_more_is_generated_than_is_measured(model: Model) -> None:
    report = judge(model, Counted(2000), count=30).report
    assert (report.samples, report.reference) == (30, 170)


def test_where_few_were_held_out_the_training_makes_the_anchors(model: Model) -> None:
    examples = Counted(120)
    report = judge(model, examples, count=60).report
    assert (report.samples, report.reference, report.training) == (60, 12, 108)
    assert report.trained_anchors
    assert report.real.least_training > 0
    again = judge(model, Counted(120), count=60).report
    assert again == report
    assert judge(model, Counted(120), count=60, seed=1).report != report


def test_neighbours_are_looked_for_among_examples_of_all_kinds(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stegfield.generative.judging.MOST_TRAINING", 100)
    asked = []
    for seed in (0, 0, 1):
        examples = Counted(600)
        assert judge(model, examples, count=20, seed=seed).report.training == 100
        parts = [index for index in examples.asked if index[0] % 10 != 9]
        asked.append(np.unique(np.concatenate(parts)))
    assert len(asked[0]) == 100
    assert 200 < asked[0].mean() < 400
    assert (asked[0] == asked[1]).all()
    assert (asked[0] != asked[2]).any()


def test_examples_of_another_size_are_refused(model: Model) -> None:
    with pytest.raises(ConfigError, match="differ in size"):
        judge(model, Arrays(torch.rand(200, 16, 16, 1)))
