from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from stegfield import signals
from stegfield.errors import ConfigError, InputError, OutputError, ShapeError
from stegfield.metrics import ShapeQuality
from stegfield.signals import SHAPE, Signal, ball, shape

PATH = Path("x.ply")


def file_of(mesh: trimesh.Trimesh, kind: str = "ply") -> bytes:
    made = mesh.export(file_type=kind)
    return made.encode() if isinstance(made, str) else bytes(made)


BALL = file_of(trimesh.creation.icosphere(subdivisions=4))


@pytest.mark.parametrize("kind", ["ply", "obj", "stl", "off"])
def test_a_ball_has_the_distances_of_a_ball(kind: str) -> None:
    mesh = trimesh.creation.icosphere(subdivisions=4, radius=7.0)
    mesh.apply_translation([100.0, -20.0, 3.0])
    read = signals.decode(file_of(mesh, kind), Path(f"x.{kind}"))
    assert read.size == (48, 48, 48)
    at = signals.coordinates(read.size)
    expected = ((np.linalg.norm(at, axis=1) - 0.9) / shape.FARTHEST).clip(-1, 1)
    assert np.abs(read.values.ravel() - expected).max() < 0.06  # of 0.25: a third of a step


def test_a_box_of_twelve_triangles_is_filled() -> None:
    read = signals.decode(file_of(trimesh.creation.box(extents=(2, 1, 4))), PATH)
    at = np.abs(signals.coordinates(read.size))
    within = (at < [0.45, 0.225, 0.9]).all(axis=1).reshape(read.size)
    assert np.array_equal(read.values[..., 0] < 0, within)


def test_a_hole_in_the_surface_does_no_harm() -> None:
    mesh = trimesh.creation.icosphere(subdivisions=4)
    holed = trimesh.Trimesh(mesh.vertices, mesh.faces[40:], process=False)
    read = [signals.decode(file_of(each), PATH) for each in (mesh, holed)]
    assert signals.quality(read[1], read[0]).psnr_db > 30
    quality = signals.quality(read[1], read[0])
    assert isinstance(quality, ShapeQuality)
    assert quality.iou > 0.99


@pytest.mark.parametrize("kind", ["ply", "obj"])
def test_what_is_written_is_read_as_the_same_shape(kind: str) -> None:
    wanted = signals.decode(BALL, PATH)
    again = signals.decode(signals.encode(wanted, f".{kind}"), Path(f"x.{kind}"))
    quality = signals.quality(again, wanted)
    assert isinstance(quality, ShapeQuality)
    assert quality.iou > 0.98
    assert np.array_equal(
        signals.to_levels(signals.with_levels(wanted, signals.to_levels(wanted))),
        signals.to_levels(wanted),
    )


def test_quality_counts_points_inside() -> None:
    small, large = ball(24, radius=0.5), ball(24)
    quality = SHAPE.quality(small, large)
    inside = [(each.values < 0).sum().item() for each in (small, large)]
    assert quality.iou == pytest.approx(inside[0] / inside[1])
    assert SHAPE.quality(large, large) == ShapeQuality(psnr_db=math.inf, iou=1.0)
    with pytest.raises(ConfigError, match="9x9x9"):
        signals.quality(ball(9), large)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("x.ply", b"", "not a mesh"),
        ("x.obj", b"", "not a mesh|triangles"),
        ("x.stl", b"solid nothing\nendsolid", "not a mesh|triangles"),
        ("x.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "flat"),
        ("x.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 1\nf 1 2 3\n", "encloses nothing"),
        ("x.obj", b"v 0 0 0\nv nan 0 0\nv 0 1 1\nf 1 2 3\n", "not finite|not a mesh|triangles"),
        ("x.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n", "not a mesh|triangles"),
    ],
)
def test_what_is_no_shape_is_refused_in_a_sentence(name: str, data: bytes, words: str) -> None:
    with pytest.raises(ShapeError, match=words) as caught:
        signals.decode(data, Path(name))
    assert "\n" not in str(caught.value)
    assert caught.value.hint


def test_a_heap_of_large_triangles_is_refused_before_the_work() -> None:
    corners = np.random.default_rng(1).uniform(-1, 1, (60_000, 3))
    heap = trimesh.Trimesh(corners, np.arange(60_000).reshape(-1, 3), process=False)
    with pytest.raises(ShapeError, match="too many large triangles"):
        signals.decode(file_of(heap, "stl"), Path("x.stl"))


