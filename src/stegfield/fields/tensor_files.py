"""Safetensors files of strangers: a header of ours in JSON, and the tensors, as arrays.

Reading trusts nothing: the header's length and what it holds, and each tensor's type. Nothing is
ever unpickled.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

import numpy as np
import safetensors
from numpy.typing import NDArray

LARGEST_HEADER = 1 << 16
LENGTH_BYTES = 8
KINDS: dict[str, Any] = {"F32": np.float32, "F16": np.float16, "F64": np.float64}


class DistrustError(Exception):
    """Says what is wrong with a file."""


def entries(data: bytes, name: str, *, version: int, about: str) -> dict[str, Any]:
    """Read what the header of a file says under a name, before anything else is touched.

    Args:
        data: The file.
        name: Of the text in the header's metadata, which holds one JSON object.
        version: What its entry "format" must be.
        about: What it tells about, for errors: "a field".

    Raises:
        DistrustError: There is no such text, or it is of another version.
    """
    length = int.from_bytes(data[:LENGTH_BYTES], "little")
    if not 2 <= length <= min(LARGEST_HEADER, len(data) - LENGTH_BYTES):
        raise DistrustError("its header is missing or too long")
    try:
        outer = json.loads(data[LENGTH_BYTES : LENGTH_BYTES + length])
        found = plain_json(outer["__metadata__"][name])
    except Exception:  # what a parser of foreign bytes may raise
        raise DistrustError(f"its header does not tell about {about}") from None
    if not isinstance(found, dict) or found.get("format") != version:
        raise DistrustError(f"its format is not version {version}, the one that this program knows")
    return found


def plain_json(text: str | bytes) -> Any:
    """Read JSON, in which all numbers are finite.

    Raises:
        ValueError: It is not JSON, or has NaN or Infinity in it.
    """
    return json.loads(text, parse_constant=_refuse)


def arrays(data: bytes) -> dict[str, NDArray[Any]]:
    """Return the tensors of a file by name, those of 16 bits as float32.

    Raises:
        DistrustError: They cannot be read.
    """
    try:
        held: Any = safetensors.deserialize(data)  # type: ignore[no-untyped-call]
        return {name: _array(each["dtype"], each["shape"], each["data"]) for name, each in held}
    except safetensors.SafetensorError as error:
        raise DistrustError(str(error)) from None
    except MemoryError:
        raise
    except Exception:  # what a parser of foreign bytes may raise
        raise DistrustError("its tensors cannot be read") from None


def _array(dtype: str, shape: list[int], data: bytes | bytearray) -> NDArray[Any]:
    if dtype == "BF16":  # the upper half of a float32
        wide = np.frombuffer(data, "<u2").astype(np.uint32) << 16
        return wide.view(np.float32).reshape(shape)
    if dtype not in KINDS:
        raise DistrustError(f"its tensors are of type {dtype}")
    found = np.frombuffer(data, KINDS[dtype]).reshape(shape)
    return found.astype(np.float32) if dtype == "F16" else found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")
