from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, distributed, nn
from torch.nn import functional

import stegfield
from stegfield import generative
from stegfield.config import GanConfig
from stegfield.errors import ConfigError, DivergedError, InputError
from stegfield.fields import checkpoints
from stegfield.generative import (
    Arrays,
    Globes,
    Model,
    TrainProgress,
    TrainWatch,
    logbook,
    states,
    store,
    train,
)
from stegfield.generative.batches import principal_places
from stegfield.generative.hypernet import CompactHead
from stegfield.generative.logbook import CURVES, EARLIER, LOG, SAMPLES
from stegfield.generative.model import GeneratorSizes
from stegfield.generative.pointconv import Pyramid
from stegfield.generative.points import even_points
from stegfield.generative.processes import ALONE, Processes
from stegfield.generative.run import Run
from stegfield.generative.states import MODEL, STATE
from stegfield.generative.wasserstein import SlicedWasserstein
from stegfield.signals import CLIMATE, IMAGE

TINY = GanConfig(
    size=8, steps=12, warm_up=3, batch=8, latent=4, hidden="8", rank=2, width=6, depth=2,
    frequencies=4, std=1.0, channels=4, r1_every=4, seed=3,
)  # fmt: skip


def smooth(count: int = 32, side: int = 8, channels: int = 3) -> Tensor:
    """Random smooth pictures."""
    coarse = torch.rand(count, channels, 3, 3, generator=torch.Generator().manual_seed(2)) * 2 - 1
    wide = functional.interpolate(coarse, (side, side), mode="bilinear", align_corners=True)
    return wide.permute(0, 2, 3, 1).contiguous()


def warm_globes(count: int = 32) -> Globes:
    """Temperatures that fall from the equator to the poles, each field in its own way."""
    waves = smooth(count, side=12, channels=1)[..., 0].numpy()
    return Globes(270 + 10 * waves + 20 * np.sin(np.linspace(0, np.pi, 12))[:, None])


def trained(
    folder: Path,
    *,
    watch: TrainWatch | None = None,
    side: int = 8,
    medium: str = "image",
    **settings: Any,
) -> tuple[Model, dict[str, Tensor]]:
    """The model of a run in a folder, and all numbers of the state that it left."""
    folder.mkdir(exist_ok=True)
    config = replace(TINY, **settings)
    examples = Arrays(smooth(side=side)) if medium == "image" else warm_globes()
    model = train(examples, config, folder, name="tiny", watch=watch)
    return model, safetensors.torch.load_file(folder / STATE)


def assert_equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]), name


VARIANTS = [
    {},
    {"points": 40},
    {"augment": 0.5},
    {"size": 16, "grow": "8:3"},
    {"size": 16, "points": 100, "rank": 0},
    {"precision": "bfloat16"},
    {"r1": 0.0, "warm_up": 0, "mirror": False},
    {"medium": "climate", "points": 30},
    {"medium": "climate", "size": 16, "grow": "8:3", "augment": 0.5},
]


def in_the_warm_up(progress: TrainProgress) -> bool:
    return progress.warm_up_left == 1


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_a_run_that_is_resumed_ends_as_if_it_had_never_stopped(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    settings = {"side": settings.get("size", 8), **settings}
    whole, state = trained(tmp_path / "whole", **settings)
    early, _ = trained(tmp_path / "parts", watch=in_the_warm_up, **settings)
    assert early.steps == (0 if "warm_up" not in settings else 12)
    resumed, again = trained(tmp_path / "parts", **settings)
    assert_equal(state, again)
    trained(tmp_path / "more", steps=6, **settings)
    resumed, again = trained(tmp_path / "more", **settings)
    assert whole.steps == resumed.steps == 12
    lines = [
        json.loads((tmp_path / name / LOG).read_text().splitlines()[-1])
        for name in ("whole", "more")
    ]
    figures = (
        "critic_loss",
        "real",
        "generated",
        "penalty",
        "learned",
        "held_out",
        "swd",
        "real_swd",
    )
    assert [lines[0][name] for name in figures] == [lines[1][name] for name in figures]
    assert_equal(state, again)
    assert_equal(whole.generator.state_dict(), resumed.generator.state_dict())


def test_a_run_that_ends_in_the_warm_up_shows_how_far_it_came(tmp_path: Path) -> None:
    trained(tmp_path, watch=in_the_warm_up)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [MODEL, STATE, LOG, SAMPLES, CURVES, EARLIER]
    )
    (line,) = (json.loads(line) for line in (tmp_path / LOG).read_text().splitlines())
    assert (line["step"], line["warm_up_left"]) == (0, 1)
    assert line["critic_loss"] is None
    trained(tmp_path, warm_up=0, steps=1)  # whoever wants no more of it
    trained(tmp_path, steps=2)  # and it does not come again
    lines = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert [line["step"] for line in lines] == [0, 1, 2]
    assert not any(
        name.startswith("optimizer.2") for name in safetensors.torch.load_file(tmp_path / STATE)
    )


