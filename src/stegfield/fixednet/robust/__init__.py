"""The robust profile: for images that are re-encoded on their way."""

from stegfield.fixednet.robust.profile import PROFILE

__all__ = ["PROFILE"]
