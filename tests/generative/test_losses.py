from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from stegfield.config import GanConfig
from stegfield.generative import Arrays
from stegfield.generative.augment import augmented
from stegfield.generative.pointconv import Critic, Pyramid, pyramid
from stegfield.generative.points import even_points
from stegfield.generative.processes import ALONE
from stegfield.generative.run import Run, gradient_penalty
from stegfield.signals import IMAGE

STEP = 1e-5


def double_critic() -> tuple[Critic, Pyramid, Tensor]:
    """A critic in double precision, its points, and three samples at them."""
    torch.manual_seed(5)
    points = [even_points(IMAGE, size) for size in (16, 8, 4)]
    critic = Critic(pyramid(points), 2, [3, 4]).double()
    torch.nn.init.normal_(critic.score.weight)
    sets = pyramid([each.double() for each in points])
    return critic, sets, torch.randn(3, 256, 2, dtype=torch.float64)


def differences(score: Any, values: Tensor) -> Iterator[float]:
    """Central differences of a function by each entry of what is changed in place."""
    flat = values.view(-1)
    for entry in range(len(flat)):
        before = flat[entry].item()
        flat[entry] = before + STEP
        above = float(score())
        flat[entry] = before - STEP
        below = float(score())
        flat[entry] = before
        yield (above - below) / (2 * STEP)


def test_the_penalty_is_the_squared_slope_of_the_score() -> None:
    critic, sets, values = double_critic()
    steps = STEP * torch.eye(512, dtype=torch.float64).view(512, 256, 2)
    penalty = 0.0
    for sample in values:
        with torch.no_grad():
            rise = critic(sample + steps, sets) - critic(sample - steps, sets)
        penalty += float((rise / (2 * STEP)).square().sum()) / len(values)
    given = gradient_penalty(critic, values.requires_grad_(), sets)
    assert float(given.detach()) == pytest.approx(penalty, rel=1e-6)
    assert penalty > 1e-4


def test_the_penalty_has_the_gradient_that_differences_say() -> None:
    critic, sets, values = double_critic()

    def penalty() -> Tensor:
        return gradient_penalty(critic, values.clone().requires_grad_(), sets)

    penalty().backward()  # type: ignore[no-untyped-call]
    for name, parameter in critic.named_parameters():
        if name == "score.bias" or name.endswith("mix.bias"):
            continue  # they move no slope, but where a unit is at its kink
        some = parameter.data.view(-1)[:6]
        wanted = torch.tensor(list(differences(lambda: penalty().detach(), some)))
        assert parameter.grad is not None
        assert torch.allclose(parameter.grad.view(-1)[:6].float(), wanted, rtol=1e-4, atol=1e-7)


def a_run(**settings: Any) -> Run:
    """A run of a tiny model on smooth pictures, before its first step."""
    tiny = {"size": 8, "warm_up": 0, "batch": 6, "latent": 4, "hidden": "8", "rank": 2}
    tiny |= {"width": 6, "depth": 2, "frequencies": 4, "std": 1.0, "channels": 4, "r1": 3.0}
    config = GanConfig(**{**tiny, **settings})
    torch.manual_seed(2)
    small = torch.rand(20, 3, 3, 3) * 2 - 1
    pictures = functional.interpolate(small, (8, 8), mode="bilinear").permute(0, 2, 3, 1)
    run = Run(Arrays(pictures.contiguous()), config, "tiny", ALONE)
    torch.nn.init.normal_(run.critic.score.weight)  # scores that differ
    return run


def plain_gradients(run: Run) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The gradients of both losses as they are written down, each by passes of its own."""
    config, draws = run.config, run.draws(0)
    critic, generator = copy.deepcopy(run.critic), copy.deepcopy(run.generator)
    at, real, sets = run.batch(run.training, draws)
    latents = run.latents(draws)

    def seen(values: Tensor, purpose: int) -> Tensor:
        if not config.augment:
            return values
        side = 8 if len(at) == 64 else None
        return augmented(values, side, config.augment, run.draws(purpose))

    def score(values: Tensor, purpose: int) -> Tensor:
        scores: Tensor = critic(seen(values, purpose), sets)
        return scores

    loss = functional.softplus(score(generator(latents, at).detach(), 3)).mean()
    loss = loss + functional.softplus(-score(real, 4)).mean()
    for one in seen(real, 4):
        values = one[None].clone().requires_grad_()
        (slope,) = torch.autograd.grad(critic(values, sets).sum(), values, create_graph=True)
        loss = loss + config.r1 / 2 * config.r1_every * slope.square().sum() / len(real)
    names = [name for name, _ in critic.named_parameters()]
    gradients = torch.autograd.grad(loss, list(critic.parameters()))
    loss = functional.softplus(-score(generator(latents, at), 3)).mean()
    trained = {name: p for name, p in generator.named_parameters() if p.requires_grad}
    own = torch.autograd.grad(loss, list(trained.values()))
    return dict(zip(names, gradients, strict=True)), dict(zip(trained, own, strict=True))


@pytest.mark.parametrize(
    "settings", [{}, {"points": 40}, {"augment": 0.5}, {"r1_every": 1}, {"rank": 0}]
)
def test_one_pass_gives_the_gradients_of_both_losses(settings: dict[str, Any]) -> None:
    run = a_run(**settings)
    of_critic, of_generator = plain_gradients(run)
    run.advance()
    for module, wanted in ((run.critic, of_critic), (run.generator, of_generator)):
        given = {name: p.grad for name, p in module.named_parameters() if p.requires_grad}
        assert given.keys() == wanted.keys()
        for name, gradient in given.items():
            assert gradient is not None
            scale = float(wanted[name].abs().max())
            assert scale > 0 or name.endswith("bias")
            assert torch.allclose(gradient, wanted[name], rtol=1e-3, atol=1e-5 * scale + 1e-9), name


def test_one_pass_serves_scores_that_the_critic_is_sure_of() -> None:
    run = a_run(r1_every=1000)
    run.step = 1  # without a penalty
    torch.nn.init.constant_(run.critic.score.bias, -60.0)  # drawn, for certain
    _, wanted = plain_gradients(run)
    run.advance()
    for name, parameter in run.generator.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None
            scale = float(wanted[name].abs().max())
            assert torch.allclose(parameter.grad, wanted[name], rtol=1e-3, atol=1e-4 * scale)


def test_a_penalty_counts_as_often_as_it_is_left_out() -> None:
    gradients = []
    for every in (1, 4):
        run = a_run(r1_every=every)
        _, real, sets = run.batch(run.training, run.draws(0))
        assert run.penalise(real, sets) > 0
        gradients.append([p.grad for p in run.critic.parameters() if p.grad is not None])
    for one, four in zip(*gradients, strict=True):
        assert torch.allclose(4 * one, four, rtol=1e-4)
    run.step = 1
    run.advance()
    assert run._penalty == 0  # left out


def test_a_run_without_penalty_takes_none() -> None:
    run = a_run(r1=0.0)
    run.advance()
    assert run._penalty == 0
