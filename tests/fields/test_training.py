from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch

from stegfield import fields
from stegfield.errors import ConfigError, DivergedError, InputError
from stegfield.fields import (
    FitConfig,
    FitProgress,
    FitWatch,
    Target,
    checkpoints,
    choosing,
    damage,
    train,
)
from stegfield.fields.batches import TargetGroup
from stegfield.fields.schedule import POLISH_SHARE, decayed
from stegfield.fields.targets import measure
from stegfield.signals import waves

SIZES: dict[str, int | float] = {"width": 16, "depth": 2}


def start(seed: int = 5) -> fields.Field:
    return fields.new_field(waves(20, 24), architecture="siren", sizes=SIZES, seed=seed)


def run(field: fields.Field, **settings: object) -> fields.Training:
    config = FitConfig(**{"batch": 128, "seed": 5, **settings})  # type: ignore[arg-type]
    return train(field, [Target(waves(20, 24))], config)


@pytest.mark.parametrize(
    ("optimizer", "robust"), [("muon", False), ("adam", False), ("muon", True)]
)
def test_a_run_from_a_checkpoint_ends_as_if_it_had_never_stopped(
    optimizer: str, robust: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = start()
    run(whole, steps=40, optimizer=optimizer, robust=robust)

    monkeypatch.setattr("stegfield.fields.training.CHECKPOINT_SECONDS", -1.0)
    config = FitConfig(steps=40, batch=128, seed=5, optimizer=optimizer, robust=robust)  # type: ignore[arg-type]
    targets, checkpoint = [Target(waves(20, 24))], tmp_path / "run.ckpt"

    class StopError(Exception):
        pass

    def stop(progress: FitProgress) -> bool:
        if progress.step == 17:
            raise StopError
        return False

    with pytest.raises(StopError):
        train(start(), targets, config, watch=stop, checkpoint=checkpoint)
    assert checkpoint.stat().st_mode & 0o077 == 0
    resumed = start()
    result = train(resumed, targets, config, checkpoint=checkpoint)
    assert result.steps == 40
    assert fields.to_bytes(resumed) == fields.to_bytes(whole)


def test_a_checkpoint_of_another_run_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stegfield.fields.training.CHECKPOINT_SECONDS", -1.0)
    checkpoint = tmp_path / "run.ckpt"
    config = FitConfig(steps=3, batch=128, seed=5)
    train(start(), [Target(waves(20, 24))], config, checkpoint=checkpoint)
    with pytest.raises(InputError, match="belongs to another run"):
        train(start(), [Target(waves(20, 24, phase=1.0))], config, checkpoint=checkpoint)


@pytest.mark.parametrize("damage", [b"", b"\0" * 100, b"PK\x03\x04pickle?", b"\xff" * 8])
def test_a_damaged_checkpoint_is_refused(damage: bytes, tmp_path: Path) -> None:
    checkpoint = tmp_path / "run.ckpt"
    checkpoint.write_bytes(damage)
    with pytest.raises(InputError, match="damaged checkpoint"):
        train(start(), [Target(waves(20, 24))], FitConfig(steps=3), checkpoint=checkpoint)


@pytest.mark.parametrize(
    "changes",
    [
        {"step": "Infinity"},
        {"step": "-1"},
        {"step": "1.5"},
        {"step": "true"},
        {"seconds": "Infinity"},
        {"seconds": "NaN"},
        {"seconds": "-1"},
        {"seconds": "[]"},
        {"errors": "0.5"},
        {"errors": "[0.5, 0.5]"},
        {"errors": "[-1]"},
        {"errors": "[[0.5]]"},
        {"errors": '["0"]'},
        {"cycle": "Infinity", "cycle_start": "0"},
        {"cycle": "[1]", "cycle_start": "0"},
        {"cycle": "0", "cycle_start": "0"},
        {"run": "3"},
    ],
    ids=str,
)
def test_every_fact_of_a_checkpoint_is_checked(
    changes: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stegfield.fields.training.CHECKPOINT_SECONDS", -1.0)
    checkpoint = tmp_path / "run.ckpt"
    config = FitConfig(target_db=90.0, batch=128, seed=5)
    monkeypatch.setattr("stegfield.fields.schedule.FIRST_CYCLE", 2)
    monkeypatch.setattr("stegfield.fields.schedule.LAST_CYCLE", 2)
    train(start(), [Target(waves(20, 24))], config, checkpoint=checkpoint)
    with safetensors.safe_open(checkpoint, "pt") as stream:
        facts = json.loads(stream.metadata()[checkpoints.ENTRY])
    entries = {name: json.dumps(value) for name, value in facts.items()} | changes
    text = "{" + ", ".join(f'"{name}": {value}' for name, value in entries.items()) + "}"
    tensors = safetensors.torch.load_file(checkpoint)
    safetensors.torch.save_file(tensors, checkpoint, {checkpoints.ENTRY: text})
    with pytest.raises(InputError):
        train(start(), [Target(waves(20, 24))], config, checkpoint=checkpoint)


def test_a_run_stops_at_the_psnr_asked_for() -> None:
    field = start()
    assert run(field, target_db=25.0, steps=2000).steps < 2000
    assert measure(field, [Target(waves(20, 24))])[0] >= 25


def test_a_psnr_alone_is_tried_for_with_longer_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stegfield.fields.schedule.FIRST_CYCLE", 10)
    monkeypatch.setattr("stegfield.fields.schedule.LAST_CYCLE", 40)
    assert run(start(), target_db=90.0).steps == 10 + 20 + 40


def test_seconds_plan_a_run_without_a_number_of_steps() -> None:
    result = run(start(), max_seconds=0.3)
    assert result.steps > 1
    assert not result.stopped


def test_asking_for_the_end_winds_down() -> None:
    field = start()
    result = train(
        field,
        [Target(waves(20, 24))],
        FitConfig(steps=100_000, batch=128),
        watch=lambda progress: progress.step >= 30,
    )
    assert result.stopped
    assert result.steps == 30 + 20


def robust_start() -> fields.Field:
    sizes = {"width": 32, "depth": 2, "frequencies": 32}
    return fields.new_field(waves(20, 24), sizes=sizes, seed=5, robust=True)


def test_a_robust_run_stops_at_the_psnr_that_its_field_has() -> None:
    field = robust_start()
    assert run(field, target_db=25.0, steps=1000, warm_up=20, robust=True).steps < 1000
    assert measure(field, [Target(waves(20, 24))])[0] >= 25


@pytest.mark.parametrize("damaged", [0.1, 0.2, damage.PRUNED])
def test_robust_training_keeps_to_the_signal_where_other_training_does_not(damaged: float) -> None:
    left = []
    for robust in (True, False):
        field = robust_start()
        run(field, steps=300, warm_up=20, robust=robust)
        (whole,) = measure(field, [Target(waves(20, 24))])
        assert whole > 25
        with torch.no_grad():
            for weight in (p for p in field.parameters() if p.ndim > 1):
                weight.copy_(damage.pruned(weight, damaged))
        left.append(measure(field, [Target(waves(20, 24))])[0])
    assert left[0] > left[1] + 3


def test_robust_training_and_lbfgs_do_not_go_together() -> None:
    with pytest.raises(ConfigError, match=r"polish=\.\.\. has no meaning with robust=True"):
        FitConfig(robust=True, polish=1)


def test_progress_tells_every_target_in_order() -> None:
    seen: list[FitProgress] = []
    targets = [Target(waves(20, 24)), Target(waves(9, 30, phase=2.0))]

    def watch(progress: FitProgress) -> bool:
        seen.append(progress)
        return False

    train(start(), targets, FitConfig(steps=5, batch=64), watch=watch)
    assert [p.step for p in seen] == [1, 2, 3, 4, 5]
    assert all(len(p.psnr_db) == 2 for p in seen)
    assert [p.fraction for p in seen] == sorted(p.fraction for p in seen)


def polished(watch: FitWatch | None = None, **settings: object) -> tuple[fields.Training, float]:
    """Train and polish; also give the PSNR."""
    field, target = start(), [Target(waves(20, 24))]
    config = FitConfig(**{"steps": 60, "batch": 128, "seed": 5, **settings})  # type: ignore[arg-type]
    result = train(field, target, config, watch=watch)
    return result, measure(field, target)[0]


def test_polishing_makes_it_better_and_tells_its_progress() -> None:
    seen: list[FitProgress] = []

    def watch(progress: FitProgress) -> bool:
        seen.append(progress)
        return False

    _, before = polished()
    result, after = polished(watch, polish=20)
    assert after > before
    assert not result.stopped
    assert len(seen) > 60 + 20
    assert [p.fraction for p in seen] == sorted(p.fraction for p in seen)
    assert seen[60].fraction >= seen[59].fraction == pytest.approx(1 - POLISH_SHARE)
    assert seen[-1].fraction == pytest.approx(1)
    # the best weights seen are those that stay
    assert max(p.psnr_db[0] for p in seen) == seen[-1].psnr_db[0] == pytest.approx(after, abs=0.1)


@pytest.mark.parametrize("evaluations", [1, 2, 7])
def test_polishing_ends_where_the_watcher_asks_and_keeps_the_best(evaluations: int) -> None:
    asked: list[float] = []

    def watch(progress: FitProgress) -> bool:
        if progress.fraction >= 1 - POLISH_SHARE and progress.step == 60:
            asked.append(progress.psnr_db[0])
        return len(asked) > evaluations  # the first is that of the last step

    _, before = polished()
    result, after = polished(watch, polish=20)
    assert result.stopped
    assert len(asked) == evaluations + 1
    assert after >= before


def test_polishing_keeps_to_the_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count()
    monkeypatch.setattr("stegfield.fields.run.time.monotonic", lambda: float(next(ticks)))
    result, _ = polished(steps=None, max_seconds=300.0, polish=10**6)
    assert 240 < result.seconds < 310
    assert not result.stopped


def test_every_epoch_shows_every_point_once() -> None:
    field = fields.new_field(waves(8, 16), sizes=SIZES, seed=5)
    group = TargetGroup(field, [Target(waves(8, 16))], ((8, 16), False), "l2")
    seen = torch.cat([group.batch(step, 32, seed=9) for step in range(4)])
    assert seen.sort().values.tolist() == list(range(128))
    again = torch.cat([group.batch(step, 32, seed=9) for step in range(4, 8)])
    assert again.sort().values.tolist() == list(range(128))
    assert again.tolist() != seen.tolist()


def test_a_full_batch_is_the_whole_signal_whatever_the_chunks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, chunked = start(), start()
    run(whole, steps=3, batch=0)
    small = replace(choosing.method_of("siren"), chunk=100)
    monkeypatch.setattr("stegfield.fields.batches.method_of", lambda _: small)
    run(chunked, steps=3, batch=0)
    for a, b in zip(whole.parameters(), chunked.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-5)


def test_what_comes_after_a_step_is_part_of_it_and_seen_by_the_watcher() -> None:
    told: list[tuple[int, float]] = []
    seen: list[float] = []
    field = start()
    bias = field.decoder.get_parameter("layers.0.bias").detach()  # the same memory

    def pin(step: int, fraction: float) -> None:
        told.append((step, fraction))
        with torch.no_grad():
            bias.fill_(0.25)

    def watch(progress: FitProgress) -> bool:
        seen.append(float(bias.max()))
        return False

    config = FitConfig(steps=4, batch=64)
    train(field, [Target(waves(20, 24))], config, after_step=pin, watch=watch)
    assert told == [(1, 0.25), (2, 0.5), (3, 0.75), (4, 1.0)]
    assert seen == [0.25] * 4
    assert (bias == 0.25).all()


def test_absolute_error_is_a_choice() -> None:
    l1, l2 = start(), start()
    run(l1, steps=5, loss="l1")
    run(l2, steps=5, loss="l2")
    assert fields.to_bytes(l1) != fields.to_bytes(l2)


def test_the_step_length_falls_to_nothing_or_stays() -> None:
    assert decayed(0.0, 3.0) == 1.0
    assert decayed(1.0, 3.0) == 0.0
    assert decayed(0.5, 3.0) == pytest.approx(math.exp(-1.5) * math.sqrt(0.5))
    assert decayed(0.9, 0.0) == 1.0


@pytest.mark.parametrize(
    "settings",
    [
        {"steps": 0},
        {"batch": -1},
        {"decay": math.nan},
        {"polish": -1},
        {"max_seconds": 0.0},
        {"target_db": math.inf},
        {"learning_rate": -1.0},
        {"seed": -1},
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=rf"FitConfig\({next(iter(settings))}=\.\.\.\) must be"):
        FitConfig(**settings)  # type: ignore[arg-type]


def test_a_run_that_diverges_ends_in_an_error() -> None:
    with pytest.raises(DivergedError, match="training diverged"):
        run(start(), steps=50, learning_rate=1e30)


def test_a_longer_plan_may_go_on_from_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stegfield.fields.training.CHECKPOINT_SECONDS", -1.0)
    checkpoint, targets = tmp_path / "run", [Target(waves(20, 24))]
    short = FitConfig(steps=10, batch=128, seed=5)
    assert train(start(), targets, short, checkpoint=checkpoint).steps == 10
    long = FitConfig(steps=30, batch=128, seed=5)
    assert train(start(), targets, long, checkpoint=checkpoint).steps == 30
