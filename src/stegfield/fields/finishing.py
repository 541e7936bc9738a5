"""Finishing: a trained field becomes the one to write, drawn by the law of all fields.

The same function finishes every field: those that hide nothing have no messages, and nothing else
is different (see `stegfield.fields.drawing` and `stegfield.payload.law`).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool

from stegfield.errors import CapacityError
from stegfield.fields import drawing
from stegfield.fields.carrying import LARGER
from stegfield.fields.field import Field
from stegfield.fields.store import to_file
from stegfield.keys import KEY_BYTES, KeyStream
from stegfield.payload.law import Message, compose


def draw(field: Field, messages: Sequence[Message] = ()) -> None:
    """Draw a field's weights in place, around those that were trained: the last step of all.

    A field that was drawn before, in this run or for its file, keeps its grains, and the messages
    replace those that it had.

    Args:
        field: The field.
        messages: What it carries, each for its own key; the rest of U is the system's randomness.

    Raises:
        CapacityError: The messages do not fit.
        ConfigError: Two messages have the same key.
    """
    tensors = to_file(field).tensors
    if field.grains is None:
        field.grains = drawing.grains_of(tensors)
    _put(field, field.grains, _composed(messages, drawing.plane_bits(tensors, field.grains)))


def check_room(field: Field, messages: Sequence[Message]) -> None:
    """Refuse messages that will not fit into a field, or share a key, before it is trained.

    The room is estimated: each weight of a tensor that can be drawn carries its most bits. A field
    has about 1 % less once it is trained.

    Raises:
        CapacityError: The messages do not fit.
        ConfigError: Two messages have the same key.
    """
    if messages:
        sizes = [tensor.numel() for tensor in field.state_dict().values()]
        most = sum(size for size in sizes if size >= drawing.LEAST_WEIGHTS) * drawing.MOST_BITS
        _composed(messages, most)


def trial(field: Field) -> Field:
    """Return a drawn copy of a field, to measure what a draw costs; never to be written.

    Its U is a constant, so that what is decided by it is the same whenever a run is repeated.
    """
    tried = copy.deepcopy(field)
    tensors = to_file(tried).tensors
    grains = drawing.grains_of(tensors)
    constant = KeyStream(bytes(KEY_BYTES)).bits(drawing.plane_bits(tensors, grains))
    _put(tried, grains, constant)
    tried.grains = grains
    return tried


def _composed(messages: Sequence[Message], bits: int) -> Bool[np.ndarray, " bits"]:
    try:
        return compose(messages, bits)
    except CapacityError as error:
        error.hint = LARGER
        raise


@torch.no_grad()
def _put(field: Field, grains: drawing.Grains, plane: Bool[np.ndarray, " bits"]) -> None:
    drawn = drawing.draw(to_file(field).tensors, grains, plane)
    for name, tensor in field.state_dict().items():
        tensor.copy_(torch.from_numpy(drawn[name]))
