"""The paper's solver: it changes an image by gradients until a fixed network reads the message.

    image ─► L-BFGS, a few iterations ─► back within the bounds ─► round ─► read ─► again, or done
                                                                       └► repair, if bits stay wrong

The loss is the sum of the binary cross-entropies of all bits. The path is chaotic: another number
of threads rounds differently and ends at another image. So the result is checked, on the 8-bit
image that is written. Bits are read in float64, where machines agree far more closely than the
distance from 0 that every logit must keep.

Some bits may stay wrong after the last restart: L-BFGS pushes hardest where the logits are large. A
repair then continues with Adam, in steps of half a level. It works on the rounded image (gradients
pass through the rounding unchanged), and bits that are safe no longer count. Benchmark on a 64x64
face after 40 restarts: from 200 of 8,192 bits wrong at 21.7 dB to none at 20.5 dB in 190 steps,
while 150 moves of single levels along the signs of the largest gradients left 198.

Source: Zhong et al. (GINR-Stega), Eq. 2 and Sec. 3.4, after Kishore et al. (2022), FNNS.
Differs from the authors, who count wrong bits on the float image, which no file holds, and stop
when it has none: here the rounded image counts. The repair is ours. A search from the cover is the
paper's; a start at random noise around it or at an encoder's image makes it FNNS-D or FNNS-DE.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
import torch.nn.functional as nn
from jaxtyping import Bool, Float, Float64, UInt8
from torch import Tensor

from stegfield.config import DescentConfig
from stegfield.errors import CapacityError, ConfigError
from stegfield.fixednet.paper.network import FixedNetwork
from stegfield.fixednet.paper.relu import ReluNetwork
from stegfield.fixednet.progress import EmbedProgress, EmbedWatch
from stegfield.keys import Key
from stegfield.metrics import PEAK, psnr_db

SAFE = 1e-3
"""How far from 0 a logit must be. In float64 machines agree to about 1e-12, in float32 to 1e-4."""
ENOUGH_DB = 20.0
"""Below this PSNR another network is tried."""
REPAIR_LEVELS = 0.5
"""Length of a step of the repair, in 8-bit levels."""


@dataclass(frozen=True, eq=False)
class Descent:
    """The best image of a descent: the fewest wrong bits, then the highest PSNR."""

    levels: UInt8[np.ndarray, "rows columns channels"] = field(repr=False)
    errors: int
    """Bits that are wrong in the 8-bit image, or too close to be read safely."""
    float_errors: int
    """Fewest wrong bits in the float image after any restart, as the authors count."""
    restarts: int
    psnr_db: float
    """PSNR of the 8-bit image, over all its samples."""


@dataclass(frozen=True, eq=False)
class Embedded:
    """An image that carries bits, and the network that reads them."""

    descent: Descent
    seed_index: int


@dataclass(frozen=True, eq=False)
class _Task:
    """The task of a descent; tensors are on the network's device."""

    network: FixedNetwork
    signs: Float[Tensor, " bits"]  # 1 or -1 for every bit
    cover: UInt8[np.ndarray, "rows columns channels"]
    lower: Float[Tensor, "rows columns channels"]
    upper: Float[Tensor, "rows columns channels"]

    def distances(self, image: Tensor) -> Tensor:
        """Return the distance of every logit from 0, positive on the right side."""
        logits: Tensor = self.network(image).flatten()
        return self.signs * logits[: len(self.signs)]

    def wrong(self, image: Tensor) -> int:
        with torch.no_grad():
            return int((self.distances(image) <= 0).sum())

    def within_bounds(self, image: Tensor) -> Tensor:
        """Clip values to their bounds; NaN becomes the lower bound."""
        numbers = torch.where(image.isnan(), self.lower, image)
        return numbers.clamp(self.lower, self.upper)


@dataclass(frozen=True, eq=False)
class _Found:
    levels: UInt8[np.ndarray, "rows columns channels"]
    errors: int
    psnr_db: float

    def beats(self, other: _Found) -> bool:
        return (self.errors, -self.psnr_db) < (other.errors, -other.psnr_db)


