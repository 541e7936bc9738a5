from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from stegfield import fields
from stegfield.errors import ConfigError
from stegfield.fields import ARCHITECTURES, Field
from stegfield.signals import waves
from stegfield.steganalysis import weights
from stegfield.steganalysis.weights import GROUPS, features, histograms

COVER = waves(12, 16)
SMALL: dict[str, dict[str, int | float]] = {
    "siren": {"width": 16, "depth": 2},
    "fourier": {"frequencies": 8, "width": 16, "depth": 2},
    "grid": {"coarsest": 4, "finest": 8, "levels": 2, "width": 8},
}
MATRIX = "layers.1.weight"


def drawn(seed: int, architecture: str = "siren", **sizes: float) -> Field:
    """Draw a field that was not trained: uniform weights, whose kurtosis is 1.8."""
    chosen = SMALL[architecture] | sizes
    return fields.new_field(COVER, architecture=architecture, sizes=chosen, seed=seed)


def put(field: Field, name: str, values: torch.Tensor) -> Field:
    """Put values into a matrix."""
    with torch.no_grad():
        field.decoder.get_parameter(name).copy_(values)
    return field


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_features_are_finite_and_leave_the_field_as_it_is(architecture: str) -> None:
    field = drawn(1, architecture)
    before = fields.to_bytes(field)
    figures = features(field)
    assert all(math.isfinite(value) for value in figures.values())
    assert {name.split(" ")[0] for name in figures} == set(GROUPS)
    assert fields.to_bytes(field) == before
    assert features(field) == figures


def test_the_moments_of_known_distributions() -> None:
    field = drawn(1, width=128)
    figures = features(field, ["moments"])
    bound = math.sqrt(6 / 128) / 30
    assert figures[f"moments {MATRIX} spread"] == pytest.approx(
        math.log(bound / math.sqrt(3)), abs=0.02
    )
    assert figures[f"moments {MATRIX} kurtosis"] == pytest.approx(1.8, abs=0.05)
    normal = torch.randn(128, 128, generator=torch.Generator().manual_seed(1))
    figures = features(put(field, MATRIX, normal), ["moments", "thresholds"])
    assert figures[f"moments {MATRIX} kurtosis"] == pytest.approx(3.0, abs=0.15)
    assert figures[f"moments {MATRIX} skewness"] == pytest.approx(0.0, abs=0.1)
    for times, share in ((1, 0.3173), (2, 0.0455), (3, 0.0027)):
        found = figures[f"thresholds {MATRIX} {times}"]
        assert found == pytest.approx(share, abs=4 * math.sqrt(share / 128**2))


def test_spectra_are_blind_to_rotations_and_know_the_singular_values() -> None:
    generator = torch.Generator().manual_seed(1)
    left, right = (
        torch.linalg.qr(torch.randn(16, 16, generator=generator, dtype=torch.float64))[0]
        for _ in range(2)
    )
    values = torch.linspace(1, 2, 16, dtype=torch.float64)
    plain = features(put(drawn(1), MATRIX, torch.diag(values)), ["spectrum"])
    turned = features(put(drawn(1), MATRIX, left * values @ right), ["spectrum"])
    assert turned == pytest.approx(plain, abs=1e-5)
    assert plain[f"spectrum {MATRIX} 0"] == pytest.approx(0.0, abs=1e-6)
    assert plain[f"spectrum {MATRIX} 0.5"] == pytest.approx(math.log(1.5))
    even = features(put(drawn(1), MATRIX, left), ["spectrum"])
    assert even[f"spectrum {MATRIX} rank"] == pytest.approx(16)


def test_units_of_equal_norms_have_no_spread() -> None:
    even = put(put(drawn(1), MATRIX, torch.eye(16)), "layers.2.weight", torch.ones(3, 16))
    figures = features(even, ["units"])
    assert figures[f"units {MATRIX} inputs spread"] == 0
    assert figures[f"units {MATRIX} outputs largest"] == pytest.approx(1)
    assert figures["units layers.2.weight passed on"] == 0
    rising = torch.diag(torch.arange(1.0, 17.0))
    put(
        put(even, "layers.0.weight", torch.arange(1.0, 17.0)[:, None].expand(16, 2)), MATRIX, rising
    )
    figures = features(even, ["units"])
    assert figures[f"units {MATRIX} passed on"] == pytest.approx(1)
    assert figures[f"units {MATRIX} inputs largest"] == pytest.approx(16 / 8.5)


def test_pruning_weights_that_are_zero_changes_nothing() -> None:
    field = drawn(1)
    for name in field.slot_bounds():
        matrix = field.decoder.get_parameter(name).detach().clone()
        matrix.view(-1)[: matrix.numel() // 4] = 0
        put(field, name, matrix)
    figures = features(field, ["pruning"])
    assert figures["pruning 0.02"] == figures["pruning 0.2"] == weights.PEAK_DB
    assert figures["pruning 0.4"] < weights.PEAK_DB


def test_roughness_rises_with_the_frequencies_of_a_field() -> None:
    calm, wild = (features(drawn(1, w0=w0), ["roughness"]) for w0 in (5.0, 200.0))
    assert all(calm[name] < wild[name] for name in calm)


def test_histograms_of_a_pool_share_their_bins() -> None:
    pool = [drawn(at) for at in range(3)]
    put(pool[2], MATRIX, torch.full((16, 16), 3.0))
    counts = histograms(pool, 10)
    assert counts.shape == (3, 10)
    np.testing.assert_allclose(counts.sum(axis=1), 1)
    assert counts[2, -1] == 256 / pool[2].weight_count()
    assert counts[:2, 5:].sum() == 0


def test_the_chart_is_a_picture() -> None:
    shown = weights.chart({"clean": [drawn(1)], "stego": [drawn(2)]}, MATRIX)
    assert shown.startswith(b"\x89PNG")


def test_chances_of_random_bytes_are_spread_evenly() -> None:
    random = np.random.default_rng(2)
    chances = [
        weights.least_chance(random.integers(0, 256, 1024).astype(np.uint8)) for _ in range(400)
    ]
    assert np.quantile(chances, [0.25, 0.5, 0.75]) == pytest.approx([0.25, 0.5, 0.75], abs=0.08)


def test_unknown_groups_are_refused() -> None:
    with pytest.raises(ConfigError, match="no group 'odd'"):
        features(drawn(1), ["odd"])
