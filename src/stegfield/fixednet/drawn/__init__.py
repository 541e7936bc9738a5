"""The drawn profile: covers whose grain is drawn by one law, with messages or without.

what is shown ─► f ─┐
messages ─law─► U ──┼─► G ─► samples ─low bits─► network of the key ─► message
the system ─► R ────┘
"""

from stegfield.fixednet.drawn.drawing import Kept, draw, find, kept, places
from stegfield.fixednet.drawn.profile import PROFILE, usual_grain

__all__ = ["PROFILE", "Kept", "draw", "find", "kept", "places", "usual_grain"]
