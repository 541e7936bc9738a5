"""Bits in the samples of an image: fixed networks, grown from a key, read them (GINR-Stega).

message ─payload─► bits ─┐
cover ───────────────────┴─solver─► stego ─network of the key─► bits ─payload─► message
"""

from stegfield.fixednet.embed import (
    Capacity,
    EmbedResult,
    capacity,
    check_known_cover,
    check_medium,
    check_size,
    check_suffix,
    embed,
    extract,
)
from stegfield.fixednet.progress import Progress, Watch

__all__ = [
    "Capacity",
    "EmbedResult",
    "Progress",
    "Watch",
    "capacity",
    "check_known_cover",
    "check_medium",
    "check_size",
    "check_suffix",
    "embed",
    "extract",
]
