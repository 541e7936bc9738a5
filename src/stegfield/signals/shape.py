"""Shapes: meshes as signed distances on a grid, and back.

Read: PLY, OBJ, STL and OFF, of triangles or what can be cut into them. The middle of the mesh's
bounding box becomes the origin, and its longest side 1.8 long, in a box from -1 to 1; where and how
large it was is not kept. At each point of a grid of 48x48x48 stands the distance to the surface,
negative inside, over 0.25 and cut off at -1 and 1.

- Inside is what two of three rays, one along each axis, say: those that have met more triangles
  from their front than from their back, or fewer. So parts that overlap are one body, a cavity is
  hollow if its triangles face into it, and small holes in a scanned surface do no harm. Where
  triangles face anyhow, their parity is taken instead, and parts that overlap are hollow there.
- Of triangles that stand twice, once facing each way, one is taken.
- Distances are to the nearest of 100,000 points spread evenly over the surface, which lie about a
  fifth of a grid's step apart.

Written: the surface of distance 0 by marching cubes, as PLY, OBJ, STL or OFF. All this comes with
``stegfield[media]``.
"""

from __future__ import annotations

import io
import math
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int16, Integer
from numpy.typing import NDArray

from stegfield.errors import OutputError, ShapeError
from stegfield.files import distrusting
from stegfield.metrics import ShapeQuality, shape_quality
from stegfield.signals.grids import LARGEST_POINTS
from stegfield.signals.medium import Medium, library
from stegfield.signals.signal import Signal
from stegfield.signals.sniffing import sniff

SIDE = 48
HALF_LENGTH = 0.9
FARTHEST = 0.25
FULL_SCALE = 32767
LARGEST_FACES = 200_000
SURFACE_POINTS = 100_000
FACES_AT_ONCE = 4096
LARGEST_CROSSINGS = 4_000_000
"""Pairs of rays and triangles that may meet; a closed surface has a few thousand for each layer."""
ONE_SIDED = 1.5
"""Ways that a surface faces, for each of its triangles: one of a closed part, two of a sheet."""
MOST_UNEVEN = 0.1
"""Share of the rays that meet more fronts than backs or fewer, at most, of a surface that faces one
way throughout."""
ROBERTS = (0.7548776662466927, 0.5698402909980532)
OFF_GRID = 1.2345e-7
"""Rays are moved by so much, lest they meet edges that two triangles share."""


