from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from stegfield.errors import ConfigError, InputError
from stegfield.fields import checkpoints
from stegfield.steganalysis import learning
from stegfield.steganalysis.learning import Stack, TrainingConfig
from stegfield.steganalysis.networks import NETWORKS

QUICK = TrainingConfig(steps=6, batch=2)


def pairs(count: int = 8, side: int = 16, channels: int = 1) -> tuple[Stack, Stack]:
    """Draw smooth covers, and stegos whose samples moved by up to three levels."""
    random = np.random.default_rng(0)
    ramps = random.uniform(-2, 2, (2, count, 1, 1, channels))
    rows, columns = np.indices((side, side))[..., None]
    covers = (128 + ramps[0] * rows + ramps[1] * columns).round()
    stegos = covers + random.integers(-3, 4, covers.shape)
    return covers.astype(np.uint8), stegos.astype(np.uint8)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("channels", [1, 3])
def test_networks_give_a_logit_for_each_image_of_any_size(name: str, channels: int) -> None:
    network = NETWORKS[name](channels).eval()
    for size in ((16, 16), (23, 37)):
        logits, penalty = network(torch.rand(2, channels, *size) * 255)
        assert logits.shape == penalty.shape == (2,)
        assert (penalty >= 0).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_learns_what_is_plain_to_see(name: str, one_thread: None) -> None:
    covers, stegos = pairs(12)
    config = TrainingConfig(network=name, steps=40, batch=4)
    network = learning.train(covers[:8], stegos[:8], config=config)
    unseen = learning.scores(network, covers[8:]), learning.scores(network, stegos[8:])
    assert unseen[0].max() < unseen[1].min()


def test_runs_can_be_repeated_and_leave_the_global_seed_alone(one_thread: None) -> None:
    covers, stegos = pairs()
    before = torch.get_rng_state()
    one, two = (learning.train(covers, stegos, config=QUICK) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(learning.scores(one, covers), learning.scores(two, covers))


class SwitchedOffError(Exception):
    """Stands for a machine that was switched off."""


def test_a_run_goes_on_where_it_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_thread: None
) -> None:
    covers, stegos = pairs()
    whole = learning.scores(learning.train(covers, stegos, config=QUICK), covers)
    monkeypatch.setattr(learning, "CHECKPOINT_STEPS", 3)
    save = checkpoints.save

    def save_and_stop(*arguments: object) -> None:
        save(*arguments)  # type: ignore[arg-type]
        raise SwitchedOffError

    state = tmp_path / "state"
    monkeypatch.setattr(checkpoints, "save", save_and_stop)
    with pytest.raises(SwitchedOffError):
        learning.train(covers, stegos, config=QUICK, checkpoint=state)
    monkeypatch.setattr(checkpoints, "save", save)
    other = TrainingConfig(steps=7, batch=2)
    with pytest.raises(InputError, match="another run"):
        learning.train(covers, stegos, config=other, checkpoint=state)
    resumed = learning.train(covers, stegos, config=QUICK, checkpoint=state)
    assert np.array_equal(learning.scores(resumed, covers), whole)
    assert not state.exists()


def test_a_learning_curve_keeps_what_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_thread: None
) -> None:
    covers, stegos = pairs()
    groups = [0, 0, 1, 1, 2, 2, 3, 3]

    def curve(counts: list[int]) -> list[learning.Point]:
        return list(
            learning.learning_curve(
                covers, stegos, groups, counts=counts, seeds=[0, 1], folder=tmp_path, config=QUICK
            )
        )

    points = curve([1, 4])
    assert [(point.pairs, point.seed) for point in points] == [(1, 0), (4, 0), (1, 1), (4, 1)]
    assert all(point.result.covers == 4 and 0 <= point.accuracy <= 1 for point in points)
    monkeypatch.setattr(learning, "train", None)
    assert curve([1, 4]) == points
    with pytest.raises(ConfigError, match="5 pairs"):
        curve([5])
    whole = (tmp_path / learning.CURVE).read_text()
    for damaged in (
        "{",
        "",
        whole.replace('"pairs": 1', '"pairs": "1"', 1),
        whole.replace('"accuracy": ', '"accuracy": 1e999, "was": ', 1),
        whole.replace('"accuracy": ', '"accuracy": NaN, "was": ', 1),
        whole.replace('"covers": ', '"covers": [], "was": ', 1),
        whole.replace('"auc_interval": ', '"auc_interval": 3, "was": ', 1),
        whole + "[" * 60_000,
    ):
        (tmp_path / learning.CURVE).write_text(damaged)
        with pytest.raises(InputError, match="damaged"):
            curve([1])


def test_wrong_settings_are_refused() -> None:
    covers, stegos = pairs()
    with pytest.raises(ConfigError, match="not pairs"):
        learning.train(covers, stegos[:3])
    with pytest.raises(ConfigError, match="no network"):
        TrainingConfig(network="resnet")
    with pytest.raises(ConfigError, match="at least 1"):
        TrainingConfig(steps=0)
