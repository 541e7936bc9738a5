from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stegfield.carriers import Carrier
from stegfield.errors import CapacityError, UnreadableError
from stegfield.fixednet.exact import profile as exact
from stegfield.fixednet.exact import search
from stegfield.fixednet.exact.header import BITS as HEADER_BITS
from stegfield.fixednet.exact.header import NETWORKS, HeaderNetworks, header_samples
from stegfield.fixednet.exact.order import KeyedOrder
from stegfield.fixednet.exact.trellis import solve
from stegfield.keys import IMAGE_SALT, Key
from stegfield.payload import LARGEST_MESSAGE, TAG, Content, Header, bits_of, longest_message
from stegfield.signals import waves

KEY, OTHER = Key(bytes(range(32))), Key(bytes(range(1, 33)))
OWN_SALT = bytes(range(16))
BOUNDS = (0, 255)
NOISE = np.random.default_rng(9).bytes(8_000)

keys = st.binary(min_size=32, max_size=32).map(Key)


def cover_of(count: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, count, dtype=np.uint8)


def carrier_of(
    levels: NDArray[Any],
    bounds: tuple[int, int] = BOUNDS,
) -> Carrier:
    """Let levels carry bits at one cost."""
    costs = np.ones(len(levels), dtype=np.float32)
    return Carrier(levels, bounds, lambda: costs, put_back=lambda stego: waves(8, 8))


def embedded(
    samples: NDArray[Any], message: bytes, key: Key = KEY, **options: Any
) -> NDArray[np.int64]:
    carrier = carrier_of(samples, bounds=options.pop("bounds", BOUNDS))
    change, _ = exact.embed(carrier, Content.of(message), key, **options)
    return samples.astype(np.int64) + change


# any message, any key, any rate


@given(st.binary(max_size=80), keys, st.integers(1200, 1400), st.integers(6, 8))
@example(b"", KEY, 1200, 6)
@example(NOISE[:80], KEY, 1200, 8)
def test_extract_undoes_embed(message: bytes, key: Key, count: int, height: int) -> None:
    stego = embedded(cover_of(count, seed=count), message, key, constraint_height=height)
    assert exact.extract(stego, key) == message
    assert stego.min() >= 0
    assert stego.max() <= 255


@pytest.mark.parametrize("bounds", [(0, 65535), (-300, 300)])
def test_other_integers_than_those_of_images_carry_messages(bounds: tuple[int, int]) -> None:
    samples = np.random.default_rng(0).choice(np.array(bounds), 2000)
    stego = embedded(samples, NOISE[:100], bounds=bounds)
    assert exact.extract(stego, KEY) == NOISE[:100]
    assert stego.min() >= bounds[0]
    assert stego.max() <= bounds[1]


@pytest.mark.parametrize("level", [0, 255, 128])
def test_a_plain_cover_carries_as_much_as_any(level: int) -> None:
    samples = np.full(2000, level, dtype=np.uint8)
    longest = longest_message(exact.fullest(2000))
    stego = embedded(samples, NOISE[:longest])
    assert exact.extract(stego, KEY) == NOISE[:longest]
    assert np.abs(stego - level).max() <= 3


@pytest.mark.parametrize("count", [1200, 4000])
@pytest.mark.parametrize("share", [0.4, 0.7, 1])
def test_the_longest_message_of_a_rate_fits_and_one_byte_more_is_refused_with_both_numbers(
    count: int, share: float
) -> None:
    samples = cover_of(count)
    bits = max(HEADER_BITS + 300, int(share * exact.fullest(count)))
    longest = longest_message(bits)
    assert longest > 0
    change, carried = exact.embed(carrier_of(samples), Content.of(NOISE[:longest]), KEY, bits=bits)
    assert carried == bits
    assert exact.extract(samples + change, KEY) == NOISE[:longest]
    with pytest.raises(CapacityError, match=rf"\b{longest + 1} bytes .*\b{longest}\b") as caught:
        embedded(samples, NOISE[: longest + 1], bits=bits)
    assert "cover" in str(caught.value)


def test_without_a_rate_a_message_takes_as_few_bits_as_it_needs() -> None:
    samples = cover_of(4000)
    carried = [exact.embed(carrier_of(samples), Content.of(NOISE[:n]), KEY)[1] for n in (0, 1, 100)]
    assert carried == [HEADER_BITS + 8 * (n + TAG) for n in (0, 1, 100)]


@given(st.integers(0, 751))
def test_a_cover_too_small_for_a_header_is_refused(count: int) -> None:
    with pytest.raises(CapacityError, match="samples"):
        embedded(cover_of(count), b"")
    with pytest.raises(UnreadableError):
        exact.extract(cover_of(count), KEY)


def test_the_smallest_cover_carries_the_longest_message_that_it_promises() -> None:
    count = 2 * HEADER_BITS
    longest = longest_message(exact.fullest(count))
    stego = embedded(cover_of(count), NOISE[:longest])
    assert longest > 0
    assert exact.extract(stego, KEY) == NOISE[:longest]


# wrong keys and damage


STEGO = embedded(cover_of(4000), NOISE[:100])


@given(keys)
def test_another_key_reads_nothing(key: Key) -> None:
    with pytest.raises(UnreadableError):
        exact.extract(STEGO, key)


def test_one_altered_bit_of_the_planes_loses_the_message_and_whole_fours_change_nothing() -> None:
    assert exact.extract(STEGO + 4 * np.arange(len(STEGO)), KEY) == NOISE[:100]
    read = 0
    for at in range(0, len(STEGO), 40):
        altered = STEGO.copy()
        altered[at] ^= 1
        with suppress(UnreadableError):  # of a sample beyond the last bit's, if any
            read += exact.extract(altered, KEY) == NOISE[:100]
    assert read == 0