@settings(max_examples=10)
@given(st.data())
def test_damaged_meshes_are_read_or_refused(data: st.DataObject) -> None:
    file = bytearray(file_of(trimesh.creation.box()))
    for at in data.draw(st.lists(st.integers(0, len(file) - 1), max_size=6)):
        file[at] = data.draw(st.integers(0, 255))
    file = file[: data.draw(st.integers(0, len(file)))]
    try:
        read = signals.decode(bytes(file), PATH)
    except ShapeError:
        return
    assert np.abs(read.values).max() <= 1


def test_what_cannot_be_written_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = Signal(np.ones((8, 8, 8, 1)), SHAPE)
    with pytest.raises(OutputError, match="no surface"):
        signals.encode(empty, ".ply")
    with pytest.raises(ConfigError, match="suffix"):
        signals.encode(empty, ".glb")
    monkeypatch.setitem(sys.modules, "trimesh", None)
    with pytest.raises(InputError, match="trimesh"):
        signals.decode(BALL, PATH)


SPHERE = trimesh.creation.icosphere(subdivisions=3)


def share_inside(mesh: trimesh.Trimesh, kind: str = "stl") -> float:
    return float((signals.decode(file_of(mesh, kind), Path(f"x.{kind}")).values < 0).mean())


def together(*parts: trimesh.Trimesh) -> trimesh.Trimesh:
    joined = trimesh.util.concatenate(list(parts))
    assert isinstance(joined, trimesh.Trimesh)
    return joined


def beside(shift: float) -> trimesh.Trimesh:
    """Two unit spheres, whose centres lie so far apart; their triangles take turns."""
    other = SPHERE.copy()
    other.apply_translation([shift, 0, 0])
    both = together(SPHERE, other)
    turns = np.arange(len(both.faces)).reshape(2, -1).T.ravel()
    return trimesh.Trimesh(both.vertices, both.faces[turns], process=False)


def flipped(mesh: trimesh.Trimesh, which: np.ndarray) -> trimesh.Trimesh:
    faces = mesh.faces.copy()
    faces[which] = faces[which, ::-1]
    return trimesh.Trimesh(mesh.vertices, faces, process=False)


@pytest.mark.parametrize("shift", [0.8, 1.0, 1.9])
def test_parts_that_overlap_are_one_body(shift: float) -> None:
    lens = math.pi * (4 + shift) * (2 - shift) ** 2 / 12
    union = (8 / 3 * math.pi - lens) * (1.8 / (2 + shift)) ** 3 / 8
    assert share_inside(beside(shift)) == pytest.approx(union, rel=0.02)


def test_a_cavity_is_hollow_and_a_part_within_another_is_not() -> None:
    inner = SPHERE.copy()
    inner.apply_scale(0.5)
    cavity = flipped(inner, np.ones(len(inner.faces), np.bool_))
    whole = share_inside(SPHERE)
    assert share_inside(together(SPHERE, inner)) == pytest.approx(whole)
    hollow = share_inside(together(SPHERE, cavity))
    assert hollow == pytest.approx(whole * 7 / 8, rel=0.01)


@pytest.mark.parametrize("turned", [False, True])
def test_faces_that_stand_twice_count_once(turned: bool) -> None:
    again = flipped(SPHERE, np.full(len(SPHERE.faces), turned))
    doubled = together(SPHERE, again)
    assert share_inside(doubled) == pytest.approx(share_inside(SPHERE))


def test_parts_that_touch_keep_the_wall_between_them() -> None:
    boxes = [trimesh.creation.box(), trimesh.creation.box()]
    boxes[1].apply_translation([1, 0, 0])
    joined = share_inside(together(*boxes), "off")
    assert joined == pytest.approx(share_inside(trimesh.creation.box(extents=(2, 1, 1)), "off"))


@pytest.mark.parametrize("share", [0.02, 0.5, 1.0])
def test_which_way_triangles_face_does_not_matter_to_one_part(share: float) -> None:
    which = np.random.default_rng(3).random(len(SPHERE.faces)) < share
    assert share_inside(flipped(SPHERE, which)) == pytest.approx(share_inside(SPHERE), rel=0.03)


def test_points_of_two_coordinates_are_refused() -> None:
    with pytest.raises(ShapeError, match="not a mesh"):
        signals.decode(b"v 0 0\nv 1 0\nv 0 1\nf 1 2 3\n", Path("x.obj"))
