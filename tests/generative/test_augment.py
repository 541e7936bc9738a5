from __future__ import annotations

import pytest
import torch
from torch import Tensor

from stegfield.generative.augment import SHIFTS, augmented

SIDE = 16


def draws(seed: int = 4) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(count: int = 40, channels: int = 3) -> Tensor:
    return torch.rand(count, SIDE * SIDE, channels, generator=draws(1)) * 2 - 1


@pytest.mark.parametrize("side", [SIDE, None])
def test_a_share_of_0_changes_nothing(side: int | None) -> None:
    assert torch.allclose(augmented(pictures(), side, 0.0, draws()), pictures(), atol=1e-6)


def test_a_share_of_the_samples_is_changed() -> None:
    changed = augmented(pictures(1000), None, 0.25, draws()) - pictures(1000)
    count = int((changed.abs().amax((1, 2)) > 1e-3).sum())
    assert 200 < count < 300


def test_a_shift_is_by_whole_pixels_and_repeats_the_edges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stegfield.generative.augment._recoloured", lambda values, *_: values)
    shifted = augmented(pictures(), SIDE, 1.0, draws()).view(-1, SIDE, SIDE, 3)
    farthest = int(SIDE * SHIFTS)
    moves = set()
    for given, before in zip(shifted, pictures().view(-1, SIDE, SIDE, 3), strict=True):
        padded = torch.nn.functional.pad(
            before.permute(2, 0, 1)[None], [farthest] * 4, mode="replicate"
        )[0].permute(1, 2, 0)
        found = [
            (row - farthest, column - farthest)
            for row in range(2 * farthest + 1)
            for column in range(2 * farthest + 1)
            if torch.equal(padded[row : row + SIDE, column : column + SIDE], given)
        ]
        assert len(found) == 1
        moves.add(found[0])
    assert len(moves) > 10


def test_the_same_draws_change_real_and_generated_alike() -> None:
    one, other = pictures(), pictures().flip(0)
    sums = augmented(one + other, SIDE, 0.5, draws())
    # every change is linear but for its shift of brightness, which is that of zeros
    parts = [augmented(each, SIDE, 0.5, draws()) for each in (one, other, torch.zeros_like(one))]
    assert torch.allclose(sums, parts[0] + parts[1] - parts[2], atol=1e-5)
    assert torch.equal(parts[0], augmented(one, SIDE, 0.5, draws()))
    assert not torch.equal(parts[0], augmented(one, SIDE, 0.5, draws(5)))


def test_points_that_fill_no_square_stay_where_they_are() -> None:
    order = torch.randperm(SIDE * SIDE, generator=draws(2))
    one = augmented(pictures()[:, order], None, 1.0, draws())
    assert torch.allclose(one, augmented(pictures(), None, 1.0, draws())[:, order], atol=1e-5)


def test_changes_of_colour_keep_within_their_bounds() -> None:
    grey = torch.zeros(200, 4, 3)
    shown = augmented(grey, None, 1.0, draws())
    assert float(shown.abs().max()) <= 0.5  # brightness alone moves grey
    assert float(shown.std()) > 0.2
    assert torch.allclose(shown, shown[:, :1, :1].expand_as(shown), atol=1e-6)


@pytest.mark.parametrize("side", [SIDE, None])
@pytest.mark.parametrize("channels", [1, 3])
def test_gradients_flow_through_every_change(side: int | None, channels: int) -> None:
    values = pictures(channels=channels).requires_grad_()
    augmented(values, side, 0.7, draws()).square().sum().backward()  # type: ignore[no-untyped-call]
    assert values.grad is not None
    assert values.grad.isfinite().all()
    assert (values.grad.abs().sum((1, 2)) > 0).all()