class ShapeMedium(Medium):
    """Slices of rows and columns of signed distances to a surface."""

    name = "shape"
    noun = "a shape"
    plural = "shapes"
    error = ShapeError
    axes = 3
    suffixes = (".ply", ".obj", ".stl", ".off")
    written = suffixes
    channels = (1,)

    def decode(
        self, data: bytes, path: Path, *, flatten: bool = False, largest: int = LARGEST_POINTS
    ) -> Signal:
        """Decode the bytes of a mesh; the path tells the kind of file, and all have one grid.

        Raises:
            ShapeError: Not a mesh, damaged, flat, empty, or of more than 200,000 triangles.
            InputError: What reads it is not installed.
        """
        trimesh, told = _trimesh(), sniff(data)
        suffix = path.suffix.lower()
        if suffix not in self.suffixes and told is not None:
            suffix = told.suffix
        with (
            distrusting(path, "a mesh", ShapeError),
            warnings.catch_warnings(),
            np.errstate(all="ignore"),
        ):
            warnings.simplefilter("ignore")
            mesh = trimesh.load_mesh(
                io.BytesIO(data), file_type=suffix.removeprefix("."), resolver=None, process=False
            )
            triangles = np.asarray(mesh.triangles, dtype=np.float64)
            if triangles.shape[1:] != (3, 3):
                raise ValueError("its points do not have three coordinates")
        if not 0 < len(triangles) <= LARGEST_FACES:
            raise ShapeError(
                f"{path} has {len(triangles):,} triangles", hint=f"1 to {LARGEST_FACES:,} are read"
            )
        if not np.isfinite(triangles).all():
            raise ShapeError(f"{path} has points that are not finite")
        low, high = triangles.min(axis=(0, 1)), triangles.max(axis=(0, 1))
        longest = float((high - low).max())
        if not 0 < longest < math.inf or not (high > low).all():
            raise ShapeError(f"{path} is flat: it encloses nothing")
        triangles = (triangles - (low + high) / 2) * (2 * HALF_LENGTH / longest)
        if _most_crossings(triangles) > LARGEST_CROSSINGS:
            raise ShapeError(f"{path} has too many large triangles, one before another")
        inside = _inside(_one_sided(triangles))
        if not inside.any():
            raise ShapeError(f"{path} encloses nothing, or is too thin for a grid of {SIDE} points")
        signed = np.where(inside, -1, 1) * _distance(triangles)
        return Signal((signed / FARTHEST).clip(-1, 1)[..., None], self)

    def encode(self, signal: Signal, suffix: str) -> bytes:
        """Encode the surface of a shape as a mesh.

        Raises:
            ConfigError: The suffix is no mesh's.
            InputError: What writes it is not installed.
            OutputError: The shape has no surface.
        """
        suffix = self.check_written(suffix)
        trimesh = _trimesh()
        distances = signal.values[..., 0]
        if min(distances.shape) < 2 or not distances.min() < 0 < distances.max():
            raise OutputError(
                "this shape has no surface", hint="a wrong or damaged field shows none"
            )
        corners, faces, *_ = _marching_cubes(distances)
        corners = (2 * corners + 1) / np.array(distances.shape) - 1
        exported = trimesh.Trimesh(corners, faces, process=False).export(
            file_type=suffix.removeprefix(".")
        )
        return exported.encode() if isinstance(exported, str) else bytes(exported)

    def to_levels(self, signal: Signal) -> Int16[np.ndarray, "slices rows columns 1"]:
        """Return the distances as 16-bit integers."""
        levels: NDArray[np.int16] = np.rint(signal.values.clip(-1, 1) * FULL_SCALE).astype(np.int16)
        return levels

    def with_levels(
        self, signal: Signal, levels: Integer[np.ndarray, "slices rows columns 1"]
    ) -> Signal:
        """Return a shape like this one, but of other distances."""
        return replace(signal, values=levels.astype(np.float32) / FULL_SCALE)

    def bounds(self, signal: Signal) -> tuple[int, int]:
        """Return the least and the largest integer."""
        return -FULL_SCALE, FULL_SCALE

    def quality(self, shown: Signal, wanted: Signal) -> ShapeQuality:
        """Compare two shapes point by point of their grids.

        Raises:
            ConfigError: The grids of the shapes differ in size.
        """
        self.check_same_size(shown, wanted)
        return shape_quality(
            *(each.values.clip(-1, 1).astype(np.float64) for each in (shown, wanted))
        )

    def still(self, signal: Signal) -> Signal:
        """Return the slice in the middle."""
        return Signal(signal.values[signal.size[0] // 2])


SHAPE = ShapeMedium()


def _centres() -> Float[np.ndarray, " side"]:
    return (2 * np.arange(SIDE) + 1) / SIDE - 1


def _most_crossings(triangles: Float[np.ndarray, "faces 3 3"]) -> float:
    """Bound the pairs of triangles and rays that may meet, along the worst axis."""
    rays = (triangles.max(axis=1) - triangles.min(axis=1)) * SIDE / 2 + 1
    return float((rays.prod(axis=1)[:, None] / rays).sum(axis=0).max())


def _one_sided(triangles: Float[np.ndarray, "faces 3 3"]) -> Float[np.ndarray, "some 3 3"]:
    """Return the triangles; of a surface that has all of them facing both ways, one of each pair.

    Where two closed parts touch, a few triangles face both ways as well: those have to stay.
    """
    corners = np.unique(triangles.reshape(-1, 3), axis=0, return_inverse=True)[1].reshape(-1, 3)
    first = corners.argmin(axis=1)
    turned = np.stack([corners[np.arange(len(corners)), (first + k) % 3] for k in range(3)], axis=1)
    found, front = np.unique(turned, axis=0, return_inverse=True)
    either, place = np.unique(np.sort(found, axis=1), axis=0, return_index=True)
    if len(found) < ONE_SIDED * len(either):
        return triangles
    kept = np.zeros(len(found), dtype=np.bool_)
    kept[place] = True
    return triangles[kept[front.reshape(-1)]]


def _inside(triangles: Float[np.ndarray, "faces 3 3"]) -> Bool[np.ndarray, "side side side"]:
    """Tell which points of the grid two of three rays find inside."""
    votes = np.zeros((SIDE, SIDE, SIDE), dtype=np.int8)
    for axis in range(3):
        order = [axis, (axis + 1) % 3, (axis + 2) % 3]
        votes += np.moveaxis(_within(triangles[..., order]), (0, 1, 2), order).astype(np.int8)
    return votes >= 2


def _within(triangles: Float[np.ndarray, "faces 3 3"]) -> Bool[np.ndarray, "side side side"]:
    """Tell which points rays along the first axis find inside."""
    fronts, backs = np.zeros((2, SIDE + 1, SIDE, SIDE), dtype=np.int64)
    for start in range(0, len(triangles), FACES_AT_ONCE):
        _add_crossings(fronts, backs, triangles[start : start + FACES_AT_ONCE])
    met = (fronts + backs).any(axis=0)
    uneven = (fronts - backs).sum(axis=0) != 0
    if uneven.sum() > MOST_UNEVEN * met.sum():
        odd: NDArray[np.bool_] = (fronts + backs)[:SIDE].cumsum(axis=0) % 2 == 1
        return odd
    wound: NDArray[np.bool_] = (fronts - backs)[:SIDE].cumsum(axis=0) != 0
    return wound


def _add_crossings(
    fronts: Integer[np.ndarray, "places side side"],
    backs: Integer[np.ndarray, "places side side"],
    triangles: Float[np.ndarray, "faces 3 3"],
) -> None:
    """Count, at each place along the rays, the triangles met just before it, from either side."""
    at = _centres() + OFF_GRID
    plane = triangles[..., 1:]
    first = np.searchsorted(at, plane.min(axis=1))
    number = np.searchsorted(at, plane.max(axis=1)) - first
    rays = number.prod(axis=1)
    face = np.repeat(np.arange(len(triangles)), rays)
    place = np.arange(len(face)) - np.repeat(rays.cumsum() - rays, rays)
    row = first[face, 0] + place // np.maximum(number[face, 1], 1)
    column = first[face, 1] + place % np.maximum(number[face, 1], 1)
    a, b, c = (triangles[face, corner] for corner in range(3))
    y, z = at[row], at[column]

    def side(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
        area: NDArray[np.float64] = (q[:, 1] - p[:, 1]) * (z - p[:, 2]) - (q[:, 2] - p[:, 2]) * (
            y - p[:, 1]
        )
        return area

    shares = np.stack([side(b, c), side(c, a), side(a, b)])
    for counts, met in ((fronts, (shares > 0).all(axis=0)), (backs, (shares < 0).all(axis=0))):
        of_all = shares[:, met] / shares[:, met].sum(axis=0)
        depth = of_all[0] * a[met, 0] + of_all[1] * b[met, 0] + of_all[2] * c[met, 0]
        np.add.at(counts, (np.searchsorted(_centres(), depth), row[met], column[met]), 1)


def _distance(triangles: Float[np.ndarray, "faces 3 3"]) -> Float[np.ndarray, "side side side"]:
    """Return the distance from each point of the grid to the nearest point spread over the surface.

    Triangles take points by their share of the area; within one, points follow a sequence of low
    discrepancy (Roberts, 2018).
    """
    from scipy.spatial import cKDTree

    a, b, c = triangles.transpose(1, 0, 2)
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    steps = (np.arange(SURFACE_POINTS) + 0.5) / SURFACE_POINTS
    face = np.searchsorted(areas.cumsum() / areas.sum(), steps).clip(max=len(areas) - 1)
    u, v = (np.arange(SURFACE_POINTS) * share % 1 for share in ROBERTS)
    u, v = np.where(u + v > 1, (1 - u, 1 - v), (u, v))
    spread = a[face] + u[:, None] * (b - a)[face] + v[:, None] * (c - a)[face]
    points = np.concatenate([spread, triangles.reshape(-1, 3)])
    at = np.stack(np.meshgrid(*[_centres()] * 3, indexing="ij"), axis=-1)
    distances: NDArray[np.float64] = cKDTree(points).query(
        at, distance_upper_bound=1.01 * FARTHEST
    )[0]
    return distances


def _trimesh() -> Any:
    needing = "shapes need trimesh and scikit-image"
    library("skimage.measure", needing)  # brings SciPy, too
    return library("trimesh", needing)


def _marching_cubes(distances: NDArray[np.float32]) -> Any:
    import skimage.measure

    find: Any = skimage.measure.marching_cubes
    return find(distances, 0.0, gradient_direction="ascent")