def test_a_state_from_before_warm_ups_were_counted_goes_on(tmp_path: Path) -> None:
    _, state = trained(tmp_path, steps=6)
    with safetensors.safe_open(tmp_path / STATE, "pt") as stream:
        facts = json.loads(stream.metadata()[checkpoints.ENTRY])
    del facts["warm_up_left"], facts["taken_over"], facts["examples"], facts["penalty"]
    safetensors.torch.save_file(state, tmp_path / STATE, {checkpoints.ENTRY: json.dumps(facts)})
    _, again = trained(tmp_path)
    _, whole = trained(tmp_path / "whole")
    assert_equal(whole, again)


def test_a_seed_gives_the_same_run_again_and_another_seed_another(tmp_path: Path) -> None:
    model, state = trained(tmp_path / "one", steps=4)
    torch.rand(3)  # what else is drawn does not matter
    again, same = trained(tmp_path / "two", steps=4)
    assert_equal(state, same)
    assert store.to_bytes(model) == store.to_bytes(again)
    assert (tmp_path / "one" / SAMPLES).read_bytes() == (tmp_path / "two" / SAMPLES).read_bytes()
    other, _ = trained(tmp_path / "three", steps=4, seed=4)
    assert store.to_bytes(model) != store.to_bytes(other)


def test_training_leaves_torch_s_random_numbers_alone(tmp_path: Path) -> None:
    torch.manual_seed(1)
    wanted = torch.rand(3)
    torch.manual_seed(1)
    trained(tmp_path, steps=2)
    assert torch.equal(torch.rand(3), wanted)


def test_the_watcher_ends_a_run_with_its_state_written(tmp_path: Path) -> None:
    seen: list[TrainProgress] = []

    def watch(progress: TrainProgress) -> bool:
        seen.append(progress)
        return progress.step == 5

    model, _ = trained(tmp_path, watch=watch)
    assert model.steps == 5
    assert [(p.step, p.warm_up_left) for p in seen] == [
        *((0, 2), (0, 1), (0, 0)),  # it watches the warm-up too
        *((step, 0) for step in range(1, 6)),
    ]
    assert all(p.steps == 12 and p.size == 8 for p in seen)
    resumed, state = trained(tmp_path)
    assert resumed.steps == 12
    _, whole = trained(tmp_path / "whole")
    assert_equal(state, whole)


def test_seconds_end_a_run(tmp_path: Path) -> None:
    long: dict[str, Any] = {"steps": 10**6, "max_seconds": 1e-6}
    model, _ = trained(tmp_path / "plain", **long, warm_up=0)
    assert model.steps == 1
    model, _ = trained(tmp_path / "warm", **long)
    assert model.steps == 0
    for _ in range(3):  # two steps of the warm-up are left
        model, _ = trained(tmp_path / "warm", **long)
    assert model.steps == 1


