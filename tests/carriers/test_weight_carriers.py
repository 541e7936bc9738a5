from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stegfield.carriers import weights as carriers
from stegfield.carriers.weights import FLOATS, Weights
from stegfield.errors import InputError
from stegfield.tensor_files import BYTES

KINDS = list(FLOATS)
TYPES: dict[str, Any] = {"F32": np.float32, "F16": np.float16}


def normal(count: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 0.02, count).astype(np.float32)


def file_of(tensors: dict[str, tuple[str, NDArray[Any]]], **metadata: str) -> bytes:
    """Write safetensors by hand, since numpy has no BF16."""
    entries: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    body = b""
    for name, (kind, values) in tensors.items():
        data = values.tobytes()
        entries[name] = {
            "dtype": kind,
            "shape": [len(data) // BYTES[kind]],
            "data_offsets": [len(body), len(body) + len(data)],
        }
        body += data
    header = json.dumps(entries).encode()
    return len(header).to_bytes(8, "little") + header + body


def codes_of(kind: str, values: NDArray[np.float32]) -> NDArray[np.unsignedinteger]:
    if kind == "BF16":
        return (values.view(np.uint32) >> 16).astype(np.uint16)
    as_floats = values.astype(TYPES[kind])
    return as_floats.view(f"<u{BYTES[kind]}")


def read(data: bytes, kind: str) -> NDArray[np.float64]:
    """Read the only tensor of a file as numbers."""
    first = 8 + int.from_bytes(data[:8], "little")
    if kind == "BF16":
        words = np.frombuffer(data, "<u2", offset=first).astype(np.uint32) << 16
        return words.view(np.float32).astype(np.float64)
    return np.frombuffer(data, TYPES[kind], offset=first).astype(np.float64)


def moved(data: bytes, seed: int = 0) -> tuple[bytes, Weights]:
    """Change every number that may change in the direction that is drawn for it."""
    weights = Weights.of(data)
    up = np.random.default_rng(seed).random(len(weights.levels)) < 1 / 2
    return weights.changed(~weights.closed(up), up), weights


# what changes


@pytest.mark.parametrize("kind", KINDS)
@given(st.integers(0, 999), st.integers(64, 400))
@settings(max_examples=15)
def test_a_change_is_one_unit_and_keeps_sign_and_exponent(kind: str, seed: int, count: int) -> None:
    data = file_of({"layer": (kind, codes_of(kind, normal(count, seed)))}, maker="somebody")
    stego, weights = moved(data, seed)
    before, after = read(data, kind), read(stego, kind)
    assert len(stego) == len(data)
    assert len(weights.levels) > 0.9 * count
    assert (np.signbit(before) == np.signbit(after)).all()
    assert np.array_equal(np.frexp(before)[1], np.frexp(after)[1])
    unit = 2.0 ** (np.frexp(before)[1] - 1 - FLOATS[kind].mantissa)
    assert set(np.abs(after - before) / unit) <= {0.0, 1.0}


@pytest.mark.parametrize("kind", KINDS)
@given(st.integers(0, 99), st.lists(st.booleans(), min_size=300, max_size=300))
@settings(max_examples=15)
def test_a_receiver_finds_the_same_numbers(kind: str, seed: int, flips: list[bool]) -> None:
    data = file_of({"layer": (kind, codes_of(kind, normal(300, seed)))})
    weights = Weights.of(data)
    up = np.random.default_rng(seed).random(len(weights.levels)) < 1 / 2
    chosen = np.array(flips)[: len(up)] & ~weights.closed(up)
    again = Weights.of(weights.changed(chosen, up))
    assert np.array_equal(again.at, weights.at)
    assert np.array_equal(again.levels & 1, (weights.levels & 1) ^ chosen)


def test_values_that_were_equally_frequent_stay_so() -> None:
    rng = np.random.default_rng(0)
    codes = (rng.integers(0, 128, 400_000) | 120 << 7).astype(np.uint16)  # one binade of BF16
    stego, _ = moved(file_of({"layer": ("BF16", codes)}))
    counts = np.bincount(np.frombuffer(stego[-800_000:], "<u2") & 127, minlength=128)
    expected = len(codes) / 128
    assert (np.square(counts - expected) / expected).sum() < 127 + 5 * np.sqrt(2 * 127)


@pytest.mark.parametrize("kind", KINDS)
def test_header_metadata_and_other_tensors_are_kept_byte_for_byte(kind: str) -> None:
    codes = codes_of(kind, normal(200))
    rest = {"steps": ("I64", np.arange(300)), "small": (kind, codes[:63])}
    data = file_of({"layer": (kind, codes), **rest}, maker="somebody")
    stego, weights = moved(data)
    changed = np.flatnonzero(np.frombuffer(data, np.uint8) != np.frombuffer(stego, np.uint8))
    assert set(changed) <= set(weights.at)
    assert len(changed) > 100
    [place] = weights.carrying
    assert place.name == "layer"


# what is left alone


SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, 1.0, -2.0, 0.5, 1 / 3]


