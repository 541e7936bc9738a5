from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stegfield.signals import IMAGE, SOUND, VOLUME, Layout, Signal, equal_area, fold, unfold

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
    values = np.arange(count, dtype=np.float32).reshape(*layout.size, layout.channels)
    return Signal(values, (SOUND, IMAGE, VOLUME)[len(layout.size) - 1])


@given(layouts)
def test_unfolding_undoes_folding(facts: dict[str, Any]) -> None:
    layout = Layout(**facts)
    signal = numbered(layout)
    back = unfold(fold(signal, layout), layout, signal.medium)
    assert back.medium is signal.medium
    assert np.array_equal(back.values, signal.values)


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
    ramps = np.linspace(-1, 1, 7)[:, None] * np.linspace(-1, 1, 9)
    volume = Signal(np.broadcast_to(ramps, (12, 7, 9))[..., None], VOLUME)  # twelve equal slices
    folded = fold(volume, Layout(size=(12, 7, 9), channels=1, parts=1, within=(9,) * axes)).values
    largest = np.abs(np.diff(volume.values, axis=1)).max()
    for axis in range(axes):
        assert np.abs(np.diff(folded, axis=axis)).max() <= largest + 1e-6


def test_the_mean_of_all_places_of_a_value_is_taken() -> None:
    layout = Layout(size=(5,), channels=1, parts=1, within=(7, 7))
    folded = fold(numbered(layout), layout)
    places = layout.places().reshape(-1)
    assert (places == 4).sum() == 2
    first = int((places == 4).argmax())
    folded.values.reshape(-1)[first] += 1
    assert unfold(folded, layout, SOUND).values[4].item() == pytest.approx(4.5)


@given(st.integers(1, 30), st.integers(1, 30))
def test_folded_rows_on_the_globe_have_equal_area_and_leave_out_the_poles(
    rows: int, columns: int
) -> None:
    at = equal_area((rows, columns)).astype(np.float64)
    assert np.allclose(np.linalg.norm(at, axis=1), 1, atol=1e-6)
    heights = at[:, 2].reshape(rows, columns)[:, 0]
    assert np.allclose(np.diff(heights), 2 / rows, atol=1e-6)
    assert np.abs(at[:, 2]).max() < 1
    stop = rows * columns // 2 + 1
    assert np.array_equal(equal_area((rows, columns), 1, stop), equal_area((rows, columns))[1:stop])