def test_a_folder_gets_the_model_the_state_the_log_and_a_picture(tmp_path: Path) -> None:
    model, _ = trained(tmp_path, watch=lambda progress: progress.step == 3)
    trained(tmp_path)
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == sorted([MODEL, STATE, LOG, SAMPLES, CURVES, EARLIER])
    lines = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert [line["step"] for line in lines] == [3, 12]
    assert all(line["swd"] > 0 < line["real_swd"] for line in lines)
    assert all(isinstance(figure, int | float) for line in lines for figure in line.values())
    assert lines[0]["seconds"] < lines[1]["seconds"]
    assert (tmp_path / STATE).stat().st_mode & 0o077 == 0
    saved = generative.load(tmp_path / MODEL)
    assert (saved.name, saved.steps, saved.examples, saved.size) == ("tiny", 12, 29, (8, 8))
    assert saved.sizes == GeneratorSizes.of(TINY)
    state = safetensors.torch.load_file(tmp_path / STATE)
    weights = {name: each.detach() for name, each in saved.generator.named_parameters()}
    average, last = (
        {name: state[f"field.{part}.{name}"].half().float() for name in weights}
        for part in ("average", "generator")
    )
    assert_equal(weights, average)
    assert not all(torch.equal(weights[name], last[name]) for name in weights)
    trained(tmp_path, steps=13)
    kept = sorted(path.name for path in (tmp_path / EARLIER).iterdir())
    assert kept == ["00000003.png", "00000012.png"]
    with Image.open(tmp_path / SAMPLES) as sheet:
        assert sheet.width == pytest.approx(4 * sheet.height, rel=0.02)  # sixteen in a row
    assert model.steps == 3


def dark_and_bright(count: int = 60) -> Arrays:
    """Examples that are dark where they are learned from and bright where they are held out."""
    held_out = torch.arange(count) % 10 == 9
    levels = torch.where(held_out, 0.5, -0.5)
    return Arrays(levels.view(-1, 1, 1, 1).expand(-1, 8, 8, 3) + 0.1 * smooth(count))


@pytest.mark.parametrize("settings", [{}, {"augment": 1.0, "points": 40}, {"batch": 4}], ids=str)
def test_the_log_compares_unchanged_examples_with_as_many_held_out_ones(
    settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = dark_and_bright()
    run = Run(examples, replace(TINY, **settings), "tiny", ALONE)
    seen: list[Tensor] = []

    def brightness(values: Tensor, _: Pyramid) -> Tensor:
        seen.append(values)
        return values.mean((1, 2))

    monkeypatch.setattr(run, "critic", brightness)
    states.save(run, tmp_path)
    told = run.progress()
    assert told.learned == pytest.approx(-0.5, abs=0.1)
    assert told.held_out == pytest.approx(0.5, abs=0.1)
    learned, held_out = torch.cat(seen).chunk(2)
    assert len(learned) == len(held_out) == len(run.held_out)
    if not settings.get("points"):
        assert torch.equal(held_out, examples.values(run.held_out, 8))


def test_no_more_examples_are_scored_for_the_log_than_are_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = Run(Arrays(smooth(300)), TINY, "tiny", ALONE)
    assert states.mean_score(run, run.training) != states.mean_score(run, run.held_out)
    monkeypatch.setattr("stegfield.generative.states.SCORED", 5)
    asked: list[NDArray[np.int64]] = []
    look_at = run.batches.look_at

    def noted(index: NDArray[np.int64], *others: Any) -> Any:
        asked.append(index)
        return look_at(index, *others)

    monkeypatch.setattr(run.batches, "look_at", noted)
    states.mean_score(run, run.training)
    (index,) = asked
    assert index.tolist() == run.training[[0, 67, 134, 201, 269]].tolist()


def test_distances_of_the_log_are_from_examples_that_were_held_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    measured: list[list[Tensor]] = []

    def noted(real: Tensor, sets: list[Tensor], **_: Any) -> list[SlicedWasserstein]:
        measured.append([real, *sets])
        return [SlicedWasserstein({}, float(len(each))) for each in sets]

    monkeypatch.setattr("stegfield.generative.logbook.sliced_wassersteins", noted)
    run = Run(dark_and_bright(), TINY, "tiny", ALONE)
    assert logbook.distances(run.model(), run.examples, 0) == (6, 6)
    ((real, drawn, others),) = measured
    assert real.mean() == pytest.approx(0.5, abs=0.1)
    assert others.mean() == pytest.approx(-0.5, abs=0.1)
    assert drawn.shape == real.shape == others.shape


def test_the_penalty_is_taken_at_what_the_critic_sees() -> None:
    run = Run(Arrays(smooth()), replace(TINY, augment=1.0, warm_up=0), "tiny", ALONE)
    seen: list[Tensor] = []
    run.critic.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach()))
    run.advance()
    _, real, penalised = seen
    assert torch.equal(real, penalised)
    assert not any(torch.equal(each, other) for each in real for other in smooth().flatten(1, 2))


