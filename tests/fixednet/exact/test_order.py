from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stegfield.fixednet.exact.order import permutation
from stegfield.keys import KeyStream

streams = st.binary(min_size=32, max_size=32).map(KeyStream)


@given(streams, st.integers(0, 3000))
def test_every_number_comes_once(stream: KeyStream, count: int) -> None:
    assert np.array_equal(np.sort(permutation(stream, count)), np.arange(count))


@given(st.binary(min_size=32, max_size=32), st.integers(0, 300))
def test_numbers_are_sorted_by_their_16_bit_draws_and_ties_keep_their_order(
    subkey: bytes, count: int
) -> None:
    drawn = np.frombuffer(KeyStream(subkey).bytes(2 * count), "<u2").tolist()
    expected = sorted(range(count), key=lambda at: drawn[at])
    assert permutation(KeyStream(subkey), count).tolist() == expected


def test_no_place_prefers_a_number() -> None:
    count, each = 50, 4000
    stream = KeyStream(bytes(range(32)))
    found = np.zeros((count, count))
    for _ in range(each):
        found[np.arange(count), permutation(stream, count)] += 1
    expected = each / count
    chi_square = np.square(found - expected).sum() / expected
    assert abs(chi_square - 49 * 49) < 5 * np.sqrt(2 * 49 * 49)
