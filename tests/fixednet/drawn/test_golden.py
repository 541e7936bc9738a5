"""What an earlier version wrote is read, and a network's weights are the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stegfield import fixednet
from stegfield.fixednet.drawn.network import Triangular
from stegfield.keys import Key

GOLDEN = Path(__file__).parents[2] / "golden" / "drawn"
VECTORS: dict[str, Any] = json.loads((GOLDEN / "drawn.json").read_text())


@pytest.mark.parametrize("cover", VECTORS["covers"], ids=lambda each: each["file"])
def test_messages_in_covers_of_an_earlier_version_are_read(cover: dict[str, Any]) -> None:
    if cover["file"].endswith(".nc"):
        pytest.importorskip("h5netcdf", reason="NetCDF files need stegfield[media]")
    for secret, message in cover["messages"].items():
        found = fixednet.extract(GOLDEN / cover["file"], Key(bytes.fromhex(secret)))
        assert found == bytes.fromhex(message)


def test_a_network_writes_the_elements_that_it_wrote() -> None:
    told = VECTORS["network"]
    key, salt = Key(bytes.fromhex(told["key"])), bytes.fromhex(told["salt"])
    bits, elements = (np.array([[c == "1" for c in told[each]]]) for each in ("bits", "elements"))
    assert np.array_equal(Triangular().write(bits, key, salt), elements)
    assert np.array_equal(Triangular().read(elements, key, salt), bits)


def test_a_network_is_what_the_format_says() -> None:
    """Bit by bit, as a second implementation in another language would."""
    told = VECTORS["network"]
    key, salt = Key(bytes.fromhex(told["key"])), bytes.fromhex(told["salt"])
    elements = [int(c) for c in told["elements"]]
    count = len(elements)
    width = -(-count // 64)
    stream = key.stream("drawn/network", salt=salt).bytes(2 * count)
    columns = [int.from_bytes(stream[2 * i : 2 * i + 2], "little") | 1 | 512 for i in range(count)]
    bits = [
        sum(
            columns[i - t * width] >> t & elements[i - t * width]
            for t in range(10)
            if i - t * width >= 0
        )
        % 2
        for i in range(count)
    ]
    assert "".join(map(str, bits)) == told["bits"]