def test_checkpoints_are_written_on_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stegfield.generative.training.CHECKPOINT_SECONDS", -1.0)
    trained(tmp_path, steps=3)
    lines = [json.loads(line)["step"] for line in (tmp_path / LOG).read_text().splitlines()]
    assert lines == [0, 0, 0, 1, 2, 3, 3]


@pytest.mark.parametrize("end", ["", "\n"], ids=["no end", "end"])
@pytest.mark.parametrize("lines", [0, 1])
def test_a_line_of_the_log_that_was_cut_off_does_not_end_a_run(
    lines: int, end: str, tmp_path: Path
) -> None:
    trained(tmp_path, steps=2)
    kept = (tmp_path / LOG).read_text() * lines
    (tmp_path / LOG).write_text(kept + '{"step": 2, "st' + end)
    model, _ = trained(tmp_path, steps=4)
    assert model.steps == 4
    *_, last = (tmp_path / LOG).read_text().splitlines()
    assert json.loads(last)["step"] == 4
    assert len((tmp_path / LOG).read_text().splitlines()) == lines + 1 + len(end)


def test_the_time_left_is_that_of_the_steps_of_this_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = trained(tmp_path)
    clock = 0.0
    monkeypatch.setattr("stegfield.generative.training.time.monotonic", lambda: clock)
    run = Run(Arrays(smooth()), replace(TINY, steps=22, warm_up=1), "other", ALONE)
    states.take_over(run, first)
    run.warm_up()
    clock += 1000
    assert run.progress().images_a_second == 0
    for _ in range(4):
        run.advance()
        clock += 2
        told = run.progress()
    assert told.images_a_second == pytest.approx(TINY.batch / 2)
    assert told.seconds_left == pytest.approx(2 * 6)
    assert told.seconds == 1008


def placed(run: Run) -> Tensor:
    """Where the warm-up of a run puts its examples."""
    return principal_places(run.examples, run.training, size=8, latent=4, seed=TINY.seed)


def test_places_are_taken_from_a_bounded_part_of_the_examples(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = Run(Arrays(smooth(60)), TINY, "tiny", ALONE)
    flat = smooth(60)[run.training].flatten(1)
    centred = flat - flat.mean(0)
    with torch.random.fork_rng([]):
        torch.manual_seed(TINY.seed)
        axes = torch.pca_lowrank(centred, 4, center=False, niter=4)[2]
    wanted = centred @ axes
    assert torch.allclose(placed(run), wanted / wanted.std(0), atol=1e-4)
    rows = []
    pca = torch.pca_lowrank

    def counted(values: Tensor, *sizes: Any, **settings: Any) -> tuple[Tensor, Tensor, Tensor]:
        rows.append(len(values))
        return pca(values, *sizes, **settings)

    monkeypatch.setattr(torch, "pca_lowrank", counted)
    monkeypatch.setattr("stegfield.generative.batches.PLACED_EXAMPLES", 20)
    places = placed(run)
    assert rows == [18]
    assert places.shape == (54, 4)
    assert torch.allclose(places.std(0), torch.ones(4), atol=1e-3)
    assert torch.allclose(places.mean(0), torch.zeros(4), atol=1e-3)


def test_grey_examples_give_a_model_of_one_channel(tmp_path: Path) -> None:
    examples = Arrays(smooth(channels=1))
    model = train(examples, replace(TINY, steps=2), tmp_path, name="grey")
    assert model.channels == 1
    with Image.open(tmp_path / SAMPLES) as sheet:
        levels = np.asarray(sheet)
    assert (levels == levels[..., :1]).all()


@pytest.mark.parametrize("damage", [b"", b"\0" * 100, b"PK\x03\x04pickle?", b"\xff" * 8])
def test_a_damaged_state_is_refused(damage: bytes, tmp_path: Path) -> None:
    (tmp_path / STATE).write_bytes(damage)
    with pytest.raises(InputError, match="damaged checkpoint"):
        trained(tmp_path)
    assert (tmp_path / STATE).read_bytes() == damage


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.999])
def test_a_truncated_state_is_refused(share: float, tmp_path: Path) -> None:
    trained(tmp_path, steps=2)
    data = (tmp_path / STATE).read_bytes()
    (tmp_path / STATE).write_bytes(data[: int(share * len(data))])
    with pytest.raises(InputError, match="damaged checkpoint"):
        trained(tmp_path)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_a_state_with_numbers_that_are_not_finite_is_refused(value: float, tmp_path: Path) -> None:
    _, state = trained(tmp_path, steps=2)
    with safetensors.safe_open(tmp_path / STATE, "pt") as stream:
        metadata = stream.metadata()
    state["field.critic.score.bias"].fill_(value)
    safetensors.torch.save_file(state, tmp_path / STATE, metadata)
    with pytest.raises(InputError, match="damaged checkpoint"):
        trained(tmp_path)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"width": 8}, "its width=... is 6, not 8"),
        ({"rank": 0}, "its rank=... is 2, not 0"),
        ({"rank": 1}, "its rank=... is 2, not 1"),
        ({"channels": 8}, "its channels=... is 4, not 8"),
        ({"latent": 5}, "its latent=... is 4, not 5"),
        ({"hidden": "8,8"}, "its hidden=... is 8, not 8,8"),
        ({"size": 16}, "its size=... is 8, not 16"),
        ({"std": 0.5}, "its std=... is 1.0, not 0.5"),
        ({"seed": 4}, "its seed=... is 3, not 4"),
    ],
    ids=str,
)
def test_a_state_of_another_model_is_refused(
    settings: dict[str, Any], says: str, tmp_path: Path
) -> None:
    trained(tmp_path, steps=2)
    with pytest.raises(InputError, match=f"belongs to another run: {says}"):
        trained(tmp_path, **settings)


