"""Bits in the integers of a file: fixed networks, grown from a key, read them (GINR-Stega).

message ─payload─► bits ─┐
carrier ─────────────────┴─solver─► stego ─network of the key─► bits ─payload─► message

Each profile is a folder with one `Profile`: what it takes, and how it embeds and extracts.
"""

from stegfield.fixednet.embed import Capacity, EmbedResult, capacity, embed, extract
from stegfield.fixednet.profile import Profile
from stegfield.fixednet.profiles import PROFILES, check, readers
from stegfield.fixednet.progress import EmbedProgress, EmbedWatch

__all__ = [
    "PROFILES",
    "Capacity",
    "EmbedProgress",
    "EmbedResult",
    "EmbedWatch",
    "Profile",
    "capacity",
    "check",
    "embed",
    "extract",
    "readers",
]
