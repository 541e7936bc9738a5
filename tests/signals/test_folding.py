from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stegfield.signals import Layout, Signal, equal_area, fold, unfold

# dictionaries: beartype looks at an entry of a tuple at random, which a strategy may not
layouts = st.fixed_dictionaries(
    {
        "size": st.lists(st.integers(1, 9), min_size=1, max_size=3).map(tuple),
        "channels": st.integers(1, 3),
        "parts": st.integers(1, 3),
        "within": st.lists(st.integers(1, 90), min_size=1, max_size=3).map(tuple),
    }
)


def numbered(layout: Layout) -> Signal:
    count = math.prod(layout.size) * layout.channels
    return Signal(torch.arange(count).float().view(*layout.size, layout.channels))


@given(layouts)
def test_unfolding_undoes_folding(facts: dict[str, Any]) -> None:
    layout = Layout(**facts)
    signal = numbered(layout)
    assert torch.equal(unfold(fold(signal, layout), layout, "image").values, signal.values)


@given(layouts)
def test_a_folded_signal_has_the_axes_and_channels_that_were_asked_for(
    facts: dict[str, Any],
) -> None:
    layout = Layout(**facts)
    folded = fold(numbered(layout), layout)
    assert len(folded.size) == len(layout.within)
    assert folded.channels == layout.parts


@given(st.integers(1, 400))
def test_neighbours_on_a_line_stay_neighbours_in_rows(length: int) -> None:
    places = Layout(size=(length,), channels=1, parts=1, within=(7, 7)).places()[..., 0]
    for number in range(length - 1):
        here, there = (np.argwhere(places == each) for each in (number, number + 1))
        assert np.abs(here[:, None] - there).sum(-1).min() == 1
    assert places.shape[0] <= places.shape[1] <= places.shape[0] + 3


@pytest.mark.parametrize("axes", [1, 2])
def test_slices_agree_where_their_tiles_meet(axes: int) -> None:
    ramps = torch.linspace(-1, 1, 7)[:, None] * torch.linspace(-1, 1, 9)
    volume = Signal(ramps.expand(12, 7, 9)[..., None])  # twelve equal slices
    folded = fold(volume, Layout(size=(12, 7, 9), channels=1, parts=1, within=(9,) * axes)).values
    largest = volume.values.diff(dim=1).abs().max().item()
    for axis in range(axes):
        assert folded.diff(dim=axis).abs().max().item() <= largest + 1e-6


def test_the_mean_of_all_places_of_a_value_is_taken() -> None:
    layout = Layout(size=(5,), channels=1, parts=1, within=(7, 7))
    folded = fold(numbered(layout), layout)
    places = layout.places().reshape(-1)
    assert (places == 4).sum() == 2
    first = int((places == 4).argmax())
    folded.values.view(-1)[first] += 1
    assert unfold(folded, layout, "sound").values[4].item() == pytest.approx(4.5)


@given(st.integers(1, 30), st.integers(1, 30))
def test_folded_rows_on_the_globe_have_equal_area_and_leave_out_the_poles(
    rows: int, columns: int
) -> None:
    at = equal_area((rows, columns)).double()
    assert torch.allclose(at.norm(dim=1), torch.ones(rows * columns, dtype=torch.float64))
    heights = at[:, 2].view(rows, columns)[:, 0]
    assert torch.allclose(heights.diff(), torch.full((rows - 1,), 2 / rows).double(), atol=1e-6)
    assert at[:, 2].abs().max() < 1
    stop = rows * columns // 2 + 1
    assert torch.equal(equal_area((rows, columns), 1, stop), equal_area((rows, columns))[1:stop])
