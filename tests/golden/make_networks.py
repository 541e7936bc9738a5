"""Write networks.json: what a key grows into; run it only for a new format version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from stegfield.fixednet.blocks import BlockNetwork
from stegfield.fixednet.sine import PLANES, SineNetwork, keyed_order
from stegfield.keys import Key

KEY = Key(bytes(range(32)))
SAMPLES, BITS, SPAN, LABEL = 60, (40, 25), 7, "body"
ROWS, COLUMNS = 20, 27


def sine() -> dict[str, Any]:
    """Grow a small sine network, and let it read some samples."""
    order = keyed_order(KEY, SAMPLES)
    network = SineNetwork(KEY, LABEL, order, BITS, SPAN)
    weights = [network.weights(0, plane) for plane in range(PLANES)]
    read = network.read(np.arange(SAMPLES) * 7 % 256)
    return {
        "key": KEY.secret.hex(),
        "label": LABEL,
        "samples": SAMPLES,
        "bits": list(BITS),
        "span": SPAN,
        "order": [part.tolist() for part in order],
        "weights": [
            {"stretch": grown.stretch.tolist(), "columns": grown.columns.tolist()}
            for grown in weights
        ],
        "read": "".join(str(int(bit)) for bit in read),
    }


def blocks() -> dict[str, Any]:
    """Grow a small block network; without an image, what it reads are its phases."""
    network = BlockNetwork(KEY, ROWS, COLUMNS)
    return {
        "key": KEY.secret.hex(),
        "size": [ROWS, COLUMNS],
        "kernels": network.kernels().tolist(),
        "order": network.order().tolist(),
        "phases": network.project(np.zeros((ROWS, COLUMNS))).tolist(),
    }


def vectors() -> dict[str, Any]:
    """Grow all networks; phases are exact."""
    return {"sine": sine(), "blocks": blocks()}


def main() -> None:
    """Write the vectors beside this script."""
    Path(__file__).with_name("networks.json").write_text(json.dumps(vectors(), indent=1) + "\n")


if __name__ == "__main__":
    main()