def test_a_run_goes_on_with_a_higher_rank(tmp_path: Path) -> None:
    trained(tmp_path, steps=8)
    runs = [Run(Arrays(smooth()), replace(TINY, rank=rank), "tiny", ALONE) for rank in (2, 5)]
    for run in runs:
        states.restore(run, tmp_path / STATE)
    low, high = runs
    assert_equal(low.critic.state_dict(), high.critic.state_dict())
    assert (low.step, low.progress().critic_loss) == (high.step, high.progress().critic_loss)
    latents = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    for name in ("generator", "average"):
        drawn, wanted = (run.parts[name](latents, even_points(IMAGE, 8)) for run in (high, low))
        assert torch.allclose(drawn, wanted, atol=1e-5)
    model, _ = trained(tmp_path, rank=5)
    assert (model.sizes.rank, model.steps) == (5, TINY.steps)
    trained(tmp_path, rank=5, steps=TINY.steps + 1)  # of which its state now knows


@pytest.mark.parametrize("pictures", [smooth(channels=1), smooth().flip(0), smooth(40)])
def test_a_state_of_other_examples_is_refused(pictures: Tensor, tmp_path: Path) -> None:
    trained(tmp_path, steps=2)
    with pytest.raises(InputError, match="belongs to another run: it has other examples"):
        train(Arrays(pictures), TINY, tmp_path, name="tiny")


