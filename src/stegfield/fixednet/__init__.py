"""Messages in the integers of a file, read by fixed networks from a key (GINR-Stega).

message ─payload─► bits ─┐
carrier ─────────────────┴─solver─► stego ─network of the key─► bits ─payload─► message

Each profile is a folder with one `Profile`: its media and settings, how it embeds and extracts.
"""

from stegfield.fixednet.embed import Capacity, EmbedResult, capacity, embed, extract, grain
from stegfield.fixednet.profile import Profile
from stegfield.fixednet.profiles import PROFILES, check, readers
from stegfield.fixednet.progress import EmbedProgress, EmbedWatch
from stegfield.fixednet.readings import first_read

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
    "first_read",
    "grain",
    "readers",
]
