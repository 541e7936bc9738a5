from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from stegfield.errors import CapacityError, ConfigError, UnreadableError
from stegfield.keys import SALT_BYTES, Key, KeyStream, Passphrase
from stegfield.payload import bits_of, law
from stegfield.payload.frame import NONCE
from stegfield.payload.law import PARTS, Message, Network, Places, compose, find, longest

KEYS = [Key(bytes([number]) * 32) for number in range(10)]
ROOM = 8 * 4096

suffixes = st.from_regex(law.SUFFIX, fullmatch=True)


class Shifted(Network):
    """A network that is not the identity: each bit is added to the one before it."""

    def write(self, bits: NDArray[np.bool_], key: Key, salt: bytes) -> NDArray[np.bool_]:
        return np.logical_xor.accumulate(bits, axis=1)

    def read(self, elements: NDArray[np.bool_], key: Key, salt: bytes) -> NDArray[np.bool_]:
        before = np.pad(elements, ((0, 0), (1, 0)))[:, :-1]
        return np.logical_xor(elements, before)


@pytest.fixture
def fixed(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Fix the system's randomness."""

    def fix(number: int) -> None:
        streams = iter(KeyStream(bytes([number, each]) * 16) for each in range(256))
        monkeypatch.setattr(law, "system_stream", lambda: next(streams))

    return fix


@given(st.binary(max_size=2000), suffixes, st.booleans(), st.integers(8000, ROOM))
def test_finding_undoes_composing(data: bytes, suffix: str, networked: bool, bits: int) -> None:
    network = Shifted() if networked else None
    if longest(bits) < len(data) + len(suffix):
        return
    plane = compose([Message(data, KEYS[0], suffix)], bits, network=network)
    found = find(plane, KEYS[0], network=network)
    assert (found.data, found.suffix) == (data, suffix)


@given(st.lists(st.binary(max_size=300), min_size=2, max_size=8))
def test_every_key_reads_its_own_message_and_no_part_is_shared(messages: list[bytes]) -> None:
    plane = compose([Message(data, KEYS[n]) for n, data in enumerate(messages)], ROOM)
    found = [find(plane, KEYS[n]) for n in range(len(messages))]
    assert [each.data for each in found] == messages
    assert len({each.slot for each in found}) == len(messages)
    for one, other in combinations(found, 2):
        assert one.mask & other.mask == 0
    with pytest.raises(UnreadableError):
        find(plane, KEYS[9])


def test_a_passphrase_is_salted_by_the_plane() -> None:
    one, other = (compose([Message(b"noon", Passphrase("a long one"))], ROOM) for _ in range(2))
    assert find(one, Passphrase("a long one")).data == b"noon"
    assert Places(ROOM).salt(one) != Places(ROOM).salt(other)
    with pytest.raises(UnreadableError):
        find(one, Passphrase("another one"))


def test_planes_differ_from_the_systems_bits_only_where_a_message_lies(
    fixed: Callable[[int], None],
) -> None:
    """What is behind a body in its last part stays as well, as the message's network reads it."""
    messages = [Message(bytes(500), KEYS[0]), Message(bytes(range(100)), KEYS[1])]
    for network in (None, Shifted()):
        fixed(1)
        innocent = compose([], ROOM)
        fixed(1)
        plane = compose(messages, ROOM, network=network)
        places, changed = Places(ROOM), plane != innocent
        for message in messages:
            found = find(plane, message.key, network=network)
            changed[places.slot(found.slot)] = False
            rows = [part for part in range(PARTS) if found.mask >> part & 1]
            read, drawn = places.parts(plane)[rows], places.parts(innocent)[rows]
            read = network.read(read, KEYS[0], b"") if network else read
            behind = 8 * message.content().length
            assert behind < read.size
            assert np.array_equal(read.reshape(-1)[behind:], drawn.reshape(-1)[behind:])
            places.parts(changed)[rows] = False
        assert not changed.any()


def test_the_longest_message_fits_and_one_byte_more_does_not() -> None:
    noise = KeyStream(bytes(32))
    for bits in (784, 12_288, ROOM, ROOM + 77):
        most = longest(bits)
        data = noise.bytes(most)
        assert find(compose([Message(data, KEYS[0])], bits), KEYS[0]).data == data
        with pytest.raises(CapacityError, match=f"{most + 1:,} bytes are needed"):
            compose([Message(data + b"!", KEYS[0])], bits)


@given(st.integers(0, 760))
def test_a_plane_too_small_for_any_message_is_refused(bits: int) -> None:
    if longest(bits) > 0:
        return
    with pytest.raises(CapacityError):
        compose([Message(b"x", KEYS[0])], bits)
    with pytest.raises(UnreadableError):
        find(np.zeros(bits, dtype=bool), KEYS[0])
    assert len(compose([], bits)) == bits


def test_room_left_is_what_the_known_messages_leave() -> None:
    plane = compose([Message(KeyStream(bytes(32)).bytes(1000), KEYS[0])], ROOM)
    found = find(plane, KEYS[0])
    left = longest(ROOM, [found])
    second = KeyStream(bytes(32)).bytes(left)
    both = compose([Message(found.data, KEYS[0]), Message(second, KEYS[1])], ROOM)
    assert find(both, KEYS[1]).data == second
    assert left < longest(ROOM) - 1000


def test_one_key_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="same key"):
        compose([Message(b"a", KEYS[0]), Message(b"b", KEYS[0])], ROOM)
    with pytest.raises(ConfigError, match="same key"):
        compose([Message(b"a", Passphrase("p q r")), Message(b"b", Passphrase("p q r"))], ROOM)


