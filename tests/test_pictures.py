from __future__ import annotations

import io
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from stegfield.errors import ConfigError
from stegfield.metrics import Samples
from stegfield.pictures import (
    CAPTION_HEIGHT,
    CHART_BOTTOM,
    CHART_LEFT,
    COLOURS,
    GAP,
    GREY,
    LEGEND,
    MARGIN,
    PAPER,
    Tile,
    bars,
    changes,
    contact_sheet,
    curves,
    difference,
    difference_tile,
    heat,
    sheet,
)


def plain(rows: int, columns: int, colour: tuple[int, ...]) -> Samples:
    """Make an image of one colour."""
    return np.full((rows, columns, len(colour)), colour, np.uint8)


def drawn(data: bytes) -> Samples:
    """Decode a sheet."""
    with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        assert image.mode == "RGB"
        return np.asarray(image)


@given(st.integers(0, 255), st.integers(0, 255), st.sampled_from([1.0, 2.0, 10.0, 0.5]))
def test_a_difference_is_the_distance_times_the_gain_up_to_white(
    level: int, other: int, gain: float
) -> None:
    found = difference(plain(3, 4, (level,)), plain(3, 4, (other,)), gain)
    assert found.shape == (3, 4, 1)
    assert found.dtype == np.uint8
    assert (found == min(255, round(abs(level - other) * gain))).all()


@given(st.integers(0, 99), st.floats(0, 300))
def test_a_difference_is_symmetric_and_black_for_equal_images(seed: int, gain: float) -> None:
    a, b = np.random.default_rng(seed).integers(0, 256, (2, 5, 7, 3), dtype=np.uint8)
    assert np.array_equal(difference(a, b, gain), difference(b, a, gain))
    assert not difference(a, a, gain).any()


def test_a_sheet_has_room_for_every_tile_and_its_caption() -> None:
    wide, tall = plain(10, 40, (9, 9, 9)), plain(40, 20, (9, 9, 9))
    found = drawn(sheet([[Tile(wide, "a"), Tile(tall, "b\nc")], [Tile(wide, "d")]], tile_width=80))
    tallest, second = 160, 20  # both in an aspect of their own, 80 wide
    assert found.shape == (
        MARGIN + tallest + CAPTION_HEIGHT + MARGIN + second + CAPTION_HEIGHT + MARGIN,
        MARGIN + 80 + MARGIN + 80 + MARGIN,
        3,
    )


@pytest.mark.parametrize("colour", [(200, 30, 90), (70,)])
@pytest.mark.parametrize(("rows", "columns"), [(4, 8), (300, 600), (100, 200)])
def test_a_tile_keeps_its_aspect_and_its_colour(
    colour: tuple[int, ...], rows: int, columns: int
) -> None:
    found = drawn(sheet([[Tile(plain(rows, columns, colour), "")]], tile_width=200))
    inside = found[MARGIN : MARGIN + 100, MARGIN : MARGIN + 200]
    assert (inside == colour).all()
    rest = found.copy()
    rest[MARGIN : MARGIN + 100, MARGIN : MARGIN + 200] = PAPER
    assert (rest == PAPER).all()


def test_enlarged_pixels_stay_sharp() -> None:
    checks = np.array([[[0], [255]], [[255], [0]]], np.uint8)
    found = drawn(sheet([[Tile(checks, "")]], tile_width=64))
    inside = found[MARGIN : MARGIN + 64, MARGIN : MARGIN + 64]
    assert np.array_equal(inside[..., 0], np.kron(checks[..., 0], np.ones((32, 32), np.uint8)))


def test_a_caption_is_written_below_its_tile() -> None:
    image = plain(10, 10, (200, 30, 90))
    found = drawn(sheet([[Tile(image, "psnr 30 dB")]], tile_width=100))
    silent = drawn(sheet([[Tile(image, "")]], tile_width=100))
    rows, columns = np.nonzero((found != silent).any(axis=-1))
    assert rows.min() >= MARGIN + 100
    assert rows.max() < MARGIN + 100 + CAPTION_HEIGHT
    assert columns.min() >= MARGIN


def test_a_sheet_is_the_same_every_time() -> None:
    rows = [[Tile(plain(5, 6, (1, 2, 3)), "a")]]
    assert sheet(rows) == sheet(rows)


