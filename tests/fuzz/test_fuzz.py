"""A few cases of the fuzzer, and that it finds what it is for."""

from __future__ import annotations

import importlib.util
import io
import os
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

SCRIPT = Path(__file__).parent / "fuzz.py"
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


@pytest.fixture(scope="module")
def fuzz() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as there:
        there.setattr(sys, "path", [str(SCRIPT.parent), *sys.path])
        spec.loader.exec_module(module)
    return module


def test_damaged_files_of_every_format_are_read_or_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--cases", "200", "--output", str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "200 cases of seed 0: 0 failed" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_case_is_named_as_files_of_its_format_are(fuzz: ModuleType) -> None:
    names = {".obj": ".obj", ".gif of frames": ".gif", "jobs.csv": ".csv", "key": ".safetensors"}
    assert {name: fuzz.suffix_of(name) for name in names} == names


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_changed_zip_gets_the_sums_of_what_is_in_it(method: int, fuzz: ModuleType) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr("a", bytes(range(256)) * 3)
        archive.writestr("b", b"second")
    file = bytearray(stream.getvalue())
    at = file.find(b"PK\1\2") - 2 if method == zipfile.ZIP_STORED else 40
    file[at] ^= 1  # within the second member, or in the deflated first
    with zipfile.ZipFile(io.BytesIO(bytes(file))) as damaged:
        assert damaged.testzip() is not None
    mended = zipfile.ZipFile(io.BytesIO(fuzz.with_sums(bytes(file))))
    assert mended.testzip() is None
    assert {mended.read(name) for name in "ab"} != {bytes(range(256)) * 3, b"second"}


def test_a_run_resumes_where_another_ended(
    fuzz: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []
    made = [fuzz.Format("x", (bytes(20),), lambda *_: None)]
    monkeypatch.setattr(fuzz, "formats", lambda: made)

    def judge(_: object, __: str, data: bytes) -> str:
        seen.append(data)
        return "read"

    monkeypatch.setattr(fuzz.Worker, "judge", judge)
    fuzz.fuzz(6, 1, tmp_path)
    whole = seen[1:]
    seen.clear()
    fuzz.fuzz(2, 1, tmp_path, first=4)
    assert seen[1:] == whole[4:]


def hang(*_: Any) -> None:
    while True:
        pass


def wait(*_: Any) -> None:
    time.sleep(60)


def swell(*_: Any) -> None:
    np.ones(300_000_000)  # more than a process may have kept of what it freed before


def crash(*_: Any) -> None:
    os._exit(3)


def foreign(*_: Any) -> None:
    raise KeyError("ours is none of these")


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (hang, "it takes more than 0.5 s"),
        (wait, "it waits for more than 2 s"),
        (swell, r"it takes \d+ MB"),
        (crash, "the worker died"),
        (foreign, "KeyError: 'ours is none of these'"),
    ],
)
def test_what_is_wrong_is_found_and_written_down(
    read: Any, words: str, fuzz: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = bytes(range(20))
    made = [fuzz.Format("x", (whole,), lambda data, _: None if data == whole else read())]
    monkeypatch.setattr(fuzz, "formats", lambda: made)
    monkeypatch.setattr(fuzz, "SECONDS", 0.5 if read in {hang, wait} else 20.0)
    monkeypatch.setattr(fuzz, "PATIENCE", 100 if read is hang else 4)
    failed = fuzz.fuzz(3, 4, tmp_path)
    assert failed > 0
    assert len(list(tmp_path.glob("*.case"))) == failed
    for told in tmp_path.glob("*.txt"):
        number = int(told.stem.partition("-")[2])
        assert told.with_suffix(".case").read_bytes() == fuzz.case(number, 4, made)[1]
        assert told.read_text().startswith("x\n")
        assert re.search(words, told.read_text())
