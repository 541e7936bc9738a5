"""Training a generator of fields against its critic.

    latents ─► generator ─► values at points ─► critic ─► score
    examples ──────────────► values at points ─► critic ─► score

The loss is the non-saturating one with the gradient penalty R1 on real examples:

    critic:     mean softplus(score(drawn)) + mean softplus(-score(real)) + r1 / 2 |grad score|^2
    generator:  mean softplus(-score(drawn))

Both are stepped on one batch of drawn samples. The two losses of a drawn sample differ only in how
they weigh the gradient of its score, so one pass through the critic and back serves both.

A run is a function of its settings and its examples: batch and latents of a step follow from the
seed and the step's number, so a run that is resumed goes on as if it had never stopped. A warm-up
comes first: of the generator, or of the critic alone where the run begins with a trained generator.

Sources: Goodfellow et al. (2014), Mescheder et al. (2018) for R1, Dupont et al. (2022), GASP, for
both on functions; Karras et al. (2018) for growing sizes and the moving average, Karras et al.
(2020) for lazy penalties; Zhao et al. (2020) for shifting and recolouring both kinds of samples;
Bojanowski et al. (2018) for fitting a generator to its examples at places given by principal
components, which we do first.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from stegfield.config import GanConfig, gan_config
from stegfield.errors import ConfigError, DivergedError, InputError, Wording
from stegfield.fields import checkpoints
from stegfield.fields.field import keep_freed_memory
from stegfield.generative import logbook, store
from stegfield.generative.augment import augmented
from stegfield.generative.batches import Batch, Batches, principal_places
from stegfield.generative.examples import Examples
from stegfield.generative.logbook import Progress, Watch
from stegfield.generative.model import GeneratorSizes, Model, new_generator
from stegfield.generative.pointconv import Critic, Pyramid
from stegfield.generative.points import even_points, even_pyramid
from stegfield.generative.processes import ALONE, Processes

STATE, MODEL = "state.safetensors", "last.safetensors"
CHECKPOINT_SECONDS = 120.0
WARM_UP_RATE, WARM_UP_BETAS = 1e-3, (0.9, 0.99)
WARM_UP_POINTS = 512
"""Of the finest set, drawn anew in each step."""
LEAST_WEIGHT = 1e-6
CHANNELS_GROW = 4
SCORED = 256
"""Examples of the training that the critic scores for the log, beside as many held-out ones."""


def train(
    examples: Examples,
    config: GanConfig,
    folder: Path,
    *,
    name: str,
    start: Model | None = None,
    processes: Processes = ALONE,
    watch: Watch | None = None,
) -> Model:
    """Train a generator until the plan is done, time is over or the watcher asks for the end.

    The folder gets the model (``last.safetensors``), the state to go on from, which is taken up
    where it is there already, a log of one JSON object a line, and a picture of samples. Only the
    first of several processes reads and writes there.

    Args:
        examples: What the samples are to look like.
        config: Model and method.
        folder: Where all of the run goes; it exists.
        name: Of what is drawn, kept in the model.
        start: Whose generator and count of steps to begin with, where there is no state yet; the
            warm-up then teaches the critic alone.
        processes: Which part of each batch is ours.
        watch: Is told of every step.

    Raises:
        InputError: The state in the folder is damaged or belongs to another run.
        ConfigError: The state has more steps than are planned; the model to begin with has other
            sizes, or as many steps; or the batch cannot be shared evenly.
        DivergedError: A loss or a weight grew beyond all numbers; the last state stays.
    """
    keep_freed_memory()
    run = _Run(examples, config, name, processes)
    if processes.first and (folder / STATE).exists():
        run.restore(folder / STATE)
    elif processes.first and start is not None:
        run.take_over(start)
    run.agree()
    if run.step > config.steps:
        raise ConfigError(
            Wording(
                "{steps} must be at least the {taken:,} that the run has taken, got {planned:,}",
                taken=run.step,
                planned=config.steps,
            )
        )
    began, saved = time.monotonic(), time.monotonic()
    stop = False
    while run.step < config.steps and not stop:
        if run.warm_up_left:
            run.warm_up()
        else:
            run.advance()
        now = time.monotonic()
        asked = watch is not None and watch(run.progress())
        over = config.max_seconds is not None and now - began > config.max_seconds
        stop = processes.any(asked or over)
        if processes.first and now - saved > CHECKPOINT_SECONDS:
            run.save(folder)
            saved = time.monotonic()
    if processes.first:
        run.save(folder)
    return run.model()


def settings_of(path: Path) -> GanConfig:
    """Give the settings that a state was trained with, but for the seconds of that run.

    Raises:
        InputError: The state is damaged.
    """
    with checkpoints.distrusting(path):
        return replace(gan_config({**checkpoints.facts_of(path)["settings"]}), max_seconds=None)


class _Run:
    """The state of one training run."""

    def __init__(
        self, examples: Examples, config: GanConfig, name: str, processes: Processes
    ) -> None:
        self.examples, self.config, self.name, self.processes = examples, config, name, processes
        if config.batch % processes.count:
            raise ConfigError(
                Wording(
                    "{batch} must be a multiple of the {count} processes, got {examples}",
                    count=processes.count,
                    examples=config.batch,
                )
            )
        self.device = torch.device(processes.device)
        torch_seed = config.seed % (1 << 63)
        with torch.random.fork_rng([]):
            torch.manual_seed(torch_seed)
            self.generator = new_generator(
                examples.medium, examples.channels, GeneratorSizes.of(config)
            )
            sets = even_pyramid(examples.medium, config.size)
            channels = [
                min(2**level, CHANNELS_GROW) * config.channels for level in range(len(sets))
            ]
            self.critic = Critic(sets, examples.channels, channels)
        self.generator.to(self.device)
        self.critic.to(self.device)
        self.average = copy.deepcopy(self.generator)
        self.parts = nn.ModuleDict(
            {"generator": self.generator, "average": self.average, "critic": self.critic}
        )
        betas = (config.beta1, config.beta2)
        self.trained = list(self.generator.parameters())
        self.optimizers: list[torch.optim.Optimizer] = [
            torch.optim.Adam(self.trained, config.generator_rate, betas),
            torch.optim.Adam(self.critic.parameters(), config.critic_rate, betas),
        ]
        self.fitting = torch.optim.Adam(self.trained, WARM_UP_RATE, WARM_UP_BETAS)
        self.all_optimizers = [*self.optimizers, self.fitting]
        self.training, self.held_out = examples.training(), examples.held_out()
        self.batches = Batches(examples, config, processes)
        self.step, self.warm_up_left = 0, config.warm_up
        self.taken_over = False
        self._placed: Tensor | None = None
        self._before, self._start = 0.0, time.monotonic()
        self._began: tuple[float, int] | None = None
        self._figures: Tensor | None = None
        self._penalty = torch.zeros((), device=self.device)
        self._learned = self._held_out = self._swd = self._real_swd = math.nan

    @property
    def seconds(self) -> float:
        return self._before + time.monotonic() - self._start

    @property
    def size(self) -> int:
        """The size that is trained at now."""
        return next(size for size, end in self.config.stages if self.step < end)

    def _draws(self, purpose: int) -> torch.Generator:
        """Give the random numbers of this step, the same in all processes."""
        step = -self.warm_up_left if self.warm_up_left else self.step
        seed = (self.config.seed * 1_000_003 + step) * 8 + purpose
        return torch.Generator().manual_seed(seed % (1 << 63))

    def _batch(self, chosen: Int64[np.ndarray, " count"], draws: torch.Generator) -> Batch:
        return self.batches.draw(chosen, self.size, draws)

    @contextmanager
    def _precision(self) -> Iterator[None]:
        low = self.config.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=low):
            yield

    def _latents(self, draws: torch.Generator) -> Tensor:
        drawn = torch.randn(self.config.batch, self.config.latent, generator=draws)
        return self.processes.share(drawn).to(self.device)

    def advance(self) -> None:
        """Take one step of critic and generator."""
        if self._began is None:
            self._began = time.monotonic(), self.step
        config, draws = self.config, self._draws(0)
        at, real, sets = self._batch(self.training, draws)
        with self._precision():
            drawn = self.generator(self._latents(draws), at).float()
        seen = drawn.detach().requires_grad_()
        scores, weight = self._teach_critic(
            seen, real, sets, penalise=self.step % config.r1_every == 0
        )
        pull = -(-scores.detach()).sigmoid() / weight
        assert seen.grad is not None  # noqa: S101 - it was just computed
        torch.autograd.backward([drawn], [seen.grad * pull[:, None, None]])
        self.processes.average_gradients(self.critic.parameters())
        self.processes.average_gradients(self.trained)
        for optimizer in self.optimizers:
            optimizer.step()
        self.step += 1
        self._follow()

    def _teach_critic(
        self, seen: Tensor, real: Tensor, sets: Pyramid, *, penalise: bool
    ) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
        """Make the gradients of the critic's loss, and note it.

        Gives the scores of what was drawn, and what the loss weighs them with; the gradients by
        ``seen`` are of these weighted scores.
        """
        shown_real = self._augmented(real, 2)
        with self._precision():
            scores = self.critic(self._augmented(seen, 1), sets).float()
            real_scores = self.critic(shown_real, sets).float()
        # the critic's loss has the gradient s(score) of each score, the generator's -s(-score)
        weight = scores.detach().sigmoid().clamp(min=LEAST_WEIGHT)
        loss = (weight * scores).mean() + functional.softplus(-real_scores).mean()
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.config.r1 and penalise:
            self._penalty = self._penalise(shown_real, sets)
        shown = functional.softplus(scores.detach()).mean()
        shown = shown + functional.softplus(-real_scores.detach()).mean()
        figures = [shown, real_scores.detach().mean(), scores.detach().mean(), self._penalty]
        self._note(self.processes.mean(torch.stack(figures)))
        return scores, weight

    def _augmented(self, values: Tensor, which: int) -> Tensor:
        if not self.config.augment:
            return values
        size = self.size if not (self.examples.medium.on_globe or self.config.points) else None
        draws = self._draws(2 + which)
        return augmented(values, size, self.config.augment, draws, self.processes)

    def _penalise(self, real: Tensor, sets: Pyramid) -> Tensor:
        """Add the gradient of R1 at real examples as the critic sees them: changed, if any are.

        It counts as much more as it is taken less often.
        """
        config = self.config
        inputs = real.detach().requires_grad_()
        penalty = gradient_penalty(self.critic, inputs, sets)
        torch.autograd.backward([config.r1 / 2 * config.r1_every * penalty])
        return penalty.detach()

    @torch.no_grad()
    def _follow(self) -> None:
        """Let the moving average follow the generator, faster at the beginning."""
        pace = max(1 - self.config.average, 1 / (self.step + 1))
        for slow, fast in zip(self.average.parameters(), self.generator.parameters(), strict=True):
            slow.lerp_(fast, pace)

    def _note(self, figures: Tensor) -> None:
        if not figures.isfinite().all():
            raise DivergedError
        pace = 1.0 if self._figures is None else 0.02
        before = figures if self._figures is None else self._figures
        self._figures = before.lerp(figures, pace)

    def progress(self) -> Progress:
        """Tell where the run is."""
        loss, real, drawn, penalty = (
            [math.nan] * 4 if self._figures is None else self._figures.tolist()
        )
        a_second = 0.0
        if self._began is not None:  # neither what an earlier run took counts, nor the warm-up
            since, begun_at = self._began
            a_second = (self.step - begun_at) / max(time.monotonic() - since, 1e-9)
        return Progress(
            step=self.step,
            steps=self.config.steps,
            warm_up_left=self.warm_up_left,
            size=self.size,
            seconds=self.seconds,
            images_a_second=a_second * self.config.batch,
            seconds_left=(self.config.steps - self.step) / a_second if a_second else math.nan,
            critic_loss=loss,
            real=real,
            drawn=drawn,
            penalty=penalty,
            learned=self._learned,
            held_out=self._held_out,
            swd=self._swd,
            real_swd=self._real_swd,
        )

    @torch.no_grad()
    def _score(self, chosen: Int64[np.ndarray, " count"]) -> float:
        """Give the mean score of some of the chosen examples, unchanged.

        They are as many, and at the same points, whichever are chosen.
        """
        count, draws = min(SCORED, len(self.held_out)), self._draws(7)
        index = chosen[np.linspace(0, len(chosen) - 1, count, dtype=np.int64)]
        total = 0.0
        for part in np.split(index, range(self.config.batch, count, self.config.batch)):
            _, values, sets = self.batches.look_at(part, self.size, draws)
            total += float(self.critic(values, sets).sum())
        return total / count

    def warm_up(self) -> None:
        """Take one step of the warm-up."""
        if self.taken_over:
            self._warm_up_critic()
        else:
            self._warm_up_generator()
        self.warm_up_left -= 1

    def _warm_up_generator(self) -> None:
        """Fit the generator to the examples, each at the place that its principal components give.

        Components are scaled to variance 1 over the examples, so that random vectors of the same
        variance draw something like them.
        """
        config = self.config
        if self._placed is None:
            placed = principal_places(
                self.examples,
                self.training,
                size=self.size,
                latent=config.latent,
                seed=config.seed,
            )
            self._placed = self.processes.same(placed.to(self.device)).cpu()
        places, draws = self._placed, self._draws(6)
        done, left = config.warm_up - self.warm_up_left, self.warm_up_left
        rate = min(1.0, (done + 1) / 100) * math.sqrt(left / config.warm_up)
        self.fitting.param_groups[0]["lr"] = WARM_UP_RATE * rate
        index = self.processes.share(torch.randint(len(places), (config.batch,), generator=draws))
        at = even_points(self.examples.medium, config.size)
        some = torch.randperm(len(at), generator=draws)[:WARM_UP_POINTS]
        chosen = self.training[index.numpy()]
        wanted = self.examples.values(chosen, config.size)[:, some]
        with self._precision():
            given = self.generator(places[index].to(self.device), at[some].to(self.device))
        loss = (given.float() - wanted.to(self.device)).square().mean()
        self.fitting.zero_grad(set_to_none=True)
        loss.backward()
        self.processes.average_gradients(self.trained)
        self.fitting.step()
        self.average.load_state_dict(self.generator.state_dict())
        if left == 1:
            self.fitting.state.clear()
            self._placed = None

    def _warm_up_critic(self) -> None:
        """Train the critic alone, against the generator that the run begins with."""
        draws = self._draws(0)
        at, real, sets = self._batch(self.training, draws)
        with torch.no_grad(), self._precision():
            drawn = self.generator(self._latents(draws), at).float()
        penalise = self.warm_up_left % self.config.r1_every == 0
        self._teach_critic(drawn, real, sets, penalise=penalise)
        self.processes.average_gradients(self.critic.parameters())
        self.optimizers[1].step()

    def take_over(self, start: Model) -> None:
        """Begin with a trained generator, at the step that it had come to.

        Raises:
            ConfigError: It does not fit what is planned.
        """
        if (start.medium, start.channels) != (self.examples.medium, self.examples.channels):
            raise ConfigError(
                f"{start.name} draws another kind of signals than the examples",
                hint=Wording("begin with a model of such examples, or leave {start} out"),
            )
        if not GeneratorSizes.of(self.config).hold(start.sizes):
            raise ConfigError(
                Wording(
                    "{name} has other sizes than this run: " + start.sizes.template,
                    name=start.name,
                ),
                hint=Wording("leave them out to take its own; only {rank} may be higher"),
            )
        if start.steps >= self.config.steps:
            raise ConfigError(
                Wording(
                    "{steps} must be above the {taken:,} that {name} was trained for",
                    taken=start.steps,
                    name=start.name,
                )
            )
        self.generator.take_over(start.generator)
        self.average.load_state_dict(self.generator.state_dict())
        self.step = start.steps
        self.taken_over = True

    def save(self, folder: Path) -> None:
        """Write the state, the model, a line of the log and two pictures, each whole.

        Raises:
            DivergedError: A number is not finite; then the last state and model stay.
        """
        numbers = checkpoints.tensors_of(self.parts, self.all_optimizers).values()
        if not all(tensor.isfinite().all() for tensor in numbers):
            raise DivergedError
        model = self.model()
        self._learned, self._held_out = self._score(self.training), self._score(self.held_out)
        self._swd, self._real_swd = logbook.distances(model, self.examples, self.config.seed)
        facts = {"run": self.identity, "settings": asdict(self.config), **self._facts()}
        checkpoints.save(folder / STATE, self.parts, self.all_optimizers, facts)
        store.save(folder / MODEL, model, force=True)
        logbook.add(folder, self.progress(), model, seed=self.config.seed)

    def restore(self, path: Path) -> None:
        """Go on from a state of the same run."""
        with checkpoints.distrusting(path):
            known = checkpoints.facts_of(path)
            before = gan_config({**known["settings"]})
            self._check_same(path, before, known.get("examples"))
            if before.rank != self.config.rank:
                self._grow(path, replace(self.config, rank=before.rank))
                return
            facts = checkpoints.load(path, self.parts, self.all_optimizers, self.identity)
            self._adopt(facts)

    def _grow(self, path: Path, before: GanConfig) -> None:
        """Go on from a state of lower rank; the generator's optimisers alone begin anew."""
        run = _Run(self.examples, before, self.name, self.processes)
        run.restore(path)
        self.generator.take_over(run.generator)
        self.average.take_over(run.average)
        self.critic.load_state_dict(run.critic.state_dict())
        self.optimizers[1].load_state_dict(run.optimizers[1].state_dict())
        self._adopt(run._facts())

    def agree(self) -> None:
        """Let all processes begin with what the first one has: others may not see its folder.

        Raises:
            ConfigError: They have other examples.
        """
        if self.processes.count == 1:
            return
        facts = self.processes.tell(self._facts())
        if self.processes.any(facts["examples"] != self.examples.digest):
            raise ConfigError("the processes have different examples", hint="give all the same")
        self._adopt(facts)
        own = checkpoints.tensors_of(self.parts, self.all_optimizers)
        kinds = {name: [str(one.dtype)[6:], list(one.shape)] for name, one in own.items()}
        told: dict[str, Tensor] = {}
        for name, (kind, shape) in self.processes.tell(kinds).items():
            there = torch.empty(shape, dtype=getattr(torch, kind), device=self.device)
            there = own[name].to(self.device) if self.processes.first else there
            told[name] = self.processes.same(there)
        checkpoints.put(told, self.parts, self.all_optimizers)

    def _facts(self) -> dict[str, Any]:
        """Give what belongs to the state beside weights, optimisers and settings."""
        return {
            "examples": self.examples.digest,
            "step": self.step,
            "warm_up_left": self.warm_up_left,
            "taken_over": self.taken_over,
            "seconds": self.seconds,
            "figures": None if self._figures is None else self._figures.tolist(),
            "penalty": float(self._penalty),
        }

    def _adopt(self, facts: dict[str, Any]) -> None:
        self.step, self._before = int(facts["step"]), float(facts["seconds"])
        # a state without these was written after a warm-up
        left, taken_over = int(facts.get("warm_up_left", 0)), facts.get("taken_over", False)
        if self.step < 0 or left < 0:
            raise ValueError(facts)
        self.warm_up_left = min(left, self.config.warm_up)
        self.taken_over = bool(taken_over)
        if not self.warm_up_left:
            self.fitting.state.clear()
        if facts["figures"] is not None:
            self._figures = torch.tensor(facts["figures"], device=self.device)
        self._penalty = torch.tensor(float(facts.get("penalty", 0)), device=self.device)

    def _check_same(self, path: Path, before: GanConfig, examples: str | None) -> None:
        """Refuse a state of other settings or examples, and say which differ."""
        decisive, wanted = _decisive(before), _decisive(self.config)
        if GeneratorSizes.of(self.config).hold(GeneratorSizes.of(before)):
            decisive["rank"] = self.config.rank
        for name, old in decisive.items():
            if old != (new := wanted[name]):
                raise InputError(
                    Wording(
                        f"{{path}} belongs to another run: its {{{name}}} is {{old}}, not {{new}}",
                        path=path,
                        old=old,
                        new=new,
                    ),
                    hint=Wording(f"leave {{{name}}} out to go on, or name another folder"),
                )
        # older states do not tell of their examples
        if examples not in (None, self.examples.digest):
            raise InputError(
                f"{path} belongs to another run: its examples are others",
                hint=Wording(
                    "name the same {data}, or another folder, and begin with the model: {start}"
                ),
            )

    @property
    def identity(self) -> str:
        """Digest of the shapes of what a state holds."""
        shapes = {name: list(tensor.shape) for name, tensor in self.parts.state_dict().items()}
        facts = [self.examples.medium.name, self.examples.channels, shapes]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def model(self) -> Model:
        """Give the moving average as a model of its own."""
        return Model(
            name=self.name,
            generator=copy.deepcopy(self.average).cpu(),
            sizes=GeneratorSizes.of(self.config),
            medium=self.examples.medium,
            channels=self.examples.channels,
            size=self._native(),
            steps=self.step,
            examples=len(self.training),
        )

    def _native(self) -> tuple[int, int]:
        rows, columns = self.examples.grids(self.held_out[:1]).shape[1:3]
        return int(rows), int(columns)


def _decisive(config: GanConfig) -> dict[str, Any]:
    """Give the settings that must be the same when a run goes on."""
    own = {"size": config.size, "channels": config.channels, "seed": config.seed}
    return own | GeneratorSizes.of(config).settings


def gradient_penalty(
    critic: nn.Module, real: Float[Tensor, "batch points values"], sets: Pyramid
) -> Float[Tensor, ""]:
    """Give R1: the mean squared length of the score's gradient by a real example's values.

    Source: Mescheder et al. (2018); GINR-Stega, Eq. 1.
    """
    scores = critic(real, sets)
    (gradient,) = torch.autograd.grad(scores.sum(), real, create_graph=True)
    return gradient.square().sum((1, 2)).mean()
