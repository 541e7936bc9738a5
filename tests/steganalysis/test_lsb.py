from __future__ import annotations

import math

import numpy as np
import pytest
from skimage import data

from stegfield.metrics import Samples
from stegfield.steganalysis import lsb
from stegfield.steganalysis.simulate import lsb_matching, lsb_replacement

TRUE_RATES = (0.0, 0.1, 0.3, 0.5, 0.7)


@pytest.fixture(scope="module")
def photograph() -> Samples:
    levels: Samples = data.coffee()[72:328, 172:428]  # type: ignore[no-untyped-call]
    return levels


@pytest.mark.parametrize(
    ("name", "error"), [("primary", 0.05), ("pairs", 0.05), ("rs", 0.08), ("ws", 0.08)]
)
def test_rates_of_replacement_are_estimated(photograph: Samples, name: str, error: float) -> None:
    random = np.random.default_rng(0)
    for rate in TRUE_RATES:
        stego = lsb_replacement(photograph, rate, random)
        assert lsb.rates(stego, [name])[name] == pytest.approx(rate, abs=error)


@pytest.mark.parametrize("name", lsb.DETECTORS)
def test_full_replacement_is_seen(photograph: Samples, name: str) -> None:
    stego = lsb_replacement(photograph, 1.0, np.random.default_rng(0))
    before, after = lsb.rates(photograph, [name])[name], lsb.rates(stego, [name])[name]
    assert before < lsb.THRESHOLD
    assert after > 0.75


def test_chi_square_grows_with_the_part_that_was_filled_from_the_top(photograph: Samples) -> None:
    found = []
    for rows in (0, 64, 128, 192, 256):
        stego = photograph.copy()
        stego[:rows] = lsb_replacement(stego[:rows], 1.0, np.random.default_rng(0))
        found.append(lsb.rates(stego, ["chi"])["chi"])
    assert found == sorted(found)
    assert found[0] < 0.2
    assert found[2] == pytest.approx(0.5, abs=0.2)
    assert found[-1] > 0.9


def test_estimates_grow_with_the_rate_and_matching_hides_from_them(photograph: Samples) -> None:
    random = np.random.default_rng(0)
    fused = [lsb.rates(lsb_replacement(photograph, r, random))["fusion"] for r in TRUE_RATES]
    assert fused == sorted(fused)
    matched = lsb.rates(lsb_matching(photograph, 0.7, random))["fusion"]
    assert matched < lsb.THRESHOLD < fused[-1]


def test_the_fusion_is_the_mean_of_those_that_gave_a_number(photograph: Samples) -> None:
    found = lsb.rates(photograph)
    assert found["fusion"] == pytest.approx(np.mean([found[name] for name in lsb.FUSED]))
    assert lsb.rates(photograph, ["fusion"]) == {"fusion": found["fusion"]}
    plain = lsb.rates(np.full((16, 16, 1), 7, np.uint8))
    assert math.isnan(plain["chi"])
    assert plain["fusion"] == pytest.approx(0, abs=1e-6)


def test_grey_in_a_file_of_colours_is_judged_once(photograph: Samples) -> None:
    grey = photograph[..., :1]
    assert lsb.rates(np.repeat(grey, 3, axis=2)) == lsb.rates(grey)


@pytest.mark.parametrize("shape", [(40_000, 120), (8, 600_000)])
def test_large_images_are_judged_in_parts(shape: tuple[int, int]) -> None:
    ramp = np.add.outer(np.arange(shape[0]), np.arange(shape[1])) // 3 % 256
    found = lsb.rates(ramp.astype(np.uint8)[..., None], ["primary", "ws", "chi"])
    assert shape[0] * shape[1] > lsb.LARGEST_PART
    assert all(math.isfinite(rate) for rate in found.values())


def test_parts_are_averaged(photograph: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    half = photograph.copy()
    half[:128] = lsb_replacement(half[:128], 0.8, np.random.default_rng(0))
    monkeypatch.setattr(lsb, "LARGEST_PART", photograph[..., 0].size // 2)
    parts = [lsb.rates(part)["ws"] for part in (half[:128], half[128:])]
    assert lsb.rates(half)["ws"] == pytest.approx(np.mean(parts))


def test_every_pair_of_the_primary_sets_counts_once() -> None:
    # by hand: side by side (2,3) (5,5), one above the other (2,5) (3,5)
    # the second is odd and smaller, or even and larger: none; equal: one; the same pair: two
    # q^2 + (0 - 4) q + (3 - 0) = 0 has the roots 1 and 3
    assert lsb.primary_sets(np.array([[2, 3], [5, 5]], np.int16)) == pytest.approx(1)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shape", [(8, 8, 1), (8, 60, 3), (33, 9, 3)])
def test_small_and_odd_images_are_judged(shape: tuple[int, ...], seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    for samples in (noise, noise // 255 * 255, noise * 0 + 255):
        found = lsb.rates(samples)
        assert all(-1 <= rate <= 1 for rate in found.values() if math.isfinite(rate))
        assert math.isfinite(found["fusion"])
