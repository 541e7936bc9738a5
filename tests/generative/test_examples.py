from __future__ import annotations

import pytest
import torch

from stegfield.generative import Arrays


@pytest.mark.parametrize("count", [16, 100, 101])
def test_every_example_is_for_training_or_kept_from_it(count: int) -> None:
    examples = Arrays(torch.zeros(count, 4, 4, 1))
    training, held_out = examples.training().tolist(), examples.held_out().tolist()
    assert sorted(training + held_out) == list(range(count))
    assert len(held_out) == count // 10
