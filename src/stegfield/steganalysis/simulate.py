"""Embedding as others do it, simulated: the changes of a payload, without a message to read.

    replacement    a bit takes the place of a sample's lowest one (LSB replacement)
    matching       a sample whose lowest bit is wrong goes up or down by one, at random
    hill           the fewest and best hidden changes by one that could carry the payload,
    s-uniward      at the costs of HILL or S-UNIWARD

The last two are what the best code could reach: a sample of cost r changes by +1 or by -1 with
probability exp(-s r) / (1 + 2 exp(-s r)) each, where s is lambda, the multiplier at which the
entropy of all changes is the payload.

Sources: Fridrich and Filler (2007) for optimal embedding; Holub, Fridrich and Denemark (2014) for
S-UNIWARD, whose wavelets are of Daubechies (1988), with 8 vanishing moments; `carriers.costs` for
HILL.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from jaxtyping import Float, Float32
from numpy.typing import NDArray
from scipy import ndimage

from stegfield.carriers import costs
from stegfield.carriers.jpeg_costs import LOW_PASS
from stegfield.errors import CapacityError
from stegfield.metrics import Samples

STABILIZER = 1.0
TERNARY = float(np.log2(3))
HALVINGS = 60
LOGARITHMS = (-20.0, 20.0)  # between which that of lambda lies
Costs = Float[np.ndarray, "rows columns channels"]
Simulator = Callable[[Samples, float, np.random.Generator], NDArray[np.uint8]]


def lsb_replacement(
    cover: Samples, bits_a_sample: float, random: np.random.Generator
) -> NDArray[np.uint8]:
    """Put random bits in place of the lowest ones, in a random share of the samples.

    Raises:
        CapacityError: more than a bit a sample is asked for; for the other schemes, more than
            they can carry.
    """
    chosen = _chosen(cover, bits_a_sample, random)
    bits = random.integers(2, size=cover.shape, dtype=np.uint8)
    return np.where(chosen, cover & 254 | bits, cover)


def lsb_matching(
    cover: Samples, bits_a_sample: float, random: np.random.Generator
) -> NDArray[np.uint8]:
    """Move samples up or down by one where their lowest bits shall change."""
    chosen = _chosen(cover, bits_a_sample, random)
    change = chosen & random.integers(2, size=cover.shape, dtype=np.uint8).astype(np.bool_)
    step = np.where(random.integers(2, size=cover.shape), 1, -1)
    step = np.where(cover == 0, 1, np.where(cover == 255, -1, step))
    return _moved(cover, np.where(change, step, 0))


def optimal(
    cover: Samples,
    bits_a_sample: float,
    random: np.random.Generator,
    *,
    cost: Callable[[Samples], Costs],
) -> NDArray[np.uint8]:
    """Change samples by one as the best code at these costs would (payload-limited sender)."""
    chances = change_chances(cost(cover).astype(np.float64), cover, bits_a_sample)
    chance = random.random(cover.shape)
    up, down = chance < chances[0], chance >= 1 - chances[1]
    return _moved(cover, up.astype(np.int16) - down)


def change_chances(rho: Costs, cover: Samples, bits_a_sample: float) -> NDArray[np.float64]:
    """Return the probabilities of a change up and of one down at every sample, for a payload.

    Returns:
        Two arrays of the cover's shape. The ternary entropy of the changes is the payload.

    Raises:
        CapacityError: the entropy of any changes is less than the payload.
    """
    return payload_chances(rho, np.stack([cover < 255, cover > 0]), bits_a_sample)


def payload_chances(
    rho: NDArray[np.float64], allowed: NDArray[np.bool_], bits_each: float
) -> NDArray[np.float64]:
    """Return the probabilities of a change up and of one down at every element, for a payload.

    Args:
        rho: What a change costs.
        allowed: Which elements may go up, and then which may go down.
        bits_each: The payload, in bits an element.

    Raises:
        CapacityError: the entropy of any changes is less than the payload.
    """
    room = float(np.log2(1 + allowed.sum(axis=0)).mean())
    if bits_each > room:
        raise _too_much(bits_each * rho.size, room * rho.size)
    low, high = LOGARITHMS
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        enough = _entropy(_chances(rho, allowed, np.exp(middle))) > bits_each
        low, high = (middle, high) if enough else (low, middle)
    return _chances(rho, allowed, np.exp(low))


def s_uniward(levels: Samples) -> Float32[np.ndarray, "_rows _columns _channels"]:
    """Compute the cost of a change by one at every sample from the wavelets around it.

    Three filters take edges of three directions. A change is cheap where the cover has strong
    coefficients of all of them; the sum over a filter's coefficients is of the change's share in
    each, divided by the cover's coefficient.
    """
    low = np.array(LOW_PASS)
    high = low[::-1] * np.where(np.arange(len(low)) % 2, 1, -1)
    margin = (len(low), len(low))
    padded = np.pad(levels.astype(np.float32), (margin, margin, (0, 0)), mode="symmetric")
    rho = np.zeros(levels.shape, np.float32)
    for down, across in ((low, high), (high, low), (high, high)):
        strength = np.abs(_convolved(padded, down, across)) + np.float32(STABILIZER)
        # back to the samples that each coefficient was made of
        spread = _convolved(np.reciprocal(strength), np.abs(down[::-1]), np.abs(across[::-1]))
        rho += spread[1:-1, 1:-1]
    return rho


SIMULATORS: dict[str, Simulator] = {
    "replacement": lsb_replacement,
    "matching": lsb_matching,
    "hill": partial(optimal, cost=costs.hill),
    "s-uniward": partial(optimal, cost=s_uniward),
}


def _chosen(cover: Samples, bits_a_sample: float, random: np.random.Generator) -> NDArray[np.bool_]:
    if bits_a_sample > 1:
        raise _too_much(bits_a_sample * cover.size, float(cover.size))
    chosen = np.zeros(cover.size, dtype=np.bool_)
    chosen[random.permutation(cover.size)[: round(bits_a_sample * cover.size)]] = True
    return chosen.reshape(cover.shape)


def _moved(cover: Samples, steps: NDArray[np.integer]) -> NDArray[np.uint8]:
    moved: NDArray[np.uint8] = (cover + steps).astype(np.uint8)
    return moved


def _chances(
    rho: NDArray[np.float64], allowed: NDArray[np.bool_], lambda_: float
) -> NDArray[np.float64]:
    weights = np.exp(-lambda_ * rho) * allowed
    chances: NDArray[np.float64] = weights / (1 + weights.sum(axis=0))
    return chances


def _entropy(chances: NDArray[np.float64]) -> float:
    every = np.concatenate([chances, 1 - chances.sum(axis=0, keepdims=True)])
    safe = np.where(every > 0, every, 1)
    return float(-(safe * np.log2(safe)).sum(axis=0).mean())


def _convolved(
    planes: NDArray[np.float32], down: NDArray[np.float64], across: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Convolve along columns and rows, where the filters lie inside the planes."""
    for axis, taps in enumerate((down, across)):
        before = (len(taps) - 1) // 2
        filtered = ndimage.convolve1d(planes, taps, axis=axis, mode="constant")
        inside = range(before, before + planes.shape[axis] - len(taps) + 1)
        planes = np.take(filtered, inside, axis=axis)
    return planes


def _too_much(needed: float, available: float) -> CapacityError:
    return CapacityError(
        needed=round(needed), available=int(available), unit="bits", holder="cover"
    )
