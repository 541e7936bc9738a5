"""The paper profile: the paper's networks and solver, to compare with.

Only its work needs torch: the profile itself is imported without.
"""

from stegfield.fixednet.paper.profile import PROFILE

__all__ = ["PROFILE"]
