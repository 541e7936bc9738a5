"""Jobs that were cut off, what they go on from; and jobs that cannot be run at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stegfield.bench import running
from stegfield.bench.results import Setting
from stegfield.errors import InputError, StegfieldError
from stegfield.fields import checkpoints
from stegfield.jobs import Job
from stegfield.steganalysis import compare, learning
from stegfield.steganalysis.networks import NETWORKS

LEARNING = Job(
    "learning_curve",
    {
        "dataset": "photographs",
        "method": "stegfield",
        "payload": 1.0,
        "pairs": 4,
        "steps": 4,
        "images": 2,
        "resolution": 32,
    },
)


@pytest.fixture
def cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut the first run off as soon as it has kept something."""
    save, saved = checkpoints.save, []

    def once(*arguments: Any) -> None:
        save(*arguments)
        saved.append(True)
        if len(saved) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(learning, "CHECKPOINT_STEPS", 2)
    monkeypatch.setattr(checkpoints, "save", once)


@pytest.mark.usefixtures("cut_off")
def test_a_network_goes_on_learning_from_the_same_stegos(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        running.perform(LEARNING, data=None, folder=tmp_path)
    assert (tmp_path / running.WORK / LEARNING.id / learning.STATE).exists()
    found = running.perform(LEARNING, data=None, folder=tmp_path)
    assert "accuracy_percent" in found.figures


@pytest.mark.parametrize("held", ["nothing", "text", "an object", "floats"])
def test_files_that_hold_no_stegos_are_refused(tmp_path: Path, held: str) -> None:
    path = tmp_path / "stegos.npy"
    if held == "an object":
        np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    elif held == "floats":
        np.save(path, np.zeros((1, 2, 2, 3)))
    else:
        path.write_text("" if held == "nothing" else "no stegos")
    with pytest.raises(InputError, match="is not a file of stegos"):
        compare.kept(path, list)


@pytest.mark.parametrize("experiment", ["detecting", "learning_curve"])
@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"resolution": 4, "method": "matching"}, "resolution at least 8, got 2 and 4"),
        ({"images": 0}, "images must be at least 1"),
        ({"resolution": 12, "method": "stegfield"}, "the cover has room for 432"),
    ],
)
def test_covers_too_small_are_refused_in_words(
    experiment: str, settings: dict[str, Setting], told: str, tmp_path: Path
) -> None:
    given: dict[str, Setting] = {"dataset": "photographs", "payload": 1.0, "method": "stegfield"}
    given |= {"images": 2} | settings
    if experiment == "learning_curve":
        given |= {"pairs": 2, "steps": 2}
    with pytest.raises(StegfieldError, match=told):
        running.perform(Job(experiment, given), data=None, folder=tmp_path)


@pytest.mark.parametrize("network", NETWORKS)
def test_the_smallest_crops_are_learned_from(network: str, tmp_path: Path) -> None:
    given: dict[str, Setting] = {"dataset": "photographs", "payload": 1.0, "method": "matching"}
    given |= {"images": 2, "resolution": 8, "network": network, "pairs": 2, "steps": 2}
    job = Job("learning_curve", given)
    assert running.perform(job, data=None, folder=tmp_path).figures
