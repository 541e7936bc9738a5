"""Detection in JPEG coefficients: simulators, features, the classifier, and all of it together."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from stegfield.carriers import blocks, jpeg
from stegfield.errors import CapacityError, ConfigError
from stegfield.steganalysis import jpegs, ridge
from stegfield.steganalysis.dctr import PLACES, dctr, step_of

QUALITY = 75


@pytest.fixture(scope="module")
def cover() -> NDArray[np.int16]:
    photograph = data.coffee()[100:228, 200:360]  # type: ignore[no-untyped-call]
    return jpegs.quantised(photograph, QUALITY)


@pytest.mark.parametrize("name", jpegs.SCHEMES)
def test_schemes_leave_the_means_alone(name: str, cover: NDArray[np.int16]) -> None:
    stego = jpegs.SCHEMES[name](cover, jpegs.table_of(QUALITY), 0.2, np.random.default_rng(1))
    change = stego.astype(int) - cover
    assert np.abs(change).max() == 1
    assert not change[..., 0].any()
    assert change.any()


def test_nsf5_makes_magnitudes_smaller_and_simulators_carry_the_payload(
    cover: NDArray[np.int16],
) -> None:
    table = jpegs.table_of(QUALITY)
    stego = jpegs.SCHEMES["nsf5"](cover, table, 0.4, np.random.default_rng(0))
    assert (np.abs(stego) <= np.abs(cover)).all()
    rate = np.count_nonzero(stego != cover) / jpeg.nonzero(cover)
    entropy = -rate * np.log2(rate) - (1 - rate) * np.log2(1 - rate)
    assert entropy == pytest.approx(0.4, abs=0.06)
    with pytest.raises(CapacityError):
        jpegs.SCHEMES["nsf5"](cover, table, 1.1, np.random.default_rng(0))


def test_plain_blocks_stay_plain(cover: NDArray[np.int16]) -> None:
    half = cover.copy()
    half[:, :10, 1:] = 0
    for name in ("uerd", "ours, uerd"):
        stego = jpegs.SCHEMES[name](half, jpegs.table_of(QUALITY), 0.2, np.random.default_rng(0))
        assert not stego[:, :8, 1:].any()


def test_ours_changes_little_more_than_the_best_code_would(cover: NDArray[np.int16]) -> None:
    table, rate = jpegs.table_of(QUALITY), 0.2
    rho = jpeg.finite(jpeg.find_costs(cover, table, jpeg.EVERY, "uerd"))
    spent = {}
    for name in ("uerd", "ours, uerd"):
        stego = jpegs.SCHEMES[name](cover, table, rate, np.random.default_rng(2))
        spent[name] = rho[jpeg.elements(stego - cover, jpeg.EVERY) != 0].sum()
    assert spent["ours, uerd"] < 1.25 * spent["uerd"]


def test_dctr_counts_every_response_of_every_filter_once() -> None:
    pixels = np.random.default_rng(0).random((40, 56)) * 255
    found = dctr(pixels, step_of(QUALITY)).reshape(64, PLACES, 5)
    assert found.sum(axis=2) == pytest.approx(1, abs=1e-5)
    flat = dctr(np.zeros((40, 56)), step_of(QUALITY)).reshape(64, PLACES, 5)
    assert (flat[..., 0] == 1).all()


def test_dctr_is_what_its_definition_says() -> None:
    pixels = np.random.default_rng(1).random((24, 32)) * 255
    step = step_of(90)
    filtered = np.zeros((17, 25))
    wave = np.outer(blocks.BASIS[2], blocks.BASIS[5])
    for row in range(17):
        for column in range(25):
            filtered[row, column] = (pixels[row : row + 8, column : column + 8] * wave).sum()
    sizes = np.minimum(np.rint(np.abs(filtered) / step), 4)
    fold = [0, 1, 2, 3, 4, 3, 2, 1]
    at = [[5 * fold[row % 8] + fold[column % 8] for column in range(25)] for row in range(17)]
    found = dctr(pixels, step).reshape(64, PLACES, 5)[8 * 2 + 5]
    for place in (0, 7, 24):
        here = sizes[np.array(at) == place]
        wanted = [np.mean(here == size) for size in range(5)]
        assert found[place] == pytest.approx(np.array(wanted), abs=2 / len(here))


def test_the_classifier_learns_what_there_is_to_learn() -> None:
    random = np.random.default_rng(0)
    groups = [at // 2 for at in range(80)]
    covers = random.normal(size=(80, 300)).astype(np.float32)
    covers[:, 7] = 5  # says nothing
    for shift, least, most in ((1.0, 0.0, 0.1), (0.0, 0.35, 0.65)):
        stegos = covers + random.normal(size=(80, 300)).astype(np.float32) / 10
        stegos[:, :40] += shift
        before, after = ridge.cross_validated(covers, stegos, groups)
        assert least <= ((before > 0).mean() + (after < 0).mean()) / 2 <= most


def test_side_information_is_what_the_covers_were_rounded_from() -> None:
    photograph = data.coffee()[100:228, 200:360].astype(np.float64)  # type: ignore[no-untyped-call]
    exact = jpegs.unrounded(photograph + 0.3, QUALITY)
    covers, random = [np.rint(exact).astype(np.int16)], np.random.default_rng(0)
    above, table = (covers[0] - exact).astype(np.float32), jpegs.table_of(QUALITY)
    stego = jpegs.SCHEMES[jpegs.INFORMED](covers[0], table, 0.2, random, above=above)
    change = (stego - covers[0]).astype(np.float64)
    back = np.count_nonzero(change * above < 0) / np.count_nonzero(change)
    assert back > 0.9  # towards what they were; half of them by chance
    with pytest.raises(ConfigError, match="what the covers were rounded from"):
        jpegs.detect(covers, QUALITY, 0.2, scheme=jpegs.INFORMED)


def test_the_classifier_refuses_too_few_groups() -> None:
    rows = np.zeros((6, 3))
    with pytest.raises(ConfigError, match="cannot be parted"):
        ridge.cross_validated(rows, rows, [0, 0, 0, 1, 1, 1])


def test_nsf5_is_found_in_crops_of_photographs() -> None:
    photographs = [data.coffee(), data.astronaut(), data.chelsea()]  # type: ignore[no-untyped-call]
    covers, groups = [], []
    for name, photograph in enumerate(photographs):
        for top in range(0, 256, 64):
            for left in range(0, 384, 64):
                covers.append(jpegs.quantised(photograph[top : top + 64, left : left + 64], 75))
                groups.append(name * 24 + top // 64 * 6 + left // 64)
    found = jpegs.detect(covers, QUALITY, 0.8, scheme="nsf5", groups=groups)["dctr"]
    assert found.result.p_e < 0.2
    assert 0 < found.changed < 0.2
    with pytest.raises(ConfigError, match="no way to embed"):
        jpegs.detect(covers, QUALITY, 0.1, scheme="f5")
    with pytest.raises(ConfigError, match="quality"):
        jpegs.table_of(0)
