"""Which field is chosen, what is promised of it, and that the promise was measured."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stegfield import bench, fields
from stegfield.config import FitConfig
from stegfield.fields import choosing, pace, targets
from stegfield.fields.choosing import GOAL_DB, MEASURED, USUAL_SECONDS, choose, expected_db
from stegfield.fields.run import Run
from stegfield.fields.schedule import MOST_FOR_ENDING, Schedule, left
from stegfield.fields.targets import Target
from stegfield.signals import IMAGE, MEDIA, SOUND, waves

RESULTS = Path(__file__).parents[2] / "results" / "choosing"
SIZES = st.tuples(st.integers(1, 2000), st.integers(1, 2000))
PLAIN = FitConfig()


def test_every_promise_was_measured_and_is_of_the_worst_photograph() -> None:
    results = bench.Results(RESULTS)
    worst: dict[tuple[str, bool, int, int], float] = {}
    for job in bench.load("speed-22-choosing").jobs():
        record, named = results.of(job), dict[str, Any](job.settings)
        assert record is not None, named
        key = (named["field"], named["secrets"] > 0, named["resolution"] ** 2, named["steps"])
        figures = dict[str, Any](record.facts.figures)
        worst[key] = min(figures["psnr_db"], worst.get(key, figures["psnr_db"]))
    promised = {
        (name, shared, points, steps): db
        for (name, shared), rows in MEASURED.items()
        for points, row in rows.items()
        for steps, db in row
    }
    assert worst.keys() == promised.keys()
    assert all(0 <= worst[key] - promised[key] < 0.11 for key in worst)


@pytest.mark.parametrize("size", [(128, 128), (400, 600), (512, 512), (1024, 1024), (836, 1254)])
@pytest.mark.parametrize("shared", [False, True])
def test_the_default_is_expected_to_reach_its_goal(size: tuple[int, int], shared: bool) -> None:
    choice = choose(size, IMAGE, PLAIN, shared=shared)
    if choice.expected_db is not None:
        assert choice.expected_db >= GOAL_DB
        assert choice.seconds is not None
        assert shared or choice.seconds <= USUAL_SECONDS
    else:
        assert shared
        assert choice.architecture == "grid"


def test_the_default_field_of_a_small_photograph_has_room_for_files() -> None:
    field = fields.new_field(waves(128, 128))
    assert field.architecture == "siren"
    assert field.weight_count() >= 116_000


@given(SIZES, st.sampled_from([None, 1.0, 15.0, 120.0, 1e4]), st.integers(0, 3))
def test_size_and_time_alone_decide(
    size: tuple[int, int], seconds: float | None, seed: int
) -> None:
    chosen = {
        choose(size, IMAGE, FitConfig(max_seconds=seconds, **more)).architecture
        for more in ({}, {"seed": seed}, {"steps": 3 + seed}, {"target_db": 20.0 + seed})
    }
    assert len(chosen) == 1
    assert chosen < {"siren", "grid"} or chosen == {"siren"}


def test_what_is_given_wins() -> None:
    large = (512, 512)
    assert choose(large, IMAGE, PLAIN).architecture == "grid"
    assert choose(large, IMAGE, PLAIN, architecture="siren").architecture == "siren"
    assert choose(large, IMAGE, PLAIN, sizes={"w0": 60.0}).architecture == "siren"
    assert choose((8, 8), IMAGE, PLAIN, sizes={"finest": 16}).architecture == "grid"
    assert choose(large, IMAGE, FitConfig(robust=True)).architecture == "fourier"
    assert choose(large, IMAGE, PLAIN, sizes={"width": 64}).expected_db is None
    assert choose(large, IMAGE, FitConfig(batch=7)).expected_db is None
    field = fields.new_field(waves(300, 400), sizes={"w0": 60.0})
    assert field.architecture == "siren"


@pytest.mark.parametrize("medium", [each for each in MEDIA.values() if each is not IMAGE])
def test_other_media_get_a_field_that_shows_them(medium: Any) -> None:
    size = (44_100, 40, 30)[: medium.axes]
    assert choose(size, medium, PLAIN).architecture == "siren"


def test_the_words_tell_what_to_expect() -> None:
    words = choose((128, 128), IMAGE, PLAIN).words
    assert words.startswith("a siren field for 16,384 points: expect 61 dB or more of a photograph")
    assert "s of two cores" in words
    assert choose((999,), SOUND, PLAIN).words == "a siren field for 999 points"
    less = choose((128, 128), IMAGE, FitConfig(max_seconds=3.0, steps=10**6))
    assert less.seconds == pytest.approx(3)


@given(st.integers(1, 10**8), st.integers(1, 10**5), st.sampled_from(sorted(MEASURED)))
def test_more_steps_are_never_expected_to_show_less(
    points: int, steps: int, key: tuple[str, bool]
) -> None:
    rows = MEASURED[key]
    assert expected_db(rows, points, steps) <= expected_db(rows, points, 2 * steps)


@pytest.mark.parametrize("times", [0.25, 1.0, 6.0])
def test_the_pace_is_timed_by_steps_of_a_training(times: float) -> None:
    method, told = choosing.method_of("siren"), 0.0

    def clock() -> float:
        nonlocal told
        told += times * method.seconds * method.batch_of(0)  # a look at it after each step
        return told

    assert pace.slowness(clock) == pytest.approx(max(1.0, times))


def test_timing_ends_where_one_step_takes_long() -> None:
    looks: list[float] = []

    def clock() -> float:
        looks.append(100.0 * len(looks))
        return looks[-1]

    assert pace.slowness(clock) > 1000
    assert len(looks) == 2


def test_nothing_is_timed_where_seconds_decide_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "slowness", lambda: 7.0)
    timed = FitConfig(max_seconds=9.0)
    assert pace.slowness_for(IMAGE, timed) == 7
    assert pace.slowness_for(IMAGE, PLAIN) == pace.slowness_for(SOUND, timed) == 1
    assert pace.slowness_for(IMAGE, FitConfig(max_seconds=9.0, robust=True)) == 1


def test_a_slow_machine_chooses_otherwise_and_promises_less() -> None:
    timed = FitConfig(max_seconds=20.0)
    quick, slow = (choose((128, 128), IMAGE, timed, slowness=times) for times in (1.0, 12.0))
    assert (quick.architecture, slow.architecture) == ("siren", "grid")
    assert quick.expected_db is not None
    assert slow.expected_db is not None
    assert slow.expected_db < quick.expected_db
    assert slow.seconds == pytest.approx(20)
    assert "in about 20 s of two cores" in quick.words
    assert "in about 20 s of this machine, which takes 12.0 times as long as two" in slow.words
    assert choose((999, 999), IMAGE, PLAIN, slowness=12.0).architecture == "grid"


@given(SIZES, st.floats(1.0, 600.0), st.floats(1.0, 30.0), st.sampled_from(["siren", "grid"]))
def test_a_slower_machine_is_never_promised_more(
    size: tuple[int, int], seconds: float, times: float, name: str
) -> None:
    training = FitConfig(max_seconds=seconds)
    quick = choose(size, IMAGE, training, architecture=name)
    slow = choose(size, IMAGE, training, architecture=name, slowness=times)
    assert (quick.expected_db or 0.0) >= (slow.expected_db or 0.0)


@pytest.mark.parametrize("times", [1.0, 5.0])
def test_a_busy_machine_keeps_more_time_for_what_follows(
    times: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    cover = waves(64, 64)
    run = Run(fields.new_field(cover), [Target(cover)], FitConfig(max_seconds=100.0), {})
    run.step, run._before = 100, 1e6
    step = choosing.method_of("siren").seconds * 2048
    monkeypatch.setattr(Run, "seconds", property(lambda self: self.step * times * step))
    monkeypatch.setattr(targets, "render", lambda *_: None)
    assert run.slowness == pytest.approx(times)
    run.keep_time()
    assert run.limit == pytest.approx(100 - times * targets.DRAWING_SECONDS, abs=0.5)


def test_a_step_of_a_grid_takes_an_eighth_of_the_points() -> None:
    method = choosing.method_of("grid")
    assert method.batch_of(1024**2) == 1024**2 // 8
    assert method.batch_of(100) == 2048
    assert choosing.method_of("of another package").batch_of(10**6) == 2048


def test_what_has_passed_is_taken_off_the_seconds() -> None:
    assert left(PLAIN, time.monotonic() - 9) is PLAIN
    assert left(FitConfig(max_seconds=30.0), time.monotonic() - 9).max_seconds == pytest.approx(
        21, abs=1
    )
    assert 0 < (left(FitConfig(max_seconds=30.0), time.monotonic() - 99).max_seconds or 0) < 0.1


@pytest.mark.parametrize(
    ("ending", "limit"), [(0.0, 10.0), (2.0, 8.0), (1e9, 10 * MOST_FOR_ENDING)]
)
def test_what_follows_the_training_is_kept_of_the_seconds(ending: float, limit: float) -> None:
    schedule = Schedule(FitConfig(max_seconds=10.0), 50, 1000, ending=ending)
    assert schedule.limit == limit
    assert schedule.fraction(1, limit) == 1


def test_a_training_leaves_time_for_what_follows() -> None:
    fitted = fields.fit(waves(200, 300), training=FitConfig(max_seconds=4.0, seed=1))
    assert 0 < fitted.seconds < 4.0


def test_a_run_is_resumed_with_its_architecture(tmp_path: Path) -> None:
    checkpoint, cover = tmp_path / "run", waves(12, 12)
    plan = FitConfig(steps=2, seed=1)
    fields.fit(cover, architecture="grid", training=plan, checkpoint=checkpoint)
    assert checkpoint.exists()
    again = fields.fit(cover, training=FitConfig(steps=3, seed=1), checkpoint=checkpoint)
    assert again.field.architecture == "grid"
