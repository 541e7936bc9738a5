"""The exact profile: for files that keep every sample."""

from stegfield.fixednet.exact.profile import PROFILE

__all__ = ["PROFILE"]
