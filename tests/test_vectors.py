"""The committed test vectors: a reader written from docs/format.md alone, and ours."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stegfield.fields.drawing import Grain
from stegfield.fixednet.exact import profile as exact
from stegfield.fixednet.exact.header import HeaderNetworks
from stegfield.fixednet.exact.order import KeyedOrder
from stegfield.keys import IMAGE_SALT, Key
from stegfield.payload import Header, bits_of, bytes_of, law

GOLDEN = Path(__file__).parent / "golden"
VECTORS: dict[str, Any] = json.loads((GOLDEN / "vectors.json").read_text())
KEY = Key(bytes.fromhex(VECTORS["key"]))
CARRIERS, STEPS = VECTORS["carriers"], VECTORS["steps"]


def test_a_reader_written_from_the_document_finds_the_committed_steps() -> None:
    script = runpy.run_path(str(GOLDEN / "make_vectors.py"))
    assert "stegfield" not in {name.partition(".")[0] for name in script}
    assert script["steps"](CARRIERS) == STEPS


@pytest.mark.parametrize("at", range(len(STEPS["cost"])))
def test_our_cost_format_has_the_committed_steps(at: int) -> None:
    levels, step = np.array(CARRIERS["cost"][at]), STEPS["cost"][at]
    networks = HeaderNetworks(KEY, len(levels))
    assert networks.group == step["samples_a_group"]
    assert networks.groups[:4].tolist() == step["first_groups"]
    assert networks.starts[[0, 5, 1023]].tolist() == step["starts"]
    read = list(networks.read(levels))
    assert [read[index].hex() for index in (0, 5, 1023)] == step["headers"]
    index, header = Header.first(read, KEY, IMAGE_SALT)
    assert index == step["network"]
    assert header.to_bytes().hex() == step["header"]
    assert header.seal(KEY, IMAGE_SALT).hex() == step["sealed_header"]
    order = KeyedOrder(KEY, len(levels), header.salt, networks.network(index).order[0])
    body = exact.body_network(KEY, header, order).read(levels)[: 8 * header.length]
    assert bytes_of(body).hex() == step["body"]
    assert exact.extract(levels, KEY).hex() == step["message"]


@pytest.mark.parametrize("at", range(len(STEPS["law"])))
def test_our_law_format_has_the_committed_steps(at: int) -> None:
    given, step = CARRIERS["law"][at], STEPS["law"][at]
    plane, places = (
        bits_of(bytes.fromhex(given["plane"]))[: given["bits"]],
        law.Places(given["bits"]),
    )
    assert (places.slots, places.part_bits) == (step["slots"], step["bits_a_part"])
    assert places.slot(0).start == 8 * len(bytes.fromhex(step["salt"]))
    assert places.salt(plane).hex() == step["salt"]
    assert bytes_of(plane[places.slot(step["slot"])]).hex() == step["sealed_header"]
    found = law.find(plane, KEY)
    assert (found.slot, found.mask, found.suffix) == (step["slot"], step["mask"], step["suffix"])
    assert found.data.hex() == step["message"]


@pytest.mark.parametrize("at", range(len(STEPS["field"])))
def test_our_fields_have_the_committed_low_bits(at: int) -> None:
    given = CARRIERS["field"][at]
    weights = np.frombuffer(bytes.fromhex(given["weights"]), "<f4")
    low = Grain(given["exponent"], given["bits"]).low(weights)
    assert low is not None
    assert low.tolist() == STEPS["field"][at]