def test_a_state_that_is_no_longer_finite_leaves_the_last_one(tmp_path: Path) -> None:
    trained(tmp_path, steps=2)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
    run = Run(Arrays(smooth()), TINY, "tiny", ALONE)
    states.restore(run, tmp_path / STATE)
    bias = next(run.critic.parameters())
    run.optimizers[1].state[bias]["exp_avg"].flatten()[0] = torch.inf
    with pytest.raises(DivergedError):
        states.save(run, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before
    trained(tmp_path)


def test_a_loss_that_is_no_number_ends_the_run(tmp_path: Path) -> None:
    pictures = smooth()
    pictures[:, 0, 0, 0] = torch.nan
    with pytest.raises(DivergedError, match="training diverged"):
        train(Arrays(pictures), replace(TINY, warm_up=0), tmp_path, name="tiny")
    assert not (tmp_path / STATE).exists()


def test_steps_too_long_end_the_run(tmp_path: Path) -> None:
    with pytest.raises(DivergedError):
        trained(tmp_path, critic_rate=1e30, steps=50)


def test_random_points_are_other_points_in_every_step() -> None:
    run = Run(Arrays(smooth()), replace(TINY, points=20, warm_up=0), "tiny", ALONE)
    chosen = []
    for step in range(3):
        run.step = step
        at, values, sets = run.batch(run.training, run.draws(0))
        assert values.shape == (TINY.batch, 20, 3)
        assert len(set(map(tuple, at.tolist()))) == 20
        assert len(sets[0].index) == 16
        assert int(sets[0].index.max()) < 20
        chosen.append(tuple(at[:, 0].tolist()))
    assert len(set(chosen)) == 3


def test_globes_are_turned_anew_in_every_step() -> None:
    examples = warm_globes()
    run = Run(examples, replace(TINY, warm_up=0), "tiny", ALONE)
    lattice = even_points(CLIMATE, 8)
    before = lattice
    for step in range(3):
        run.step = step
        at, values, _ = run.batch(run.training, run.draws(0))
        farthest = (at - lattice).norm(dim=1).max()
        assert 0.01 < farthest < 1
        assert not torch.allclose(at, before, atol=1e-3)
        known = examples.values_at(run.training, at)
        assert (values[:, None] == known).flatten(2).all(2).any(1).all()
        before = at


def test_a_run_grows_where_it_was_told(tmp_path: Path) -> None:
    sizes = []

    def watch(progress: TrainProgress) -> bool:
        if progress.step:
            sizes.append(progress.size)
        return False

    trained(tmp_path, watch=watch, side=16, size=16, grow="8:3", steps=6)
    assert sizes == [8, 8, 16, 16, 16, 16]  # told after each step is the size of the next


def test_mirrored_examples_are_the_examples_or_their_mirror_images() -> None:
    run = Run(Arrays(smooth()), replace(TINY, batch=64), "tiny", ALONE)
    batch = run.batch(run.training, run.draws(0))[1].view(64, 8, 8, 3)
    known = smooth()[run.training]
    as_they_are = (batch[:, None] == known).flatten(2).all(2).any(1)
    mirrored = (batch[:, None] == known.flip(2)).flatten(2).all(2).any(1)
    assert (as_they_are ^ mirrored).all()
    assert 16 < int(mirrored.sum()) < 48


def test_warming_up_brings_the_generator_near_its_examples() -> None:
    errors = []
    for steps in (0, 150):
        run = Run(Arrays(smooth()), replace(TINY, warm_up=steps, width=16), "tiny", ALONE)
        for _ in range(steps):
            run.warm_up()
        assert run.warm_up_left == 0
        places = placed(run)
        assert torch.allclose(places.std(0), torch.ones(4), atol=1e-3)
        wanted = smooth()[run.training]
        with torch.no_grad():
            shown = run.model().sample(places, (8, 8))
        errors.append(float((shown - wanted).square().mean()))
        assert_equal(run.average.state_dict(), run.generator.state_dict())
    assert errors[1] < 0.7 * errors[0]


def started(
    folder: Path, start: Model | None, *, watch: TrainWatch | None = None, **settings: Any
) -> tuple[Model, dict[str, Tensor]]:
    """What comes of a run that begins with a model, or goes on from its state."""
    folder.mkdir(exist_ok=True)
    config = replace(TINY, **{"steps": 18, **settings})
    examples = Arrays(smooth().flip(0))
    model = train(examples, config, folder, name="other", start=start, watch=watch)
    return model, safetensors.torch.load_file(folder / STATE)


def test_a_run_that_begins_with_a_model_teaches_the_critic_first(tmp_path: Path) -> None:
    first, _ = trained(tmp_path / "first")
    seen: list[TrainProgress] = []

    def watch(progress: TrainProgress) -> bool:
        seen.append(progress)
        return progress.warm_up_left == 0

    model, state = started(tmp_path / "second", first, watch=watch)
    assert [(p.step, p.warm_up_left) for p in seen] == [(12, 2), (12, 1), (12, 0)]
    assert (model.name, model.steps) == ("other", 12)
    for name, tensor in first.generator.state_dict().items():
        for part in ("generator", "average"):
            assert torch.equal(tensor, state[f"field.{part}.{name}"]), name
    new = Run(Arrays(smooth()), TINY, "other", ALONE).critic.state_dict()
    assert not all(torch.equal(state[f"field.critic.{name}"], new[name]) for name in new)
    assert all(p.critic_loss > 0 for p in seen)


def test_a_critic_that_was_taught_tells_generated_from_real(tmp_path: Path) -> None:
    first, _ = trained(tmp_path)
    config = replace(TINY, steps=13, warm_up=60, batch=16, critic_rate=3e-3, channels=8)
    run = Run(Arrays(smooth()), config, "other", ALONE)
    states.take_over(run, first)
    run.warm_up()
    before = run.progress()
    while run.warm_up_left:
        run.warm_up()
    after = run.progress()
    assert after.real - after.generated > before.real - before.generated + 0.1
    assert after.critic_loss < before.critic_loss


@pytest.mark.parametrize("settings", [{}, {"augment": 0.5}, {"points": 40}, {"r1_every": 2}])
def test_a_run_that_began_with_a_model_goes_on_as_if_it_had_never_stopped(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    first, _ = trained(tmp_path / "first")
    _, whole = started(tmp_path / "whole", first, **settings)
    _, early = started(tmp_path / "parts", first, watch=in_the_warm_up, **settings)
    assert not torch.equal(early["field.critic.score.weight"], whole["field.critic.score.weight"])
    started(tmp_path / "parts", None, steps=15, **settings)  # the state knows how it began
    other, _ = trained(tmp_path / "other", seed=9)
    model, parts = started(tmp_path / "parts", other, **settings)  # and comes before any model
    assert model.steps == 18
    assert_equal(whole, parts)


def test_a_run_of_a_higher_rank_begins_with_what_the_model_generates(tmp_path: Path) -> None:
    first, _ = trained(tmp_path / "first")
    begun, _ = started(tmp_path / "begun", first, rank=5, watch=in_the_warm_up)
    latents = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    drawn, wanted = (model.sample(latents, (8, 8)) for model in (begun, first))
    assert torch.allclose(drawn, wanted, atol=1e-5)
    model, _ = started(tmp_path / "begun", first, rank=5)
    assert (begun.sizes.rank, begun.steps, model.steps) == (5, 12, 18)
    for head in model.generator.heads:
        assert isinstance(head, CompactHead)
        right = torch.split(head.linear.weight, head.sizes)[1].view(-1, 5, 8)
        assert right[:, 2:].count_nonzero() > 0.9 * right[:, 2:].numel()  # and is trained on


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"width": 8}, "other sizes than this run: latent=4 hidden=8 rank=2 width=6"),
        ({"hidden": "8,8"}, "other sizes"),
        ({"std": 2.0}, "other sizes"),
        ({"rank": 1}, "other sizes"),
        ({"rank": 0}, "other sizes"),
        ({"steps": 12}, "steps=... must be above the 12 that tiny was trained for"),
    ],
    ids=str,
)
def test_a_model_that_does_not_fit_is_refused(
    settings: dict[str, Any], says: str, tmp_path: Path
) -> None:
    first, _ = trained(tmp_path / "first")
    with pytest.raises(ConfigError, match=says):
        started(tmp_path / "second", first, **settings)
    assert not list((tmp_path / "second").iterdir())


