"""Write networks.json: what a key grows into; run it only for a new format version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from stegfield.fixednet.exact.order import keyed_order
from stegfield.fixednet.exact.sine import PLANES, SineNetwork, stretches
from stegfield.fixednet.robust.blocks import BlockNetwork, block_order
from stegfield.keys import Key

KEY = Key(bytes(range(32)))
SAMPLES, BITS, SPAN, LABEL = 60, (40, 25), 7, "body"
ROWS, COLUMNS, INDEX, READ = 32, 75, 700, 64


def sine() -> dict[str, Any]:
    """Grow a small sine network, and let it read some samples."""
    order = keyed_order(KEY, SAMPLES)
    network = SineNetwork(KEY, LABEL, order, BITS, SPAN)
    read = network.read(np.arange(SAMPLES) * 7 % 256)
    return {
        "key": KEY.secret.hex(),
        "label": LABEL,
        "samples": SAMPLES,
        "bits": list(BITS),
        "span": SPAN,
        "order": [part.tolist() for part in order],
        "weights": [
            {
                "stretches": stretches(SAMPLES, BITS[plane]).tolist(),
                "columns": network.drawn(0, plane).tolist(),
            }
            for plane in range(PLANES)
        ],
        "read": "".join(str(int(bit)) for bit in read),
    }


def blocks() -> dict[str, Any]:
    """Grow a small block network; without an image, what it reads are its phases."""
    order = block_order(KEY, ROWS, COLUMNS)
    network = BlockNetwork(KEY, INDEX, order, READ)
    places, kernels = network.places
    return {
        "key": KEY.secret.hex(),
        "size": [ROWS, COLUMNS],
        "index": INDEX,
        "order": order.tolist(),
        "signs_of_mixing": np.sign(network.mixing).astype(int).tolist(),
        "blocks": places.tolist(),
        "kernels": kernels.tolist(),
        "phases": network.project(np.zeros((order.max() + 1, 8))).tolist(),
    }


def vectors() -> dict[str, Any]:
    """Grow all networks; phases are exact."""
    return {"sine": sine(), "blocks": blocks()}


def main() -> None:
    """Write the vectors beside this script."""
    Path(__file__).with_name("networks.json").write_text(json.dumps(vectors(), indent=1) + "\n")


if __name__ == "__main__":
    main()