def embed_bits(
    key: Key,
    bits: Bool[np.ndarray, " bits"],
    levels: UInt8[np.ndarray, "rows columns channels"],
    depth: int,
    *,
    config: DescentConfig = DescentConfig(),
    start: Float[Tensor, "rows columns channels"] | None = None,
    until_read: bool = True,
    watch: EmbedWatch = lambda progress: None,
) -> Embedded:
    """Change an image until one of a key's ReLU networks reads the bits.

    Networks are tried in order until one reads all bits at 20 dB or more. All but the last are
    abandoned as soon as the PSNR falls below that.

    Args:
        key: Decides the networks.
        bits: The message, at most ``depth`` bits a pixel, pixel by pixel.
        levels: The cover.
        depth: Bits per pixel that the network reads, from 1 to 4.
        config: How to search.
        start: Image to start from, with values in [0, 1] [default: the cover].
        until_read: Also try another network if bits stay wrong; the paper does so only for the
            PSNR.
        watch: Called after every restart.

    Returns:
        The first result that is good enough, or the one with the fewest wrong bits, then the
        highest PSNR. Bits may be wrong: see ``descent.errors``.

    Raises:
        ConfigError: The depth is out of range.
        CapacityError: There are more bits than the pixels carry.
    """
    best: Embedded | None = None
    stopped = False
    for index in range(config.networks):

        def one(progress: EmbedProgress, index: int = index) -> bool:
            nonlocal stopped
            share = (index + progress.fraction) / config.networks
            stopped = bool(watch(replace(progress, fraction=share)))
            return stopped or (progress.psnr_db < ENOUGH_DB and index + 1 < config.networks)

        network = ReluNetwork(key, seed_index=index, depth=depth, channels=levels.shape[2])
        descent = descend(network, bits, levels, config=config, start=start, watch=one)
        found = Embedded(descent, index)
        read = descent.errors == 0 or not until_read
        if read and descent.psnr_db >= ENOUGH_DB:
            return found
        if best is None or _order(descent) < _order(best.descent):
            best = found
        if stopped:
            break
    assert best is not None  # noqa: S101 - a config has at least one network
    return best


def descend(
    network: FixedNetwork,
    bits: Bool[np.ndarray, " bits"],
    levels: UInt8[np.ndarray, "rows columns channels"],
    *,
    config: DescentConfig = DescentConfig(),
    start: Float[Tensor, "rows columns channels"] | None = None,
    watch: EmbedWatch = lambda progress: None,
) -> Descent:
    """Change an image until a fixed network reads the bits.

    Args:
        network: The fixed network, on whose device the search runs.
        bits: The message, at most ``network.depth`` bits a pixel, pixel by pixel. Bits that the
            network reads beyond it may be anything.
        levels: The cover.
        config: How to search.
        start: Image to start from, with values in [0, 1] [default: the cover].
        watch: Called after every restart and every step of the repair.

    Raises:
        ConfigError: The network reads images with another number of channels.
        CapacityError: There are more bits than the pixels carry.
    """
    task = _task(network, bits, levels, config.eps)
    image = _to_values(levels, task.lower.device) if start is None else start.to(task.lower)
    image = task.within_bounds(image)
    best, float_errors = _judged(task, image), task.wrong(image)
    work = config.restarts * config.inner + config.repair
    stopped, restarts = False, 0
    while best.errors and restarts < config.restarts and not stopped:
        restarts += 1
        image = task.within_bounds(_lbfgs(task, image, config))
        float_errors = min(float_errors, task.wrong(image))
        found = _judged(task, image)
        best = found if found.beats(best) else best
        share = restarts * config.inner / work
        stopped = bool(watch(EmbedProgress(share, best.errors, best.psnr_db)))
    if best.errors and not stopped:

        def one(step: int, found: _Found) -> bool:
            share = (config.restarts * config.inner + step) / work
            return bool(watch(EmbedProgress(share, found.errors, found.psnr_db)))

        best = _repaired(task, best, config.repair, one)
    return Descent(
        levels=best.levels,
        errors=_unsafe(task, best.levels),
        float_errors=float_errors,
        restarts=restarts,
        psnr_db=best.psnr_db,
    )


def read_logits(
    network: FixedNetwork, levels: UInt8[np.ndarray, "rows columns channels"]
) -> Float64[np.ndarray, "rows columns depth"]:
    """Return the logits of an 8-bit image, computed in float64."""
    exact = copy.deepcopy(network).to(torch.float64)
    with torch.no_grad():
        logits = exact(_to_values(levels, _device(network), torch.float64))
    return logits.cpu().numpy()  # type: ignore[no-any-return]


