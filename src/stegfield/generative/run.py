"""One training run: a generator, its critic, and a step that moves both.

    latents ─► generator ─► values at points ─► critic ─► score
    examples ──────────────► values at points ─► critic ─► score

The loss is the non-saturating one with the gradient penalty R1 on real examples:

    critic:     mean softplus(score(generated)) + mean softplus(-score(real))
                + r1 / 2 |grad score|^2
    generator:  mean softplus(-score(generated))

Both are stepped on one batch of generated samples. The two losses of a generated sample differ only
in how they weigh the gradient of its score, so one pass through the critic and back serves both.

A run is a function of its settings and its examples: batch and latents of a step follow from the
seed and the step's number, so a run that is resumed goes on as if it had never stopped.

Sources: Goodfellow et al. (2014), Mescheder et al. (2018) for R1, Dupont et al. (2022), GASP, for
both on functions; Karras et al. (2018) for growing sizes and the moving average, Karras et al.
(2020) for lazy penalties; Zhao et al. (2020) for shifting and recolouring both kinds of samples.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from stegfield.config import GanConfig
from stegfield.errors import ConfigError, DivergedError, Wording
from stegfield.generative.augment import augmented
from stegfield.generative.batches import Batch, Batches
from stegfield.generative.examples import Examples
from stegfield.generative.hypernet import Generator
from stegfield.generative.logbook import TrainProgress
from stegfield.generative.model import GeneratorSizes, Model, new_generator
from stegfield.generative.pointconv import Critic, Pyramid
from stegfield.generative.points import even_pyramid
from stegfield.generative.processes import Processes
from stegfield.generative.warming import fit_generator, new_fitting, teach_critic

LEAST_WEIGHT = 1e-6
CHANNELS_GROW = 4
FIGURES = 4
"""Loss, scores of real and of generated examples, and penalty of a step."""
PACE = 0.02
"""Share that a step has in the figures of the log."""


class Run:
    """The state of one training run.

    Args:
        examples: What to learn from.
        config: Model and method.
        name: Of the model.
        processes: Which part of each batch is ours.

    Raises:
        ConfigError: the batch cannot be shared evenly among the processes.
    """

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
        self.generator, self.critic = _networks(examples, config, self.device)
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
        self.fitting = new_fitting(self.trained)
        self.all_optimizers = [*self.optimizers, self.fitting]
        self.training, self.held_out = examples.training(), examples.held_out()
        self.batches = Batches(examples, config, processes)
        self.step, self.warm_up_left = 0, config.warm_up
        self.taken_over = False
        """Whether the run began with a trained generator."""
        self.places: Tensor | None = None
        """Of the examples in the warm-up of the generator."""
        self.noted = dict.fromkeys(("learned", "held_out", "swd", "real_swd"), math.nan)
        """What was measured when the state was last saved."""
        self._before, self._start = 0.0, time.monotonic()
        self._began: tuple[float, int] | None = None
        self._figures: Tensor | None = None
        self._penalty = torch.zeros((), device=self.device)

    @property
    def seconds(self) -> float:
        """How long the run has taken, earlier parts of it included."""
        return self._before + time.monotonic() - self._start

    @property
    def size(self) -> int:
        """The size that is trained at now."""
        return next(size for size, end in self.config.stages if self.step < end)

    @property
    def identity(self) -> str:
        """Digest of the shapes of what a state holds."""
        shapes = {name: list(tensor.shape) for name, tensor in self.parts.state_dict().items()}
        facts = [self.examples.medium.name, self.examples.channels, shapes]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def draws(self, purpose: int) -> torch.Generator:
        """Return the random numbers of this step, the same in all processes."""
        step = -self.warm_up_left if self.warm_up_left else self.step
        seed = (self.config.seed * 1_000_003 + step) * 8 + purpose
        return torch.Generator().manual_seed(seed % (1 << 63))

    @contextmanager
    def precision(self) -> Iterator[None]:
        """Compute products with the precision of the settings."""
        low = self.config.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=low):
            yield

    def warm_up(self) -> None:
        """Take one step of the warm-up."""
        if self.taken_over:
            teach_critic(self)
        else:
            fit_generator(self)
        self.warm_up_left -= 1

    def advance(self) -> None:
        """Take one step of critic and generator."""
        if self._began is None:
            self._began = time.monotonic(), self.step
        draws = self.draws(0)
        at, real, sets = self.batch(self.training, draws)
        generated = self.generate(draws, at)
        seen = generated.detach().requires_grad_()
        scores, weight = self.teach(
            seen, real, sets, penalise=self.step % self.config.r1_every == 0
        )
        pull = -(-scores.detach()).sigmoid() / weight
        assert seen.grad is not None  # noqa: S101 - it was just computed
        torch.autograd.backward([generated], [seen.grad * pull[:, None, None]])
        self.processes.average_gradients(self.critic.parameters())
        self.processes.average_gradients(self.trained)
        for optimizer in self.optimizers:
            optimizer.step()
        self.step += 1
        self.follow()

    def batch(self, chosen: Int64[np.ndarray, " count"], draws: torch.Generator) -> Batch:
        """Draw this process's part of some of the chosen examples."""
        return self.batches.draw(chosen, self.size, draws)

    def latents(self, draws: torch.Generator) -> Float[Tensor, "batch latent"]:
        """Draw this process's part of a batch of latents."""
        drawn = torch.randn(self.config.batch, self.config.latent, generator=draws)
        return self.processes.share(drawn).to(self.device)

    def generate(self, draws: torch.Generator, at: Float[Tensor, "points axes"]) -> Tensor:
        """Generate this process's part of a batch, at points."""
        with self.precision():
            generated: Tensor = self.generator(self.latents(draws), at)
        return generated.float()

    def teach(
        self, seen: Tensor, real: Tensor, sets: Pyramid, *, penalise: bool
    ) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
        """Compute the gradients of the critic's loss, and note it.

        Returns:
            The scores of the generated samples, and what the loss weighs them with; the gradients
            by ``seen`` are of these weighted scores.
        """
        shown_real = self._augmented(real, 2)
        with self.precision():
            scores = self.critic(self._augmented(seen, 1), sets).float()
            real_scores = self.critic(shown_real, sets).float()
        # the critic's loss has the gradient s(score) of each score, the generator's -s(-score)
        weight = scores.detach().sigmoid().clamp(min=LEAST_WEIGHT)
        loss = (weight * scores).mean() + functional.softplus(-real_scores).mean()
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.config.r1 and penalise:
            self._penalty = self.penalise(shown_real, sets)
        shown = functional.softplus(scores.detach()).mean()
        shown = shown + functional.softplus(-real_scores.detach()).mean()
        figures = [shown, real_scores.detach().mean(), scores.detach().mean(), self._penalty]
        self._note(self.processes.mean(torch.stack(figures)))
        return scores, weight

    def penalise(self, real: Tensor, sets: Pyramid) -> Tensor:
        """Add the gradient of R1 at real examples as the critic sees them: changed, if any are.

        It counts as much more as it is taken less often.
        """
        config = self.config
        inputs = real.detach().requires_grad_()
        penalty = gradient_penalty(self.critic, inputs, sets)
        torch.autograd.backward([config.r1 / 2 * config.r1_every * penalty])
        return penalty.detach()

    @torch.no_grad()
    def follow(self) -> None:
        """Let the moving average follow the generator, faster at the beginning."""
        pace = max(1 - self.config.average, 1 / (self.step + 1))
        for slow, fast in zip(self.average.parameters(), self.generator.parameters(), strict=True):
            slow.lerp_(fast, pace)

    def progress(self) -> TrainProgress:
        """Tell where the run is."""
        loss, real, generated, penalty = (
            [math.nan] * FIGURES if self._figures is None else self._figures.tolist()
        )
        a_second = 0.0
        if self._began is not None:  # neither what an earlier run took counts, nor the warm-up
            since, begun_at = self._began
            a_second = (self.step - begun_at) / max(time.monotonic() - since, 1e-9)
        return TrainProgress(
            step=self.step,
            steps=self.config.steps,
            warm_up_left=self.warm_up_left,
            size=self.size,
            seconds=self.seconds,
            images_a_second=a_second * self.config.batch,
            seconds_left=(self.config.steps - self.step) / a_second if a_second else math.nan,
            critic_loss=loss,
            real=real,
            generated=generated,
            penalty=penalty,
            **self.noted,
        )

    def model(self) -> Model:
        """Return the moving average as a model of its own."""
        rows, columns = self.examples.grids(self.held_out[:1]).shape[1:3]
        return Model(
            name=self.name,
            generator=copy.deepcopy(self.average).cpu(),
            sizes=GeneratorSizes.of(self.config),
            medium=self.examples.medium,
            channels=self.examples.channels,
            size=(int(rows), int(columns)),
            steps=self.step,
            examples=len(self.training),
        )

    def facts(self) -> dict[str, Any]:
        """Return what belongs to the state beside weights, optimisers and settings."""
        return {
            "examples": self.examples.digest,
            "step": self.step,
            "warm_up_left": self.warm_up_left,
            "taken_over": self.taken_over,
            "seconds": self.seconds,
            "figures": None if self._figures is None else self._figures.tolist(),
            "penalty": float(self._penalty),
        }

    def adopt(self, facts: dict[str, Any]) -> None:
        """Go on from what `facts` returned.

        Raises:
            ValueError: a count is negative or no whole number, or figures are missing.
        """
        step, before = facts["step"], float(facts["seconds"])
        # a state without these was written after a warm-up
        left, taken_over = facts.get("warm_up_left", 0), facts.get("taken_over", False)
        if not (type(step) is type(left) is int and step >= 0 and left >= 0 and before >= 0):
            raise ValueError(facts)
        self.step, self._before = step, before
        self.warm_up_left = min(left, self.config.warm_up)
        self.taken_over = bool(taken_over)
        if not self.warm_up_left:
            self.fitting.state.clear()
        if facts["figures"] is not None:
            self._figures = torch.tensor(facts["figures"], device=self.device)
            if self._figures.shape != (FIGURES,):
                raise ValueError(facts)
        self._penalty = torch.tensor(float(facts.get("penalty", 0)), device=self.device)

    def _augmented(self, values: Tensor, which: int) -> Tensor:
        if not self.config.augment:
            return values
        size = self.size if not (self.examples.medium.on_globe or self.config.points) else None
        draws = self.draws(2 + which)
        return augmented(values, size, self.config.augment, draws, self.processes)

    def _note(self, figures: Tensor) -> None:
        if not figures.isfinite().all():
            raise DivergedError
        pace = 1.0 if self._figures is None else PACE
        before = figures if self._figures is None else self._figures
        self._figures = before.lerp(figures, pace)


def _networks(
    examples: Examples, config: GanConfig, device: torch.device
) -> tuple[Generator, Critic]:
    """Build an untrained generator and critic; the seed decides their weights."""
    with torch.random.fork_rng([]):
        torch.manual_seed(config.seed % (1 << 63))
        sizes = GeneratorSizes.of(config)
        generator = new_generator(examples.medium, examples.channels, sizes)
        sets = even_pyramid(examples.medium, config.size)
        channels = [min(2**level, CHANNELS_GROW) * config.channels for level in range(len(sets))]
        critic = Critic(sets, examples.channels, channels)
    return generator.to(device), critic.to(device)


def gradient_penalty(
    critic: nn.Module, real: Float[Tensor, "batch points values"], sets: Pyramid
) -> Float[Tensor, ""]:
    """Compute R1: the mean squared length of the score's gradient by a real example's values.

    Source: Mescheder et al. (2018); GINR-Stega, Eq. 1.
    """
    scores = critic(real, sets)
    (gradient,) = torch.autograd.grad(scores.sum(), real, create_graph=True)
    return gradient.square().sum((1, 2)).mean()