@pytest.mark.parametrize("kind", KINDS)
def test_special_numbers_are_left_alone(kind: str) -> None:
    values = np.concatenate([normal(200), np.array(SPECIAL[:-1], dtype=np.float32)])
    weights = Weights.of(file_of({"layer": (kind, codes_of(kind, values))}))
    [place] = weights.carrying
    numbers = (weights.at - place.start) // BYTES[kind]
    assert numbers.max() < 200


def of_twins() -> dict[str, tuple[str, NDArray[Any]]]:
    return {"one": ("F32", normal(100)), "other": ("F32", normal(100))}


@pytest.mark.parametrize(
    "tensors",
    [
        {},
        {"few": ("F32", normal(63))},
        {"ones": ("F32", np.ones(500, dtype=np.float32))},
        {"constant": ("F32", np.full(500, 0.0123, dtype=np.float32))},
        {"mixed": ("F32", np.where(np.arange(500) < 130, np.float32(0.1), normal(500)))},
        {"widened": ("F32", normal(500).astype(np.float16).astype(np.float32))},
        {"whole": ("F32", np.arange(-250, 250, dtype=np.float32))},
        {"integers": ("I32", np.arange(500, dtype=np.int32))},
        {"doubles": ("F64", normal(500).astype(np.float64))},
        of_twins(),
    ],
    ids=lambda tensors: " ".join(tensors) or "nothing",
)
def test_tensors_in_which_changes_would_show_are_left_alone(
    tensors: dict[str, tuple[str, NDArray[Any]]],
) -> None:
    assert len(Weights.of(file_of(tensors)).levels) == 0


@given(st.integers(1, 900))
@settings(max_examples=30)
@example(500)
def test_of_more_numbers_than_are_used_evenly_spaced_ones_carry(most: int) -> None:
    data = file_of({"a": ("F32", normal(500)), "b": ("F16", codes_of("F16", normal(300)))})
    every = Weights.of(data).at
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(carriers, "MOST", most)
        patch.setattr(carriers, "CHUNK", 70)
        some = Weights.of(data).at
    step = -(-len(every) // most)
    assert np.array_equal(some, every[::step])
    assert len(some) <= most


# hostile files


@given(st.binary(max_size=200))
@example(b"")
@example(bytes(8))
@example(b"\x02" + bytes(7) + b"{}")
@example(b"\xff" * 8 + b"{}")
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(InputError):
        assert len(Weights.of(data).levels) == 0


def headed(header: str, body: int = 16) -> bytes:
    return len(header).to_bytes(8, "little") + header.encode() + bytes(body)


ENTRY = '"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}'


@pytest.mark.parametrize(
    "header",
    [
        "[]",
        "{" + ENTRY,
        "{" + ENTRY + "," + ENTRY + "}",
        "{" + ENTRY.replace("16", "17") + "}",
        "{" + ENTRY.replace("16", "12") + "}",
        "{" + ENTRY.replace("[0,16]", "[-16,0]") + "}",
        "{" + ENTRY.replace("[4]", "[-2,-2]") + "}",
        "{" + ENTRY.replace("[4]", "[4.0]") + "}",
        "{" + ENTRY.replace("[4]", "[true,4]") + "}",
        "{" + ENTRY.replace("[4]", "4") + "}",
        "{" + ENTRY.replace("[4]", f"[{'999999999999,' * 300_000}4]") + "}",  # hours to multiply
        "{" + ENTRY.replace("[0,16]", "[4,16]").replace("[4]", "[3]") + "}",
        "{" + ENTRY.replace("F32", "F31").replace("16", "99") + "}",
        "{" + ENTRY.replace('"F32"', "32") + "}",
        "{" + ENTRY + ',"__metadata__":{"a":1}}',
        "{" + ENTRY + ',"__metadata__":[1]}',
        "{" + ENTRY + ',"b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}',
        '{"a":' * 5000 + "1" + "}" * 5000,
    ],
    ids=range(18),
)
def test_headers_that_lie_are_refused_in_one_line(header: str) -> None:
    with pytest.raises(InputError) as caught:
        Weights.of(headed(header), "model.safetensors")
    assert "model.safetensors is not a safetensors file, or damaged" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_of_the_library_are_read() -> None:
    made: dict[str, NDArray[Any]] = {
        "b": normal(300).reshape(3, 100),
        "a": normal(100, 1).astype(np.float16),
    }
    weights = Weights.of(safetensors.numpy.save(made, {"format": "np"}))
    assert {place.name: place.kind for place in weights.places} == {"b": "F32", "a": "F16"}