def test_more_messages_than_slots_are_refused() -> None:
    with pytest.raises(CapacityError, match="9 messages are needed, but the cover has room for 8"):
        compose([Message(b"a", key) for key in KEYS[:9]], ROOM)


@given(st.integers(0, ROOM - 1))
def test_an_altered_bit_of_a_message_makes_it_unreadable_and_others_nothing(at: int) -> None:
    plane = compose([Message(b"meet me", KEYS[0])], ROOM)
    found, places = find(plane, KEYS[0]), Places(ROOM)
    taken = np.zeros(ROOM, dtype=bool)
    taken[: 8 * SALT_BYTES] = taken[places.slot(found.slot)] = True
    length = 8 * (len(b"meet me") + law.OVERHEAD)
    first = next(part for part in range(PARTS) if found.mask >> part & 1)
    places.parts(taken)[first, :length] = True
    plane[at] ^= True
    if taken[at]:
        with pytest.raises(UnreadableError):
            find(plane, KEYS[0])
    else:
        assert find(plane, KEYS[0]).data == b"meet me"


def test_a_suffix_is_refused_unless_it_is_plain() -> None:
    for suffix in ("pdf", ".p/f", "..", ".PDF", ".elevenlette", ". "):
        with pytest.raises(ConfigError):
            Message(b"", KEYS[0], suffix)


@given(st.binary(max_size=40), st.binary(min_size=14, max_size=14))
def test_whatever_a_holder_of_the_key_writes_is_read_or_refused(data: bytes, facts: bytes) -> None:
    plane, places = compose([], ROOM), Places(ROOM)
    salt = places.salt(plane)
    header = law._header_cipher(KEYS[0], salt, 3).encrypt(facts, None)
    plane[places.slot(3)] = bits_of(header)
    body = law._body_cipher(KEYS[0], salt, header).encrypt(NONCE, data, None)
    bits = bits_of(body)
    places.parts(plane).reshape(-1)[: len(bits)] = bits
    with pytest.raises(UnreadableError):
        find(plane, KEYS[0])
    for deflated in (0, 1):
        facts = law.LAYOUT.pack(law.VERSION, deflated, len(body), 1)
        header = law._header_cipher(KEYS[0], salt, 3).encrypt(facts, None)
        plane[places.slot(3)] = bits_of(header)
        body = law._body_cipher(KEYS[0], salt, header).encrypt(NONCE, data, None)
        places.parts(plane)[0][: 8 * len(body)] = bits_of(body)
        try:
            assert data.endswith(find(plane, KEYS[0]).data) or deflated
        except UnreadableError:
            assert deflated or not data or not law.SUFFIX.fullmatch(_suffix_of(data))


def _suffix_of(data: bytes) -> str:
    return data[1 : 1 + data[0]].decode("latin-1")


# what holders of keys see: the same, whatever else is there


def orders(size: int) -> Iterator[KeyStream]:
    """Return streams whose permutations go through all of ``size`` elements, each once."""
    numbers = [0] * (size - 1)
    while True:
        yield _Scripted(list(numbers))
        for at in range(size - 1):
            numbers[at] += 1
            if numbers[at] < size - at:
                break
            numbers[at] = 0
        else:
            return


