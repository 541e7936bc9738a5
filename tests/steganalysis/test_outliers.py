from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from stegfield import fields
from stegfield.errors import InputError
from stegfield.fields import Field
from stegfield.signals import waves
from stegfield.steganalysis import outliers
from stegfield.steganalysis.outliers import judge_field
from stegfield.steganalysis.weights import features

MATRIX = "layers.1.weight"


def drawn(seed: int, width: int = 16) -> Field:
    """Draw a field that was not trained."""
    sizes = {"width": width, "depth": 2}
    return fields.new_field(waves(12, 16), sizes=sizes, seed=seed)


def write_low_bytes(field: Field, data: bytes) -> Field:
    """Put bytes into the lowest mantissa bits of the weights, in the order of the file."""
    with torch.no_grad():
        for _, weight in sorted(field.named_parameters()):
            part, data = data[: weight.numel()], data[weight.numel() :]
            words = weight.numpy().reshape(-1).view(np.uint32)[: len(part)]
            words[:] = words & ~np.uint32(0xFF) | np.frombuffer(part, np.uint8)
    return field


def test_plain_low_bits_are_found_and_random_ones_are_not() -> None:
    random = np.random.default_rng(1)
    plain = b"Meet me at noon, and bring the letter. " * 400
    assert not judge_field(drawn(1, 64)).suspicious
    hidden = write_low_bytes(drawn(1, 64), random.bytes(4000))
    assert not judge_field(hidden).suspicious
    found = judge_field(write_low_bytes(drawn(1, 64), plain[:2000]))
    assert found.suspicious
    assert found.low_bits_p < 1e-9
    assert "mantissa" in found.summary


def test_rounded_weights_are_called_rounded() -> None:
    field = drawn(1)
    for weight in field.parameters():
        weight.data = weight.data.half().float()
    verdict = judge_field(field)
    assert verdict.rounded
    assert not verdict.suspicious


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of clean fields, and two files that do not count."""
    for at in range(24):
        fields.save(tmp_path / f"{at}.safetensors", drawn(at))
    fields.save(tmp_path / "other.safetensors", drawn(1, 20))
    (tmp_path / "damaged.safetensors").write_bytes(b"not a field")
    return tmp_path


def test_a_field_unlike_the_pool_is_an_outlier(folder: Path, tmp_path: Path) -> None:
    usual = judge_field(drawn(100), folder)
    assert usual.pool == 24
    assert not usual.suspicious
    assert "nothing tells it" in usual.summary
    path = tmp_path / "odd"
    odd = drawn(101)
    matrix = odd.decoder.get_parameter(MATRIX).detach().clone()
    matrix[0, :4] *= 30
    with torch.no_grad():
        odd.decoder.get_parameter(MATRIX).copy_(matrix)
    fields.save(path, odd)
    found = judge_field(path, folder)
    assert found.suspicious
    assert found.pool_p == pytest.approx(1 / 25)
    assert found.distance is not None
    assert usual.distance is not None
    assert found.distance > usual.distance
    assert MATRIX in found.farthest[0]
    assert found.to_json()["suspicious"] is True


def test_ranks_of_clean_fields_are_even(folder: Path) -> None:
    chances = [judge_field(drawn(at), folder).pool_p for at in range(200, 230)]
    assert np.mean([chance for chance in chances if chance is not None]) == pytest.approx(
        0.5, abs=0.2
    )


def test_too_small_a_pool_is_refused_and_a_few_fields_say_little(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a folder"):
        judge_field(drawn(1), tmp_path / "none")
    for at in range(2):
        fields.save(tmp_path / f"{at}.safetensors", drawn(at))
    with pytest.raises(InputError, match="holds 2 other fields"):
        judge_field(drawn(9), tmp_path)
    fields.save(tmp_path / "2.safetensors", drawn(2))
    assert "too few" in judge_field(drawn(9), tmp_path).summary


def test_a_field_does_not_clear_itself(folder: Path) -> None:
    odd = drawn(101)
    with torch.no_grad():
        odd.decoder.get_parameter(MATRIX)[0, :4] *= 30
    away = judge_field(odd, folder)
    fields.save(folder / "odd.safetensors", odd)
    fields.save(folder / "copy.safetensors", odd)
    assert judge_field(folder / "odd.safetensors", folder) == away
    assert away.suspicious


def test_figures_of_clean_fields_are_computed_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[Field] = []

    def counted(field: Field, groups: Sequence[str]) -> dict[str, float]:
        judged.append(field)
        return features(field, groups)

    monkeypatch.setattr(outliers, "features", counted)
    clean = outliers.CleanFields(folder)
    found = [judge_field(drawn(seed), clean) for seed in (100, 101)]
    assert len(judged) == 24 + 2
    assert found == [judge_field(drawn(seed), folder) for seed in (100, 101)]


def test_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        judge_field(tmp_path / "none")
