"""The warm-up of a run: of the generator, or of the critic alone where the generator is trained.

The generator is fitted to the examples first, each at a place that its principal components give,
as an auto-decoder would. A run that begins with a trained generator teaches its critic instead.

Source: Bojanowski et al. (2018) for fitting a generator to its examples at places given by
principal components.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from stegfield.generative.batches import principal_places
from stegfield.generative.points import even_points

if TYPE_CHECKING:
    from stegfield.generative.run import Run

RATE, BETAS = 1e-3, (0.9, 0.99)
RISE = 100
"""Steps over which the step length rises."""
POINTS = 512
"""Of the finest set, drawn anew in each step."""


def new_fitting(trained: Iterable[nn.Parameter]) -> torch.optim.Adam:
    """Return the optimiser of the generator's warm-up."""
    return torch.optim.Adam(trained, RATE, BETAS)


def fit_generator(run: Run) -> None:
    """Take a step that fits the generator to the examples at their places.

    Components are scaled to variance 1 over the examples, so that random vectors of the same
    variance generate something like them.
    """
    config, places, draws = run.config, _places(run), run.draws(6)
    done, left = config.warm_up - run.warm_up_left, run.warm_up_left
    rate = min(1.0, (done + 1) / RISE) * math.sqrt(left / config.warm_up)
    run.fitting.param_groups[0]["lr"] = RATE * rate
    index = run.processes.share(torch.randint(len(places), (config.batch,), generator=draws))
    at = even_points(run.examples.medium, config.size)
    some = torch.randperm(len(at), generator=draws)[:POINTS]
    real = run.examples.values(run.training[index.numpy()], config.size)[:, some]
    with run.precision():
        generated = run.generator(places[index].to(run.device), at[some].to(run.device))
    loss = (generated.float() - real.to(run.device)).square().mean()
    run.fitting.zero_grad(set_to_none=True)
    loss.backward()
    run.processes.average_gradients(run.trained)
    run.fitting.step()
    run.average.load_state_dict(run.generator.state_dict())
    if left == 1:
        run.fitting.state.clear()
        run.places = None


def teach_critic(run: Run) -> None:
    """Take a step of the critic alone, against the generator that the run began with."""
    draws = run.draws(0)
    at, real, sets = run.batch(run.training, draws)
    with torch.no_grad():
        generated = run.generate(draws, at)
    run.teach(generated, real, sets, penalise=run.warm_up_left % run.config.r1_every == 0)
    run.processes.average_gradients(run.critic.parameters())
    run.optimizers[1].step()


def _places(run: Run) -> Tensor:
    """Return the places of the examples, the same in all processes; they are computed once."""
    if run.places is None:
        placed = principal_places(
            run.examples,
            run.training,
            size=run.size,
            latent=run.config.latent,
            seed=run.config.seed,
        )
        run.places = run.processes.same(placed.to(run.device)).cpu()
    return run.places
