"""The log of a training run, which anybody may have written to."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from stegfield.generative import logbook

GOOD = b'{"step": 1, "swd": 0.5, "real_swd": 0.1}\n{"step": 9, "swd": 0.3, "real_swd": 0.1}\n'


@pytest.mark.parametrize(
    "bad",
    [
        b"{}\n",
        b"3\n",
        b"[]\n",
        b"\xff\xfe\n",
        b"[" * 100_000 + b"\n",
        b'{"step": null, "swd": 1, "real_swd": 1}\n',
        b'{"step": 5, "swd": Infinity, "real_swd": 1}\n',
        b'{"step": 5, "swd": [1], "real_swd": 1}\n',
        b'{"step": 1, "swd"\n',
    ],
    ids=lambda bad: repr(bad[:30]),
)
def test_lines_that_are_none_of_ours_are_left_out_of_the_curves(bad: bytes, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(GOOD)
    expected = logbook.distance_curves(log)
    log.write_bytes(bad + GOOD)
    assert logbook.distance_curves(log) == expected
    assert Image.open(io.BytesIO(expected)).format == "PNG"
