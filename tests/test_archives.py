"""Archives and arrays of strangers, read with bounds."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stegfield import archives
from stegfield.archives import Archive
from stegfield.errors import InputError
from stegfield.files import distrusting

NUMBERS = np.arange(12, dtype=np.float32).reshape(3, 4)


def packed(folder: Path, **arrays: np.ndarray) -> Path:
    path = folder / "x.npz"
    np.savez_compressed(path, allow_pickle=False, **arrays)
    return path


@pytest.mark.parametrize("numbers", [NUMBERS, np.asfortranarray(NUMBERS), NUMBERS.astype(">i2")])
def test_arrays_come_back_as_they_are(numbers: np.ndarray, tmp_path: Path) -> None:
    found = Archive(packed(tmp_path, one=numbers)).array("one", axes=[2], kinds="fi")
    assert np.array_equal(found, numbers)
    assert found.dtype == numbers.dtype


@pytest.mark.parametrize(
    ("name", "axes", "kinds"), [("two", [2], "f"), ("one", [1, 3], "f"), ("one", [2], "iu")]
)
def test_other_arrays_are_refused_by_their_header(
    name: str, axes: list[int], kinds: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="not an array"):
        Archive(packed(tmp_path, one=NUMBERS)).array(name, axes=axes, kinds=kinds)


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (30000, 40000)}",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (-3, -4)}",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (True, 12)}",
        b"{'descr': '<f4', 'fortran_order': 1, 'shape': (3, 4)}",
        b"{'descr': '|O', 'fortran_order': False, 'shape': (3, 4)}",
        b"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3, 4)}",
        b"(" * 900,
        b"'\\d' 3()",
    ],
)
def test_broken_headers_are_refused(header: bytes, tmp_path: Path) -> None:
    data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header) + 1) + header + b"\n"
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("one.npy", data + NUMBERS.tobytes())
    with pytest.raises(InputError, match="not an array"):
        Archive(tmp_path / "x.npz").array("one", axes=[2], kinds="fiu")


def test_what_all_members_inflate_to_is_bounded(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(9):
            archive.writestr(str(number), bytes(archives.ALWAYS // 8))
    with pytest.raises(InputError, match="would inflate to more than 67 MB"):
        Archive(tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0", bytes(archives.ALWAYS))
    assert len(Archive(tmp_path / "x.zip").read("0")) == archives.ALWAYS


def test_a_member_that_is_longer_than_it_says_is_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0", bytes(1 << 20))
    data = stream.getvalue().replace(struct.pack("<I", 1 << 20), struct.pack("<I", 1 << 10))
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(InputError, match=r"0 in .*x\.zip is not whole, or damaged"):
        Archive(tmp_path / "x.zip").read("0")


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InputError), distrusting("x", "an array"):
        archives.array_header(io.BytesIO(data))


@pytest.mark.parametrize("error", [ValueError("one\ntwo"), RecursionError(), OSError("x" * 999)])
def test_whatever_a_parser_raises_is_one_error_in_a_line(error: Exception) -> None:
    with (
        pytest.raises(InputError, match=r"^x is not a thing, or damaged: ") as caught,
        distrusting("x", "a thing", hint="get another"),
    ):
        raise error
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200
    assert caught.value.hint == "get another"


@pytest.mark.parametrize("error", [InputError("ours"), MemoryError(), KeyboardInterrupt()])
def test_our_own_errors_and_want_of_memory_pass(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, distrusting("x", "a thing"):
        raise error
    assert caught.value is error
