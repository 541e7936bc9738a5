"""The solver on carriers of every kind, beside a plain search: bits are read, at the same cost."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from stegfield import carriers, signals
from stegfield.bench.experiments.viterbi import least_flips
from stegfield.carriers import Carrier, blocks
from stegfield.carriers import jpeg as coefficients
from stegfield.fixednet.exact import trellis
from stegfield.fixednet.exact.moves import LEAST
from stegfield.fixednet.exact.order import keyed_order
from stegfield.fixednet.exact.sine import SineNetwork
from stegfield.fixednet.exact.trellis import plan, solve
from stegfield.keys import Key, KeyStream
from stegfield.signals import Signal

KEY = Key(bytes(range(32)))


def photograph(*, channels: int = 3, low: int = 0, high: int = 255) -> Signal:
    levels = signals.to_samples(signals.waves(72, 80, channels=channels)).astype(np.float64)
    rough = np.linspace(1, 20, 80)[:, None]
    levels += np.random.default_rng(0).normal(0, 1, levels.shape) * rough
    return signals.from_samples(np.rint(levels).clip(low, high).astype(np.uint8))


def unrounded() -> Signal:
    random = np.random.default_rng(1)
    values = photograph().values + random.uniform(-0.5, 0.5, (72, 80, 3)) / 127.5
    return Signal(values.astype(np.float32))


def climate() -> Signal:
    random = np.random.default_rng(2)
    values = signals.waves(46, 90, channels=1).values + random.normal(0, 0.02, (46, 90, 1))
    return Signal(values.clip(-1, 1).astype(np.float32), signals.CLIMATE, range=(220.0, 320.0))


def sound() -> Signal:
    values = signals.chords(9000).values
    values = values + np.random.default_rng(3).normal(0, 0.01, values.shape)
    return Signal(values.clip(-1, 1).astype(np.float32), signals.SOUND, rate=8000.0)


def jpeg() -> Carrier:
    table = np.full(64, 6, dtype=np.int64)
    luma = signals.to_samples(photograph(channels=1))[..., 0].astype(np.float64)
    exact = blocks.to_coefficients(luma + 0.2, table)
    planes = np.rint(exact).astype(np.int16)
    above = (planes - exact).astype(np.float32)
    return coefficients.carrier(planes, table, above=above)


CARRIERS: dict[str, Callable[[], Carrier]] = {
    "colour": lambda: carriers.of(photograph()),
    "flat costs": lambda: carriers.of(photograph(), flat=True),
    "at the bounds": lambda: carriers.of(photograph(low=250)),
    "grey": lambda: carriers.of(photograph(channels=1)),
    "side information": lambda: carriers.of(unrounded()),
    "sound": lambda: carriers.of(sound()),
    "climate": lambda: carriers.of(climate()),
    "jpeg": jpeg,
}


KNOWN = ("side information", "sound", "climate", "jpeg")
"""Those whose values before rounding are known."""


def paid(carrier: Carrier, change: np.ndarray[tuple[int], np.dtype[np.int8]]) -> float:
    """Return the cost of a change: d^2, or with side information e the growth d^2 + 2 d e."""
    steps = change.astype(np.float64)
    known = carrier.side_information
    above = 0.0 if known is None else known.astype(np.float64)
    grown = np.maximum(steps**2 + 2 * steps * above, float(LEAST) * steps**2)
    return float(carrier.costs.astype(np.float64) @ grown)


@pytest.mark.parametrize("rate", [0.02, 0.15])
@pytest.mark.parametrize("kind", CARRIERS)
def test_bits_are_read_and_cost_what_they_do_in_a_plain_search(
    kind: str, rate: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trellis, "system_stream", lambda: KeyStream(bytes(32)))  # the same ties
    carrier = CARRIERS[kind]()
    assert (carrier.side_information is not None) == (kind in KNOWN)
    count = round(rate * len(carrier.levels))
    bits = np.random.default_rng(count).integers(2, size=count).astype(np.bool_)
    order = keyed_order(KEY, len(carrier.levels))
    planned = plan(carrier, count, order)
    network = SineNetwork(KEY, "test", order, planned.bits)
    change = solve(network, bits, carrier, lambda_=planned.lambda_)
    stego = carrier.levels.astype(np.int64) + change
    assert np.array_equal(network.read(stego), bits)
    assert carrier.bounds[0] <= stego.min() <= stego.max() <= carrier.bounds[1]
    monkeypatch.setattr(trellis, "cheapest_flips", least_flips)
    least = solve(network, bits, carrier, lambda_=planned.lambda_)
    assert np.array_equal(network.read(carrier.levels.astype(np.int64) + least), bits)
    # of many samples it is within 0.1 % (test_search); these are few
    assert paid(carrier, change) <= 1.002 * paid(carrier, least)
