# mypy: disallow-untyped-defs=False, check-untyped-defs=False
# mypy: disallow-untyped-decorators=False, disallow-untyped-calls=False
"""Vector operations on the costs of a trellis's states, as numba intrinsics for any processor.

Costs are unsigned integers of 8 or 16 bits, 32 of them in a vector; sums that are too large become
the largest value, which means *unreached*. The states of a constraint height h are 2^h costs, so
2^(h - 5) vectors. A sample pairs each state with the state that its column leads to. The column's
highest bit is always one, so every pair has one state in the lower and one in the upper half. Its
five lowest bits say which lanes of two vectors make pairs: for each of the 16 odd values, a jump
table leads to code with a constant shuffle.

LLVM makes machine code of them for the processor at hand, with no compiler but numba. They are
defined when this module is imported, since numba finds no cached code of others.

Source: the idea of one cost vector, updated for all states at once, is from Filler, Judas and
Fridrich (2011), "Minimizing Additive Distortion in Steganography Using Syndrome-Trellis Codes",
whose implementation uses floating point and runs in SSE.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 32
LANE_BITS = LANES.bit_length() - 1
INDEX, COUNT = ir.IntType(32), ir.IntType(64)
WORD = ir.IntType(LANES)
"""One bit for each lane."""


class Operations(NamedTuple):
    """The operations on costs of one width; addresses and numbers are 64-bit integers."""

    step: Any
    """step(costs, half, path, column, price): take one sample into account, in all states; write a
    bit for each state to ``path``, 1 where the sample stays as it is. ``half`` is half the number
    of vectors."""
    advance: Any
    """advance(costs, half, bit) -> spread: keep the states whose lowest bit is ``bit``, shift them
    by it, and subtract the least cost. Unreached ones stay so. The spread is the largest cost
    less the least; the largest value where a state is unreached."""
    largest: Any
    """largest(costs, half) -> the largest cost."""


def _splat(b: Any, value: Any, vector: Any) -> Any:
    one = b.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(INDEX, 0))
    return b.shuffle_vector(one, one, ir.Constant(ir.VectorType(INDEX, LANES), [0] * LANES))


def _call(b: Any, name: str, result: Any, *args: Any) -> Any:
    kind = ir.FunctionType(result, [arg.type for arg in args])
    return b.call(cgutils.get_or_insert_function(b.module, kind, name), args)


class _Costs:
    """Writes LLVM code for vectors of costs of one width."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.lane = ir.IntType(width)
        self.vector = ir.VectorType(self.lane, LANES)
        self.name = f"v{LANES}i{width}"
        self.unreached = ir.Constant(self.vector, [(1 << width) - 1] * LANES)
        self.zero = ir.Constant(self.vector, [0] * LANES)
        self.wide = ir.VectorType(ir.IntType(2 * width), LANES)

    def load(self, b: Any, address: Any, at: Any, kind: Any = None) -> Any:
        place = b.inttoptr(address, (kind or self.vector).as_pointer())
        value = b.load(b.gep(place, [at]))
        value.align = LANES * self.width // 8
        return value

    def store(self, b: Any, value: Any, address: Any, at: Any) -> None:
        place = b.gep(b.inttoptr(address, self.vector.as_pointer()), [at])
        b.store(value, place).align = LANES * self.width // 8

    def call(self, b: Any, operation: str, x: Any, y: Any) -> Any:
        return _call(b, f"llvm.{operation}.{self.name}", self.vector, x, y)

    def fold(self, b: Any, operation: str, place: Any, value: Any) -> None:
        b.store(self.call(b, operation, b.load(place), value), place)

    def reduce(self, b: Any, operation: str, place: Any) -> Any:
        return _call(b, f"llvm.vector.reduce.{operation}.{self.name}", self.lane, b.load(place))

    def step(self, b: Any, costs: Any, half: Any, path: Any, column: Any, price: Any) -> None:
        added = _splat(b, b.trunc(price, self.lane), self.vector)
        far = b.and_(b.lshr(column, COUNT(LANE_BITS)), b.sub(half, COUNT(1)))
        end, none = b.append_basic_block(), b.append_basic_block()
        table = b.switch(b.and_(column, COUNT(LANES - 1)), none)
        b.position_at_end(none)
        b.unreachable()
        for near in range(1, LANES, 2):
            block = b.append_basic_block()
            table.add_case(COUNT(near), block)
            b.position_at_end(block)
            with cgutils.for_range(b, half) as loop:
                self._pairs(b, costs, half, path, loop.index, far, near, added)
            b.branch(end)
        b.position_at_end(end)

    def _pairs(
        self, b: Any, costs: Any, half: Any, path: Any, at: Any, far: Any, near: int, added: Any
    ) -> None:
        """Update the pairs of vector ``at`` of the lower half and its partner in the upper one."""
        lanes = ir.VectorType(INDEX, LANES)
        turn = ir.Constant(lanes, [lane ^ near for lane in range(LANES)])
        other = b.or_(b.xor(at, far), half)
        here, there = self.load(b, costs, at), self.load(b, costs, other)
        words = b.inttoptr(path, WORD.as_pointer())
        for place, stays, comes in ((at, here, there), (other, there, here)):
            turned = b.shuffle_vector(comes, comes, turn)
            best = self.call(b, "umin", stays, self.call(b, "uadd.sat", turned, added))
            self.store(b, best, costs, place)
            kept = b.bitcast(b.icmp_unsigned("==", best, stays), WORD)
            b.store(kept, b.gep(words, [place]))

    def advance(self, b: Any, costs: Any, half: Any, bit: Any) -> Any:
        by = _splat(b, b.trunc(b.mul(bit, COUNT(self.width)), self.wide.element), self.wide)
        least = cgutils.alloca_once_value(b, self.unreached)
        most = cgutils.alloca_once_value(b, self.zero)
        b.store(self.unreached, least)
        b.store(self.zero, most)
        with cgutils.for_range(b, half) as loop:
            both = self.load(b, costs, loop.index, self.wide)
            value = b.trunc(b.lshr(both, by), self.vector)
            self.store(b, value, costs, loop.index)
            self.fold(b, "umin", least, value)
            self.fold(b, "umax", most, value)
        low, high = self.reduce(b, "umin", least), self.reduce(b, "umax", most)
        less = _splat(b, low, self.vector)
        with cgutils.for_range(b, half) as loop:
            value = self.load(b, costs, loop.index)
            unreached = b.icmp_unsigned("==", value, self.unreached)
            left = b.select(unreached, self.unreached, b.sub(value, less))
            self.store(b, left, costs, loop.index)
            self.store(b, self.unreached, costs, b.add(loop.index, half))
        some = b.icmp_unsigned("==", high, self.lane((1 << self.width) - 1))
        return b.zext(b.select(some, high, b.sub(high, low)), COUNT)

    def largest(self, b: Any, costs: Any, half: Any) -> Any:
        most = cgutils.alloca_once_value(b, self.zero)
        b.store(self.zero, most)
        with cgutils.for_range(b, b.add(half, half)) as loop:
            self.fold(b, "umax", most, self.load(b, costs, loop.index))
        return b.zext(self.reduce(b, "umax", most), COUNT)


ADDRESS, NUMBER = types.intp, types.int64


def _operations(width: int) -> Operations:
    """Make the operations on costs of 8 or 16 bits."""
    writing = _Costs(width)

    @intrinsic
    def step(typing, costs, half, path, column, price):
        def code(context, b, signature, args):
            writing.step(b, *args)
            return context.get_dummy_value()

        return types.void(ADDRESS, NUMBER, ADDRESS, NUMBER, NUMBER), code

    @intrinsic
    def advance(typing, costs, half, bit):
        def code(context, b, signature, args):
            return writing.advance(b, *args)

        return types.int64(ADDRESS, NUMBER, NUMBER), code

    @intrinsic
    def largest(typing, costs, half):
        def code(context, b, signature, args):
            return writing.largest(b, *args)

        return types.int64(ADDRESS, NUMBER), code

    return Operations(step, advance, largest)


EIGHT, SIXTEEN = _operations(8), _operations(16)