def test_a_model_of_other_signals_is_refused(tmp_path: Path) -> None:
    grey = train(Arrays(smooth(channels=1)), replace(TINY, steps=2), tmp_path, name="grey")
    with pytest.raises(ConfigError, match="grey generates another kind of signals"):
        started(tmp_path / "second", grey)


def test_the_average_follows_the_generator_faster_at_the_beginning() -> None:
    run = Run(Arrays(smooth()), replace(TINY, average=0.8, warm_up=0), "tiny", ALONE)

    def numbers(generator: nn.Module) -> Tensor:
        return torch.cat([p.detach().flatten() for p in generator.parameters()])

    wanted = numbers(run.average)
    for pace in (1 / 2, 1 / 3, 1 / 4, 1 / 5, 1 / 5, 1 / 5):
        run.advance()
        wanted = wanted.lerp(numbers(run.generator), pace)
    assert torch.allclose(numbers(run.average), wanted, atol=1e-6)
    assert not torch.equal(numbers(run.average), numbers(run.generator))


@pytest.mark.parametrize(
    "settings",
    [
        {"size": 4},
        {"size": 12},
        {"grow": "4:10"},
        {"grow": "8:10,8:20", "size": 16},
        {"grow": "16:10"},
        {"grow": "8"},
        {"hidden": ""},
        {"hidden": "8,x"},
        {"hidden": "0"},
        {"batch": 1},
        {"steps": 0},
        {"beta2": 1.0},
        {"critic_rate": 0.0},
        {"std": float("nan")},
        {"augment": 1.5},
        {"precision": "float16"},
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises((ConfigError, TypeError)):
        replace(TINY, **settings)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def finished(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """What Python made of arguments, if all went well."""
    above = Path(stegfield.__file__).parents[1], Path(__file__).parents[2]
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(map(str, above)),
        "CUDA_VISIBLE_DEVICES": "",
    }
    done = subprocess.run(
        [sys.executable, *arguments],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return done


def launched(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """The same of as many processes as the first argument says."""
    launcher = ["-m", "torch.distributed.run", "--master-addr", "127.0.0.1"]
    return finished([*launcher, "--master-port", str(free_port()), "--nproc-per-node", *arguments])


@pytest.mark.skipif(not distributed.is_available(), reason="torch is built without processes")
def test_two_processes_of_torchrun_train_what_one_trains(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    for number, values in enumerate(smooth(20)):
        levels = ((values + 1) * 127.5).round().to(torch.uint8).numpy()
        Image.fromarray(levels).save(tmp_path / "pictures" / f"{number}.png")
    settings = ["--data", str(tmp_path / "pictures"), "--size", "8", "--steps", "4"]
    settings += ["--warm-up", "2", "--batch", "6", "--augment", "0.5", "--points", "50"]
    settings += ["--latent", "4", "--hidden", "8", "--rank", "2", "--width", "6"]
    settings += ["--depth", "2", "--frequencies", "4", "--channels", "4", "--r1-every", "2"]
    states = []
    for name in ("shared", "alone"):
        command = ["-m", "stegfield", "train", "tiny", "-o", str(tmp_path / name), *settings]
        done = launched(["2", *command]) if name == "shared" else finished(command)
        told = [line for line in done.stderr.splitlines() if "4 of 4 steps" in line]
        assert len(told) == 1  # only one of them tells
        states.append(safetensors.torch.load_file(tmp_path / name / STATE))
        lines = (tmp_path / name / LOG).read_text().splitlines()
        assert [json.loads(line)["step"] for line in lines] == [4]
    shared, alone = states
    assert shared.keys() == alone.keys()
    for name, tensor in shared.items():
        if name.startswith("field."):
            assert torch.allclose(tensor, alone[name], rtol=1e-3, atol=1e-4), name


APART = """
import os, sys
from dataclasses import replace
from pathlib import Path
import torch
from stegfield import generative
from stegfield.errors import ConfigError
from stegfield.generative import run, store, training
from tests.generative.test_gan_training import TINY, smooth

rank = os.environ["RANK"]
new_generator = run.new_generator

def another(*arguments):
    generator = new_generator(*arguments)
    for parameter in generator.parameters():
        parameter.data *= 0.5 + int(rank)
    return generator

run.new_generator = another  # as a machine with other libraries might begin
folder = Path(sys.argv[1]) / rank
if rank == "0":
    folder.mkdir()
with generative.joined() as processes:
    for steps in (2, 4):
        config = replace(TINY, steps=steps, warm_up=1)
        model = training.train(
            generative.Arrays(smooth()), config, folder, name="tiny", processes=processes
        )
    other = generative.Arrays(smooth().flip(int(rank)) if rank == "1" else smooth())
    store.save(Path(sys.argv[1]) / f"{rank}.safetensors", model)
    try:
        training.train(other, config, folder, name="tiny", processes=processes)
    except ConfigError as error:
        Path(sys.argv[1], f"{rank}.txt").write_text(str(error))
"""
"""What each of two processes does that share no disk."""


@pytest.mark.skipif(not distributed.is_available(), reason="torch is built without processes")
def test_processes_without_a_common_disk_train_one_model(tmp_path: Path) -> None:
    (tmp_path / "apart.py").write_text(APART)
    launched(["2", str(tmp_path / "apart.py"), str(tmp_path)])
    one, other = (generative.load(tmp_path / f"{rank}.safetensors") for rank in (0, 1))
    assert (one.steps, other.steps) == (4, 4)
    assert_equal(one.generator.state_dict(), other.generator.state_dict())
    assert not (tmp_path / "1").exists()
    for rank in (0, 1):
        assert "different examples" in (tmp_path / f"{rank}.txt").read_text()


def test_a_batch_that_cannot_be_shared_evenly_is_refused() -> None:
    # the mean over processes would no longer be the mean over the batch
    with pytest.raises(ConfigError, match="multiple of the 3 processes, got 8"):
        Run(Arrays(smooth()), TINY, "tiny", Processes(3, 0))
