"""A key stream: ChaCha20 under a sub-key, as bytes, bits, integers and draws."""

from __future__ import annotations

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from numpy.typing import NDArray

from stegfield.errors import ConfigError


class KeyStream:
    """The key stream of one purpose, in little-endian order; every draw continues the stream."""

    def __init__(self, subkey: bytes) -> None:
        self._cipher = Cipher(algorithms.ChaCha20(subkey, bytes(16)), mode=None).encryptor()

    def bytes(self, count: int) -> bytes:
        """Draw bytes."""
        return self._cipher.update(bytes(count))

    def bits(self, count: int) -> NDArray[np.bool_]:
        """Draw bits, the highest of each byte first; the rest of the last byte is dropped."""
        drawn = np.frombuffer(self.bytes(-(-count // 8)), np.uint8)
        return np.unpackbits(drawn, count=count).astype(np.bool_)

    def integers(self, count: int) -> NDArray[np.uint64]:
        """Draw integers, uniform in [0, 2^64)."""
        return np.frombuffer(self.bytes(8 * count), dtype="<u8").astype(np.uint64)

    def below(self, bound: int) -> int:
        """Draw one integer below ``bound``, exactly uniform: too large ones are drawn again.

        Raises:
            ConfigError: ``bound`` is not from 1 to 2^32.
        """
        if not 1 <= bound <= 1 << 32:
            raise ConfigError(f"an integer is drawn below a bound from 1 to 2^32, got {bound}")
        largest = (1 << 64) // bound * bound
        while (drawn := int.from_bytes(self.bytes(8), "little")) >= largest:
            pass
        return drawn % bound

    def shuffled(self, size: int) -> list[int]:
        """Draw a permutation of the integers below ``size``, exactly uniform (Fisher and Yates).

        Example:
            >>> KeyStream(bytes(32)).shuffled(5)
            [1, 3, 2, 4, 0]
        """
        order = list(range(size))
        for last in range(size - 1, 0, -1):
            other = self.below(last + 1)
            order[last], order[other] = order[other], order[last]
        return order

    def choose(self, count: int, size: int) -> NDArray[np.int64]:
        """Draw ``count`` different integers below ``size``, in random order.

        Raises:
            ConfigError: ``count`` is negative or above ``size``.

        Example:
            >>> KeyStream(bytes(32)).choose(3, 10).tolist()
            [9, 2, 6]
        """
        if not 0 <= count <= size:
            raise ConfigError(f"{count} different integers below {size} cannot be chosen")
        return np.argsort(self.integers(size), kind="stable")[:count].astype(np.int64)

    def uniform(self, count: int) -> NDArray[np.float64]:
        """Draw values uniform in (-1, 1), on a lattice of 2^-31; exact, so equal everywhere."""
        draws = np.frombuffer(self.bytes(4 * count), dtype="<u4").astype(np.float64)
        return (draws + 0.5) / 2**31 - 1

    def normal(self, count: int) -> NDArray[np.float64]:
        """Draw values of mean 0 and variance 1, near normal and within 6 standard deviations.

        The sum of twelve 16-bit uniforms (Irwin-Hall): unlike a logarithm or a cosine, integer sums
        are equal on every machine.
        """
        draws = np.frombuffer(self.bytes(24 * count), dtype="<u2").reshape(count, 12)
        values: NDArray[np.float64] = (draws.sum(axis=1, dtype=np.int64) + 6) / 2**16 - 6
        return values
