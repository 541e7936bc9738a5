"""The paper profile: the paper's networks and solver, for comparison.

Importing the profile needs no torch; embedding and extracting do.
"""

from stegfield.fixednet.paper.profile import PROFILE

__all__ = ["PROFILE"]
