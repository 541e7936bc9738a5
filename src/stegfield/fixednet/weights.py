"""Messages in the weights of other programs: safetensors files of any model.

The network and the solver are those of the exact profile, in the lowest bit of each number; see
`stegfield.carriers.weights` for the numbers that are used. A field of `fit` is no carrier of this
kind: its weights are drawn by a law, and files go into it by `stegfield.fields.carrying`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from stegfield import files, signals
from stegfield.carriers import Carrier
from stegfield.carriers.weights import LARGEST_FILE, Weights
from stegfield.errors import CapacityError, NotEmbeddedError, UnreadableError
from stegfield.fixednet.exact import profile as exact
from stegfield.fixednet.exact.sine import CONSTRAINT_HEIGHT
from stegfield.fixednet.progress import EmbedWatch
from stegfield.keys import IMAGE_SALT, KeySource, system_stream, unlock
from stegfield.payload import Content, longest_message, message_bytes

PLANES = 1
CLOSED = np.float32(1e5)
"""Cost of a change in a direction that is closed; others cost 1."""
NO_LAW = "no law of such weights is known, so nobody can tell how well a message is concealed"


@dataclass(frozen=True, eq=False)
class WeightsResult:
    """A safetensors file that carries a message."""

    file: bytes = field(repr=False)
    """The bytes of the file; its message was extracted and compared."""
    message_bytes: int
    bits: int
    """Number of bits carried: message, seals and header."""
    weights: int
    """Numbers that could carry bits."""
    changed: int
    """Numbers that differ from the cover's, by one unit in the last place."""
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the figures as plain values."""
        return {name: value for name, value in vars(self).items() if name != "file"}


def embed_weights(
    model: bytes | Path,
    message: bytes | Path,
    key: KeySource,
    *,
    constraint_height: int = CONSTRAINT_HEIGHT,
    watch: EmbedWatch | None = None,
) -> WeightsResult:
    """Embed a message in the weights of any model, as a change of one unit in the last place.

    Args:
        model: A safetensors file with tensors of type F32, F16 or BF16.
        message: Any bytes, or the path of a file; deflated first where that makes them shorter.
        key: A key, a passphrase, a key file or the path of one.
        constraint_height: Number of bits in which a number has weights; more is better and slower.
        watch: Called with the progress of the work.

    Raises:
        InputError: The model or the message cannot be read.
        CapacityError: The message does not fit.
        NotEmbeddedError: The message cannot be extracted from the file.
    """
    began = time.perf_counter()
    weights, message, opened = _read(model), message_bytes(message), unlock(key, IMAGE_SALT)
    up = system_stream().bits(len(weights.levels))
    closed = weights.closed(up)
    change, bits = exact.embed(
        _carrier(weights.levels, np.where(closed, CLOSED, np.float32(1))),
        Content.of(message),
        opened,
        constraint_height=constraint_height,
        planes=PLANES,
        watch=watch,
    )
    flips = change % 2 == 1
    file = weights.changed(flips, up ^ closed)  # closed ones are flipped where no other way is left
    try:
        again = extract_weights(file, opened)
    except UnreadableError:
        raise NotEmbeddedError from None
    if again != message:
        raise NotEmbeddedError
    return WeightsResult(
        file=file,
        message_bytes=len(message),
        bits=bits,
        weights=len(weights.levels),
        changed=int(flips.sum()),
        seconds=time.perf_counter() - began,
    )


def extract_weights(model: bytes | Path, key: KeySource) -> bytes:
    """Extract a message from the weights of a model.

    Raises:
        InputError: The model cannot be read, or is not a safetensors file.
        UnreadableError: There is no message for this key, or it was destroyed.
    """
    return exact.extract(_read(model).levels, unlock(key, IMAGE_SALT))


def weights_capacity(model: bytes | Path) -> int:
    """Return the bytes of the longest message, after deflating, that the weights can carry.

    Raises:
        InputError: The model cannot be read, or is not a safetensors file.
    """
    try:
        return longest_message(exact.fullest(len(_read(model).levels), PLANES))
    except CapacityError:
        return 0


def _read(model: bytes | Path) -> Weights:
    if isinstance(model, bytes):
        return Weights.of(model)
    return Weights.of(files.read_bounded(model, LARGEST_FILE), str(model))


def _carrier(
    levels: UInt8[np.ndarray, " elements"], costs: Float32[np.ndarray, " elements"]
) -> Carrier:
    def put_back(_: object) -> signals.Signal:
        raise NotImplementedError("weights are put back by `Weights.changed`")

    # bounds that no level reaches: which ways are closed, the costs tell
    return Carrier(levels, bounds=(-4, 260), find_costs=lambda: costs, put_back=put_back)