def read_bits(
    network: FixedNetwork, levels: UInt8[np.ndarray, "rows columns channels"]
) -> Bool[np.ndarray, " bits"]:
    """Read all bits of an 8-bit image, pixel by pixel."""
    return read_logits(network, levels).ravel() > 0


def noise_around(
    levels: UInt8[np.ndarray, "rows columns channels"],
    spread: float,
    generator: torch.Generator,
) -> Float[Tensor, "rows columns channels"]:
    """Return a start: the cover with uniform noise of up to ``spread``, in [0, 1]."""
    noise = 2 * torch.rand(levels.shape, generator=generator) - 1
    return (_to_values(levels, noise.device) + spread * noise).clamp(0, 1)


def _task(
    network: FixedNetwork,
    bits: Bool[np.ndarray, " bits"],
    levels: UInt8[np.ndarray, "rows columns channels"],
    eps: float,
) -> _Task:
    rows, columns, channels = levels.shape
    if channels != network.channels:
        raise ConfigError(
            f"the network reads images with {network.channels} channels, got {channels}"
        )
    if len(bits) > rows * columns * network.depth:
        raise CapacityError(needed=len(bits), available=rows * columns * network.depth, unit="bits")
    # whole levels, so that rounding does not leave the bounds
    reach = int(eps * PEAK + 1e-9) / PEAK
    device = _device(network)
    cover = _to_values(levels, device)
    signs = torch.tensor(np.where(bits, 1.0, -1.0), dtype=torch.float32, device=device)
    lower, upper = (cover - reach).clamp_min(0), (cover + reach).clamp_max(1)
    return _Task(network, signs, levels, lower, upper)


def _lbfgs(task: _Task, image: Tensor, config: DescentConfig) -> Tensor:
    """Run a few iterations of L-BFGS without bounds."""
    # L-BFGS views the gradient as one row
    values = image.clone(memory_format=torch.contiguous_format).requires_grad_()
    optimizer = torch.optim.LBFGS([values], lr=config.learning_rate, max_iter=config.inner)

    def loss() -> Tensor:
        optimizer.zero_grad()
        # binary cross-entropy of a logit l for the sign s is ln(1 + exp(-s l))
        total = nn.softplus(-task.distances(values)).sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    return values.detach()


def _repaired(
    task: _Task, best: _Found, steps: int, watch: Callable[[int, _Found], bool]
) -> _Found:
    """Correct the last wrong bits by Adam on the rounded image."""
    values = _to_values(best.levels, task.lower.device).requires_grad_()
    optimizer = torch.optim.Adam([values], lr=REPAIR_LEVELS / PEAK, betas=(0.9, 0.99))
    for step in range(1, steps + 1):
        rounding = ((values * PEAK).round() / PEAK - values).detach()
        distances = task.distances(values + rounding)
        found = _judged(task, values.detach(), int((distances <= 0).sum()))
        best = found if found.beats(best) else best
        if best.errors == 0 or watch(step, best):
            break
        optimizer.zero_grad()
        nn.relu(1 - distances).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        with torch.no_grad():
            values.copy_(task.within_bounds(values))
    return best


def _judged(task: _Task, image: Tensor, wrong: int | None = None) -> _Found:
    """Round an image and count its wrong bits; if float32 finds none, count again in float64."""
    levels = (image * PEAK).round().to(torch.uint8).cpu().numpy()
    wrong = task.wrong(_to_values(levels, image.device)) if wrong is None else wrong
    return _Found(levels, wrong or _unsafe(task, levels), psnr_db(task.cover, levels))


def _unsafe(task: _Task, levels: UInt8[np.ndarray, "rows columns channels"]) -> int:
    """Count the bits that are wrong, or too close to 0."""
    logits = read_logits(task.network, levels).ravel()
    signs = task.signs.cpu().numpy()
    return int((signs * logits[: len(signs)] <= SAFE).sum())


def _to_values(
    levels: UInt8[np.ndarray, "rows columns channels"],
    device: torch.device,
    dtype: torch.dtype = torch.float32,
) -> Float[Tensor, "rows columns channels"]:
    return torch.tensor(levels, device=device).to(dtype) / PEAK


def _device(network: FixedNetwork) -> torch.device:
    first: Tensor = next(iter(network.state_dict().values()))
    return first.device


def _order(descent: Descent) -> tuple[int, float]:
    return descent.errors, -descent.psnr_db
