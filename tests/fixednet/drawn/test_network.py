"""The triangular network: what it writes it reads, and every plane is one message."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from stegfield.fixednet.drawn.network import CONSTRAINT_HEIGHT, ROWS, Triangular
from stegfield.keys import Key

NETWORK = Triangular()
PARTS = arrays.arrays(np.bool_, st.tuples(st.integers(1, 5), st.integers(1, 300)))


@given(bits=PARTS, secret=st.binary(min_size=32, max_size=32), salt=st.binary(max_size=64))
def test_reading_undoes_writing_and_writing_undoes_reading(
    bits: np.ndarray, secret: bytes, salt: bytes
) -> None:
    key = Key(secret)
    assert np.array_equal(NETWORK.read(NETWORK.write(bits, key, salt), key, salt), bits)
    assert np.array_equal(NETWORK.write(NETWORK.read(bits, key, salt), key, salt), bits)


@pytest.mark.parametrize("size", [1, 2, 7, 10])
def test_each_plane_is_read_as_another_message_and_each_message_is_written(size: int) -> None:
    """All planes of a size: the network is a bijection, so uniform bits are uniform samples."""
    key = Key(bytes(range(32)))
    written = {
        NETWORK.write(np.array([bits]), key, b"salt").tobytes()
        for bits in itertools.product([False, True], repeat=size)
    }
    assert len(written) == 2**size


def matrix(size: int, key: Key) -> np.ndarray:
    """The network as a matrix: what it reads from planes with one bit."""
    columns = [NETWORK.read(row[None], key, b"salt")[0] for row in np.eye(size, dtype=np.bool_)]
    return np.array(columns).T.astype(np.int64)


def test_it_is_linear_unit_triangular_and_banded_with_keyed_weights() -> None:
    size, width = 3 * ROWS, 3
    one, other = (matrix(size, Key(bytes([n] * 32))) for n in (1, 2))
    assert np.array_equal(np.tril(one), one)
    assert (np.diag(one) == 1).all()
    rows, columns = np.nonzero(one)
    assert set((rows - columns).tolist()) == {width * t for t in range(CONSTRAINT_HEIGHT)}
    between = slice(None, size - width * (CONSTRAINT_HEIGHT - 1))
    last = np.array([one[at + width * (CONSTRAINT_HEIGHT - 1), at] for at in range(size)[between]])
    assert last.all()
    assert 0.1 < (one != other)[one + other > 0].mean() < 0.9
    plane = np.random.default_rng(0).integers(0, 2, size)
    read = NETWORK.read(plane.astype(np.bool_)[None], Key(bytes([1] * 32)), b"salt")[0]
    assert np.array_equal(one @ plane % 2, read)


def test_another_salt_gives_other_weights() -> None:
    key, bits = Key(bytes(32)), np.ones((2, 200), np.bool_)
    one, other = (NETWORK.write(bits, key, salt) for salt in (b"a", b"b"))
    assert not np.array_equal(one, other)