class _Scripted(KeyStream):
    def __init__(self, numbers: list[int]) -> None:
        super().__init__(bytes(32))
        self._numbers = numbers

    def below(self, bound: int) -> int:
        return self._numbers[-bound + 1] if bound > 1 else 0


def test_a_shuffle_goes_through_all_orders_alike() -> None:
    seen = Counter(tuple(stream.shuffled(4)) for stream in orders(4))
    assert len(seen) == 24
    assert set(seen.values()) == {1}


def test_a_coalition_sees_the_same_places_with_one_and_with_three_messages() -> None:
    """Enumerate all orders of five parts: masks of the first two messages, counts 1 and 2."""

    def seen(counts: tuple[int, ...]) -> Counter[tuple[frozenset[int], ...]]:
        views: Counter[tuple[frozenset[int], ...]] = Counter()
        for stream in orders(5):
            order, masks = stream.shuffled(5), []
            for count in counts:
                taken, order = order[:count], order[count:]
                masks.append(frozenset(taken))
            views[tuple(masks[:2])] += 1
        return views

    assert seen((1, 2)) == seen((1, 2, 1)) == seen((1, 2, 2))
    assert len(set(seen((1, 2)).values())) == 1
    # whichever place among the messages the coalition's has
    last = Counter({masks[1:]: 0 for masks in seen((2, 1))})
    for masks, count in seen((2, 1)).items():
        last[masks[1:]] += count
    first = Counter({masks[:1]: 0 for masks in seen((1, 2))})
    for masks, count in seen((1, 2)).items():
        first[masks[:1]] += count
    assert last == first


def test_what_compose_takes_is_as_likely_whatever_else_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Enumerate all orders of three slots and four parts, and read with the coalition's keys."""
    monkeypatch.setattr(law, "PARTS", 4)
    monkeypatch.setattr(law, "MOST_SLOTS", 3)
    bits = 8 * 3 * law.BYTES_A_SLOT
    size = Places(bits).part_bits // 8 + 1 - law.OVERHEAD  # of a message that takes two parts
    noise = KeyStream(bytes(32)).bytes(size)

    def seen(*messages: Message, holders: list[Key]) -> Counter[tuple[int, ...]]:
        views: Counter[tuple[int, ...]] = Counter()
        for numbers in product(range(3), range(2), range(4), range(3), range(2)):
            stream = _Listed(numbers)
            monkeypatch.setattr(law, "system_stream", lambda stream=stream: stream)
            plane = compose(messages, bits)
            found = [find(plane, key) for key in holders]
            views[tuple(number for each in found for number in (each.slot, each.mask))] += 1
        return views

    one, two, three = Message(b"a", KEYS[0]), Message(noise, KEYS[1]), Message(b"c", KEYS[2])
    for holders, few, many in (
        (KEYS[:1], [one], [two, one, three]),
        (KEYS[:1], [one], [three, one]),
        (KEYS[1:2], [two], [one, two, three]),
        (KEYS[:2], [one, two], [three, one, two]),
    ):
        alone = seen(*few, holders=holders)
        assert alone == seen(*many, holders=holders)
        assert len(set(alone.values())) == 1
    assert len(seen(one, holders=KEYS[:1])) == 3 * 4
    assert len(seen(two, holders=KEYS[1:2])) == 3 * 6


class _Listed(KeyStream):
    """Integers from a list, and bits that are no question here."""

    def __init__(self, numbers: tuple[int, ...]) -> None:
        super().__init__(bytes(32))
        self._numbers = iter(numbers)

    def below(self, bound: int) -> int:
        drawn = next(self._numbers)
        assert drawn < bound
        return drawn


def test_draws_below_a_bound_are_exactly_uniform() -> None:
    class Words(KeyStream):
        def __init__(self, words: list[int]) -> None:
            super().__init__(bytes(32))
            self._words = iter(words)

        def bytes(self, count: int) -> bytes:
            return next(self._words).to_bytes(count, "little")

    # 2^64 = 6 * 3074457345618258602 + 4: the last four words are drawn again
    highest = (1 << 64) - 1
    assert Words([highest, highest - 3, highest - 4]).below(6) == 5
    assert Words([0]).below(6) == 0
    with pytest.raises(ConfigError):
        Words([0]).below(0)
