"""StegaINR: a secret function inside a larger one (Liu et al., 2023).

Secret functions of 3x64 are trained alone, their weights are part of a stego function of 3x256, and
the others are trained so that the whole shows the cover. It hides one secret.

Source: as Dong et al. (2024), StegaINR4MIH, describe it, Sec. 4.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.func import functional_call

from stegfield import signals
from stegfield.bench.datasets import Datasets
from stegfield.bench.experiments.hiders import Exchange
from stegfield.bench.experiments.settings import HidingSettings
from stegfield.errors import ConfigError
from stegfield.metrics import Samples
from stegfield.signals import Signal

FREQUENCY = 30.0
SECRET_WIDTH, STEGO_WIDTH, LAYERS = 64, 256, 3
BATCH = 4096
RATE = 1e-4


class _Sines(nn.Module):
    """A SIREN; the corner of each of its matrices has room for those of a narrower one."""

    def __init__(self, width: int, channels: int) -> None:
        super().__init__()
        sizes = [2, *[width] * LAYERS]
        self.layers = nn.ModuleList(nn.Linear(*both) for both in pairwise(sizes))
        self.last = nn.Linear(width, channels)
        with torch.no_grad():
            for at, layer in enumerate([*self.layers, self.last]):
                fan_in = layer.weight.shape[1]
                bound = 1 / fan_in if at == 0 else (6 / fan_in) ** 0.5 / FREQUENCY
                layer.weight.uniform_(-bound, bound)

    def forward(self, at: Tensor) -> Tensor:
        for layer in self.layers:
            at = torch.sin(FREQUENCY * layer(at))
        shown: Tensor = self.last(at)
        return shown


def stegainr(data: Datasets, images: Sequence[Signal], settings: HidingSettings) -> Exchange:
    """Train a secret function, then a stego function around it, with as many steps each."""
    began = time.perf_counter()
    (cover, *secrets), steps = map(signals.to_samples, images), settings.peer_steps
    if len(secrets) != 1:
        raise ConfigError(f"StegaINR hides one secret, got {len(secrets)}")
    with torch.random.fork_rng([]):
        torch.manual_seed(settings.image)
        inner, outer = (_Sines(w, cover.shape[-1]) for w in (SECRET_WIDTH, STEGO_WIDTH))
        own = dict(inner.named_parameters())
        _trained(list(own.values()), inner, secrets[0], steps)
        fixed = {name: value.detach() for name, value in own.items()}
        hosts = dict(outer.named_parameters())

        def whole(at: Tensor) -> Tensor:
            shown: Tensor = functional_call(
                outer, {name: _hosted(hosts[name], fixed[name]) for name in hosts}, (at,)
            )
            return shown

        _trained(list(hosts.values()), whole, cover, steps)
        taken = {
            name: _hosted(hosts[name], fixed[name])[tuple(map(slice, fixed[name].shape))]
            for name in hosts
        }
        secret = _shown(lambda at: functional_call(inner, taken, (at,)), secrets[0])
        stego = _shown(whole, cover)
    return Exchange(stego, [secret], {"seconds": time.perf_counter() - began})


def _hosted(host: Tensor, guest: Tensor) -> Tensor:
    """Put a smaller tensor into the corner of a larger one."""
    corner = tuple(map(slice, guest.shape))
    both = host.clone()
    both[corner] = guest
    return both


def _grid(samples: Samples) -> tuple[Tensor, Tensor]:
    at = torch.from_numpy(signals.coordinates(samples.shape[:2]))
    values = torch.from_numpy(samples.reshape(-1, samples.shape[-1]) / 127.5 - 1).float()
    return at, values


def _trained(
    weights: list[nn.Parameter], show: Callable[[Tensor], Tensor], target: Samples, steps: int
) -> None:
    at, values = _grid(target)
    optimizer = torch.optim.Adam(weights, RATE)
    for _ in range(steps):
        some = torch.randint(len(at), (min(BATCH, len(at)),))
        loss = (show(at[some]) - values[some]).square().mean()
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward([loss])
        optimizer.step()


@torch.no_grad()
def _shown(show: Callable[[Tensor], Tensor], like: Samples) -> Samples:
    at, _ = _grid(like)
    values = torch.cat([show(part) for part in torch.split(at, BATCH)])
    levels = ((values.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return levels.view(like.shape).numpy()