@given(st.integers(1, 9), st.integers(1, 12))
def test_a_contact_sheet_shows_every_image_in_its_place(count: int, columns: int) -> None:
    images = [plain(4, 8, (20 * at, 100, 9)) for at in range(count)]
    found = drawn(contact_sheet(images, columns, tile_width=16))
    across = min(count, columns)
    down = -(-count // across)
    assert found.shape == (GAP + down * (8 + GAP), GAP + across * (16 + GAP), 3)
    for at in range(count):
        top, left = GAP + at // across * (8 + GAP), GAP + at % across * (16 + GAP)
        assert (found[top : top + 8, left : left + 16] == (20 * at, 100, 9)).all()


def test_a_contact_sheet_of_nothing_or_of_unlike_images_is_refused() -> None:
    with pytest.raises(ConfigError, match="0 images in 3 columns"):
        contact_sheet([], 3)
    with pytest.raises(ConfigError, match="1 images in 0 columns"):
        contact_sheet([plain(4, 4, (1,))], 0)
    with pytest.raises(ConfigError, match="differ in size"):
        contact_sheet([plain(4, 4, (1,)), plain(4, 5, (1,))], 3)


def coloured(image: Samples, colour: tuple[int, ...]) -> tuple[Samples, Samples]:
    """Find the rows and columns of one colour within a chart's axes."""
    inside = image[:-CHART_BOTTOM, CHART_LEFT + 1 : -LEGEND]
    rows, columns = np.nonzero((inside == colour).all(axis=-1))
    return rows, columns


@pytest.mark.parametrize("logarithmic", [False, True])
def test_a_curve_goes_from_its_first_point_to_its_last(logarithmic: bool) -> None:
    rising = {"a": [(0, 1.0), (10, 3.0), (20, 10.0)]}
    rows, columns = coloured(drawn(curves(rising, logarithmic=logarithmic)), COLOURS[0])
    assert rows[columns.argmin()] == pytest.approx(rows.max(), abs=6)
    assert rows[columns.argmax()] == pytest.approx(rows.min(), abs=6)
    share = (rows.max() - rows[np.abs(columns - columns.max() / 2).argmin()]) / np.ptp(rows)
    assert share == pytest.approx(np.log10(3) if logarithmic else 2 / 9, abs=0.03)


def test_a_level_is_dashed_and_where_the_curve_meets_it() -> None:
    picture = drawn(curves({"a": [(0, 0), (4, 8)]}, levels={"real": 4}))
    dashes, columns = coloured(picture, GREY)
    assert np.ptp(dashes) <= 1
    assert 0.3 < len(np.unique(columns)) / np.ptp(columns) < 0.7
    rows, across = coloured(picture, COLOURS[0])
    middle = rows[np.abs(across - np.median(columns)) < 3]
    assert middle.mean() == pytest.approx(dashes.mean(), abs=3)


@pytest.mark.parametrize(
    "points",
    [
        [(0, 0.5)],
        [(5, 0.0), (6, 0.0)],
        [(0, 1e-9), (1, 2e-9)],
        [(0, 1e9), (1e6, -1e9)],
        [(0, float("nan")), (1, float("inf")), (2, 1.0)],
        [(0, 7.0), (1, 7.0000001)],
    ],
)
def test_a_chart_has_the_size_asked_for_whatever_its_values(
    points: list[tuple[float, float]],
) -> None:
    for logarithmic in (False, True):
        if logarithmic and all(not y > 0 for _, y in points):
            continue
        picture = drawn(curves({"a": points, "none": []}, logarithmic=logarithmic, size=(500, 300)))
        assert picture.shape == (300, 500, 3)
        assert len(coloured(picture, COLOURS[0])[0]) > 0


def test_a_chart_without_points_is_refused() -> None:
    nothing: list[dict[str, list[tuple[float, float]]]]
    nothing = [{}, {"a": []}, {"a": [(0.0, float("nan"))]}]
    for series in nothing:
        with pytest.raises(ConfigError, match="no curve has a point"):
            curves(series, levels={"real": 1})
    with pytest.raises(ConfigError, match="no curve has a point"):
        curves({"a": [(0, -1), (1, 0)]}, logarithmic=True)


def test_names_beside_a_chart_do_not_cover_each_other() -> None:
    close = {name: [(0, 0.0), (1, 1 + at / 1000)] for at, name in enumerate("ABCDEF")}
    picture = drawn(curves(close))
    beside = picture[:, -LEGEND + 7 :].astype(int)
    # the smooth edges of letters are paler than their colour
    heights = [np.nonzero((np.abs(beside - colour) < 30).all(axis=-1))[0] for colour in COLOURS[:6]]
    spans = sorted((rows.min(), rows.max()) for rows in heights if len(rows))
    assert len(spans) == 6
    assert all(one[1] < other[0] for one, other in pairwise(spans))


def test_names_that_meet_at_the_edge_of_a_chart_are_drawn() -> None:
    low = {"a": [(0, 1.0), (1, 0.001)], "b": [(0, 0.9), (1, 0.0011)], "c": [(0, 1.0), (1, 0.0)]}
    high = {name: [(x, -y) for x, y in line] for name, line in low.items()}
    for series in (low, high):
        assert drawn(curves(series)).shape == (400, 720, 3)


def test_bars_are_as_high_as_their_values_and_refuse_what_has_no_height() -> None:
    picture = drawn(bars({"a": 1.0, "b": 4.0, "c": 0.0}, levels={"limit": 2.0}))
    rows, columns = coloured(picture, COLOURS[0])
    middles = [columns[rows == row] for row in (rows.min() + 1, rows.max() - 1)]
    assert middles[0].min() > middles[1].min()  # only the second is so high
    lowest, highest = rows.max(), rows.min()
    low = rows[columns < middles[0].min()].min()
    assert (lowest - low) / (lowest - highest) == pytest.approx(1 / 4, abs=0.02)
    for wrong in ({}, {"a": -1.0}, {"a": float("nan")}):
        with pytest.raises(ConfigError):
            bars(wrong)


def dotted(rows: int, columns: int, at: tuple[int, int], step: int = 1) -> tuple[Samples, Samples]:
    """Make an image, and the same with one sample changed."""
    before = plain(rows, columns, (90, 120, 200))
    after = before.copy()
    after[*at, 2] += step
    return before, after


@pytest.mark.parametrize("step", [1, 3, 40])
@pytest.mark.parametrize(("rows", "columns"), [(40, 64), (600, 900), (3000, 4000)])
def test_a_single_changed_sample_is_bright_at_every_size(
    rows: int, columns: int, step: int
) -> None:
    at = (rows // 3, columns // 2)
    picture, gain = changes(*dotted(rows, columns, at, step))
    assert 100 < picture.max() <= 255
    assert picture.max() == pytest.approx(step * gain, abs=1)
    across = min(columns, 256)
    assert picture.shape == (round(across * rows / columns), across, 1)
    found = np.argwhere(picture[..., 0])
    assert len(found) == (1 if columns == across else 9)
    middle = found.mean(axis=0) * columns / across
    assert middle == pytest.approx(np.array(at), abs=1.5 * columns / across)


@given(st.floats(0.01, 1e6))
def test_a_gain_is_round_and_never_too_bright(share: float) -> None:
    before, after = dotted(8, 8, (2, 3), 1)
    _, gain = changes(before, after)
    assert gain == 200
    _, chosen = changes(before, after, gain=share)
    assert chosen == share


def test_many_changes_are_not_enlarged_and_keep_their_shares() -> None:
    random = np.random.default_rng(0)
    before = random.integers(50, 200, (300, 512, 3), dtype=np.uint8)
    after = before.copy()
    after[:, :256] += 1
    picture, _ = changes(before, after)
    assert (picture[:, :128] == 200).all()
    assert not picture[:, 128:].any()


def test_a_heat_map_is_white_where_most_changed_and_tells_how_much() -> None:
    before = plain(300, 512, (90, 120, 200))
    after = before.copy()
    after[:, 300:460] += 4
    after[:, 40:200] += 1
    picture, most = heat(before, after)
    assert most == pytest.approx(4, abs=0.01)
    assert (picture[75, 190] > 240).all()
    assert (picture[75, 125] == 0).all()
    red, green, blue = picture[75, 60].astype(int)
    assert red > 100 > max(green, blue)


def test_what_is_below_a_difference_tells_gain_and_share() -> None:
    before, after = dotted(10, 10, (1, 1), 2)
    assert (
        difference_tile(before, after).caption == "difference x 100\n0.33 % of the samples differ"
    )
    assert difference_tile(before, after, gain=7.0).caption.startswith("difference x 7\n")
    assert difference_tile(before, after, heat_map=True).caption.startswith("white: ")
    for heat_map in (False, True):
        same = difference_tile(before, before, heat_map=heat_map)
        assert same.caption == "no sample differs"
        assert not same.samples.any()
