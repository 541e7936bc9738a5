"""Pools: fields of the same covers with and without secrets, to try detectors on.

Every kind of field is trained on every cover, from the same draw, by the same plan of steps, so
that nothing but the secrets tells the kinds apart. An adversary who detects better than by chance
in such a pool has found a trace of the secrets themselves.
"""

from stegfield.steganalysis.pools.building import Built, build, drawn_images, read
from stegfield.steganalysis.pools.kinds import KINDS, Order, PoolConfig, keys

__all__ = ["KINDS", "Built", "Order", "PoolConfig", "build", "drawn_images", "keys", "read"]
