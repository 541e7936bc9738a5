"""Reed-Solomon codes over many interleaved codewords, with soft information.

Byte i of the data belongs to codeword i modulo the number of codewords, so that damage at one place
spreads over all of them. A codeword with p bytes of parity corrects e wrong bytes and f erased ones
while 2e + f <= p. numpy encodes and checks all codewords at once; reedsolo corrects the few damaged
ones, one by one.

    data ─fill with zeros, one column a codeword─► [ data rows | parity rows ] ─row by row─► coded

Source: Reed and Solomon (1960); Forney (1966) for trying to erase the least reliable bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import reedsolo
from jaxtyping import Bool, Float, UInt8
from numpy.typing import NDArray

from stegfield.errors import ConfigError, UnreadableError

LONGEST = 255  # bytes of a codeword
PRIMITIVE, GENERATOR = 0x11D, 2
ERASED = (0.0, 0.25, 0.5, 0.75, 0.9)
"""Shares of the parity that erase the least reliable bytes, tried in this order."""


@dataclass(frozen=True)
class Code:
    """An interleaved Reed-Solomon code for data of one length.

    Args:
        length: Bytes of data.
        parity: Bytes of parity in each codeword.

    Raises:
        ConfigError: The parity leaves no room for data.
    """

    length: int
    parity: int

    def __post_init__(self) -> None:
        if not 0 <= self.parity < LONGEST or self.length < 0:
            raise ConfigError(f"no code has {self.length} bytes and parity {self.parity}")

    @classmethod
    def longest(cls, room: int, parity: int) -> int:
        """Return the length of the longest data that fits into ``room`` bytes with its parity."""
        words, rest = divmod(room, LONGEST)
        return words * (LONGEST - parity) + max(0, rest - parity)

    @property
    def words(self) -> int:
        """Number of codewords."""
        return max(1, -(-self.length // (LONGEST - self.parity)))

    @property
    def coded_length(self) -> int:
        """Bytes of data and parity."""
        return self.length + self.words * self.parity

    def encode(self, data: bytes) -> bytes:
        """Append parity."""
        remainder = np.zeros((self.words, self.parity), dtype=np.uint8)
        divisor = _divisor(self.parity)
        for row in self._columns(np.frombuffer(data, np.uint8)):
            feedback = row ^ remainder[:, 0] if self.parity else row
            remainder = np.pad(remainder[:, 1:], ((0, 0), (0, min(1, self.parity))))
            remainder ^= _products()[feedback[:, None], divisor]
        return data + remainder.T.tobytes()

    def decode(self, coded: bytes, reliability: Float[np.ndarray, " coded"] | None = None) -> bytes:
        """Correct wrong bytes, and return the data.

        Args:
            coded: Data and parity, perhaps damaged.
            reliability: Reliability of each byte; the least reliable are erased where that helps.

        Raises:
            UnreadableError: A codeword has too many wrong bytes.
        """
        rows = self._words(np.frombuffer(coded, np.uint8))
        sure = None if reliability is None else self._words(reliability, np.inf)
        for word in np.flatnonzero(self._syndromes(rows).any(axis=1)):
            order = None if sure is None else np.argsort(sure[:, word], kind="stable")
            rows[:, word] = self._correct(rows[:, word], order)
        return rows[: len(rows) - self.parity].tobytes()[: self.length]

    def corrects(self, wrong: Bool[np.ndarray, " coded"]) -> bool:
        """Return whether damage at these bytes is always corrected, at any reliability."""
        errors = self._words(wrong).sum(axis=0)
        return bool((2 * errors <= self.parity).all())

    def _words(self, coded: NDArray[Any], filling: float = 0.0) -> NDArray[Any]:
        """Arrange coded bytes as one column per codeword, with data filled to whole rows."""
        parity = coded[self.length :].reshape(self.parity, self.words)
        return np.concatenate([self._columns(coded[: self.length], filling), parity])

    def _columns(self, data: NDArray[Any], filling: float = 0.0) -> NDArray[Any]:
        depth = -(-self.length // self.words)
        filled = np.full(depth * self.words, filling, dtype=data.dtype)
        filled[: self.length] = data
        return filled.reshape(depth, self.words)

    def _syndromes(self, rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
        sums = np.zeros((self.words, self.parity), dtype=np.uint8)
        powers = _powers(self.parity)
        for row in rows:
            sums = _products()[sums, powers] ^ row[:, None]
        return sums

    def _correct(
        self, word: NDArray[np.uint8], order: NDArray[np.intp] | None
    ) -> NDArray[np.uint8]:
        codec = reedsolo.RSCodec(self.parity, c_exp=8, prim=PRIMITIVE, generator=GENERATOR)
        for share in ERASED[: 1 if order is None else None]:
            erased = [] if order is None else order[: int(share * self.parity)].tolist()
            try:
                _, corrected, _ = codec.decode(word.tobytes(), erase_pos=erased)
            except (reedsolo.ReedSolomonError, ZeroDivisionError):
                continue
            return np.frombuffer(bytes(corrected), np.uint8)
        raise UnreadableError


@cache
def _tables() -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    logarithms, powers, _ = reedsolo.init_tables(PRIMITIVE, GENERATOR, 8)
    return np.array(logarithms, dtype=np.int64), np.array(powers, dtype=np.uint8)


@cache
def _products() -> UInt8[np.ndarray, "256 256"]:
    """Return the multiplication table of the field of 256 elements."""
    logarithms, powers = _tables()
    table: NDArray[np.uint8] = powers[(logarithms[:, None] + logarithms) % LONGEST]
    table[0] = table[:, 0] = 0
    return table


@cache
def _powers(parity: int) -> NDArray[np.uint8]:
    return _tables()[1][np.arange(parity)]


@cache
def _divisor(parity: int) -> NDArray[np.uint8]:
    """Return the generator polynomial without its leading 1."""
    polynomial = np.array([1], dtype=np.uint8)
    for power in _powers(parity):
        polynomial = np.append(polynomial, 0) ^ np.append(0, _products()[polynomial, power])
    return polynomial[1:].astype(np.uint8)
