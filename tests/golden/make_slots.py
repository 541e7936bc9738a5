"""Write slots.json: what slots a key has in a small field; run it only for a new format version."""

from __future__ import annotations

import json
from pathlib import Path

from stegfield import fields
from stegfield.hiding import SlotScheme, key_slots
from stegfield.hiding.slots import VALUE_RULES
from stegfield.keys import Key
from stegfield.signals import waves

CASES: list[tuple[str, dict[str, int]]] = [
    ("siren", {"width": 8, "depth": 2}),
    ("grid", {"width": 8, "depth": 2, "features": 8, "finest": 16, "levels": 2}),
]


def main() -> None:
    """Write the vectors beside this script."""
    vectors = []
    for architecture, sizes in CASES:
        for rule in VALUE_RULES:
            field = fields.new_field(waves(8, 8), architecture=architecture, sizes=sizes)
            key, scheme = Key(bytes(range(32))), SlotScheme(ratio=0.1, values=rule)
            slots = key_slots(field, key, scheme)
            vectors.append(
                {
                    "architecture": architecture,
                    "sizes": sizes,
                    "seed": field.public.seed.hex(),
                    "key": key.secret.hex(),
                    "ratio": scheme.ratio,
                    "values_rule": rule,
                    "slots": {
                        name: {
                            "positions": positions.tolist(),
                            "values": values.numpy().astype("<f4").tobytes().hex(),
                        }
                        for name, (positions, values) in slots.items()
                    },
                }
            )
    Path(__file__).with_name("slots.json").write_text(json.dumps(vectors, indent=1) + "\n")


if __name__ == "__main__":
    main()