@given(st.integers(0, 999))
def test_many_altered_samples_are_refused(seed: int) -> None:
    rng = np.random.default_rng(seed)
    altered = STEGO.copy()
    altered[rng.choice(len(altered), 200, replace=False)] ^= 1
    with pytest.raises(UnreadableError):
        exact.extract(altered, KEY)


def test_samples_lost_or_moved_are_refused() -> None:
    for samples in (STEGO[:-1], STEGO[1:], np.roll(STEGO, 1), STEGO[::-1], STEGO[:0]):
        with pytest.raises(UnreadableError):
            exact.extract(samples, KEY)


def test_a_message_of_another_cover_with_the_same_key_is_not_mixed_up() -> None:
    other = embedded(cover_of(4000, seed=1), NOISE[100:200])
    mixed = np.where(np.arange(4000) % 2 == 0, STEGO, other)
    with pytest.raises(UnreadableError):
        exact.extract(mixed, KEY)


@pytest.mark.parametrize(
    ("network", "length"),
    [
        ((2**32 - 1, 2**32 - 1, 10), 100),
        ((500, 500, 0), 100),
        ((500, 500, 255), 100),
        ((500, 500, 2), 100),
        ((500, 500, 15), 100),
        ((0, 0, 10), TAG),
        ((500, 500, 10), LARGEST_MESSAGE + TAG),
        ((500, 299, 10), 100),
        ((500, 500, 10), TAG),
    ],
)
def test_a_crafted_header_is_unreadable(network: tuple[int, int, int], length: int) -> None:
    # by who has the key, but not this program; the last one is sound, and its body is noise
    samples = cover_of(4000)
    header = Header(False, length, exact.NETWORK.pack(*network), OWN_SALT)
    sealed = bits_of(header.seal(KEY, IMAGE_SALT))
    reader = HeaderNetworks(KEY, 4000).network(1023)
    change = solve(reader, sealed, carrier_of(samples), lambda_=1.0)
    stego = samples + change
    assert np.array_equal(reader.read(stego), sealed)
    with pytest.raises(UnreadableError):
        exact.extract(stego, KEY)


# where the header lies


@given(keys, st.integers(752, 300_000), st.integers(0, NETWORKS - 1))
@settings(max_examples=15)
def test_header_and_body_share_the_samples_between_them(key: Key, count: int, index: int) -> None:
    [at] = HeaderNetworks(key, count).network(index).order
    assert len(at) == header_samples(count)
    order = KeyedOrder(key, count, OWN_SALT, at)
    assert np.array_equal(np.sort(np.concatenate([at, *order])), np.arange(count))


def test_a_message_over_several_segments_comes_back() -> None:
    samples = cover_of(140_000)
    stego = embedded(samples, NOISE[:50], constraint_height=6)
    assert exact.extract(stego, KEY) == NOISE[:50]


def test_two_messages_change_samples_at_unrelated_places() -> None:
    samples = np.full(100_000, 100, dtype=np.uint8)
    found = [np.flatnonzero(embedded(samples, NOISE[:2000]) != samples) for _ in range(2)]
    both = len(set(found[0].tolist()) & set(found[1].tolist()))
    expected = len(found[0]) * len(found[1]) / len(samples)
    assert len(found[0]) > 1000
    assert abs(both - expected) < 5 * np.sqrt(expected)


# what shows


def test_a_short_message_changes_few_samples_all_over_the_cover() -> None:
    side = 128
    samples = cover_of(side * side)
    changed = (embedded(samples, b"meet me at noon") != samples).reshape(side, side)
    half = side // 2
    quarters = changed.reshape(2, half, 2, half).sum(axis=(1, 3)).reshape(-1)
    assert 0 < changed.mean() < 0.015  # of 16,384 samples; a run changed 0.9 %
    chi_square = (np.square(quarters - quarters.mean()) / quarters.mean()).sum()
    assert chi_square < 21  # 3 degrees of freedom: once in 10^4 keys


def test_at_the_highest_rate_all_parts_of_a_cover_change_alike() -> None:
    count = 10_000
    samples = np.full(count, 100, dtype=np.uint8)
    bits = exact.fullest(count)
    changed = embedded(samples, b"short", bits=bits) != samples
    quarters = changed.reshape(4, -1).sum(axis=1)
    chi_square = (np.square(quarters - quarters.mean()) / quarters.mean()).sum()
    assert changed.mean() > 0.4
    assert chi_square < 21


def test_padding_hides_how_long_the_message_is() -> None:
    samples = cover_of(3000)
    changed = [
        (embedded(samples, NOISE[:length], bits=2000) != samples).sum() for length in (0, 90, 160)
    ]
    assert max(changed) < 1.15 * min(changed)


def test_nothing_repeats_an_embedding_but_the_same_randomness_on_any_number_of_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    samples = cover_of(70_000)  # two segments
    first, other = (embedded(samples, NOISE) for _ in range(2))
    assert not np.array_equal(first, other)
    assert exact.extract(first, KEY) == NOISE == exact.extract(other, KEY)
    found = []
    for threads in (1, 2):
        monkeypatch.setattr("secrets.token_bytes", lambda count: bytes(range(count)))
        monkeypatch.setattr(search, "cores", lambda threads=threads: threads)
        found.append(embedded(samples, NOISE))
    assert np.array_equal(found[0], found[1])
