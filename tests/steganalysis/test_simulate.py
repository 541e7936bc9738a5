from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from stegfield.carriers import costs
from stegfield.carriers.jpeg_costs import LOW_PASS
from stegfield.errors import CapacityError
from stegfield.metrics import Samples
from stegfield.steganalysis import simulate


@pytest.fixture(scope="module")
def photograph() -> Samples:
    levels: Samples = data.coffee()[100:196, 200:320]  # type: ignore[no-untyped-call]
    return levels


def entropy(share: float) -> float:
    """Give the bits of a change up or down that happens this often."""
    return float(-share * np.log2(share / 2) - (1 - share) * np.log2(1 - share))


@pytest.mark.parametrize("name", simulate.SIMULATORS)
def test_schemes_change_samples_by_one_at_most_and_can_be_repeated(
    photograph: Samples, name: str
) -> None:
    cover = photograph.copy()
    cover[:20, :20], cover[:20, 20:40] = 0, 255
    stego = simulate.SIMULATORS[name](cover, 0.4, np.random.default_rng(1))
    again = simulate.SIMULATORS[name](cover, 0.4, np.random.default_rng(1))
    assert np.array_equal(stego, again)
    assert set(np.unique(stego.astype(int) - cover)) == {-1, 0, 1}


def test_replacement_and_matching_change_half_of_the_samples_that_carry(
    photograph: Samples,
) -> None:
    for scheme in (simulate.lsb_replacement, simulate.lsb_matching):
        stego = scheme(photograph, 0.6, np.random.default_rng(0))
        assert (stego != photograph).mean() == pytest.approx(0.3, abs=0.01)
    replaced = simulate.lsb_replacement(photograph, 1.0, np.random.default_rng(0))
    assert np.array_equal(replaced >> 1, photograph >> 1)


@pytest.mark.parametrize("bits", [0.05, 0.4, 1.0, 1.4])
def test_the_entropy_of_optimal_changes_is_the_payload(photograph: Samples, bits: float) -> None:
    rho = costs.hill(photograph).astype(np.float64)
    up, down = simulate.change_chances(rho, photograph, bits)
    stay = 1 - up - down
    every = np.stack([up, down, stay])
    found = -(every * np.log2(np.where(every > 0, every, 1))).sum(axis=0).mean()
    assert found == pytest.approx(bits, abs=1e-6)
    cheap = rho < np.median(rho)
    assert stay[cheap].mean() < stay[~cheap].mean()


def test_equal_rho_need_the_fewest_changes(photograph: Samples) -> None:
    inner = photograph.clip(1, 254)
    up, down = simulate.change_chances(np.ones(inner.shape), inner, 0.4)
    assert up == pytest.approx(down)
    assert entropy(2 * up.mean()) == pytest.approx(0.4, abs=1e-6)


@pytest.mark.parametrize(("name", "bits"), [("replacement", 1.1), ("matching", 2.0), ("hill", 1.6)])
def test_more_than_a_scheme_can_carry_is_refused(
    photograph: Samples, name: str, bits: float
) -> None:
    with pytest.raises(CapacityError):
        simulate.SIMULATORS[name](photograph, bits, np.random.default_rng(0))


def test_wavelets_are_orthonormal_and_blind_to_smooth_surfaces() -> None:
    low = np.array(LOW_PASS)
    for shift in range(0, 16, 2):
        assert low[shift:] @ low[: 16 - shift] == pytest.approx(float(shift == 0), abs=1e-9)
    high = low[::-1] * (-1.0) ** np.arange(16)
    for power in range(8):
        assert high @ np.linspace(-1, 1, 16) ** power == pytest.approx(0, abs=1e-6)


def test_rho_of_s_uniward_and_chances_are_those_of_conseal(photograph: Samples) -> None:
    conseal = pytest.importorskip("conseal", reason="the reference comes with stegfield[dev]")
    cover = photograph[..., :1]
    rho = simulate.s_uniward(cover).astype(np.float64)
    theirs = conseal.suniward._costmap.compute_cost(cover[..., 0].astype(float))
    assert np.allclose(rho[..., 0], theirs, rtol=1e-4)
    chances, _ = conseal.simulate._ternary.probability(
        conseal.suniward._costmap.compute_cost_adjusted(cover[..., 0]), 0.4, cover.size
    )
    assert np.allclose(simulate.change_chances(rho, cover, 0.4)[..., 0], chances, atol=1e-3)


def test_changes_avoid_what_can_be_predicted() -> None:
    random = np.random.default_rng(0)
    cover = np.full((64, 64, 1), 100, np.uint8)
    cover[:, 32:] = random.integers(60, 140, (64, 32, 1))
    for name in ("hill", "s-uniward"):
        changed = simulate.SIMULATORS[name](cover, 0.2, random) != cover
        assert changed[:, 44:].mean() > 50 * changed[:, :20].mean()
