from __future__ import annotations

import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from stegfield.errors import InputError
from stegfield.generative import Globes, globes
from stegfield.generative.examples import LEAST
from stegfield.generative.points import even_points
from stegfield.generative.temperatures import _temperatures
from stegfield.signals import CLIMATE

LATITUDES = np.linspace(90, -90, 19, dtype=np.float32)


def smooth_globe(latitude: Any, longitude: Any) -> Any:
    """Kelvins at latitudes and longitudes in radians."""
    return 260 + 20 * np.sin(latitude) + 10 * np.cos(latitude) * np.cos(longitude - 1)


def globe_grid(rows: int, columns: int) -> NDArray[np.float64]:
    latitude = np.linspace(np.pi / 2, -np.pi / 2, rows)[:, None]
    longitude = np.arange(columns) / columns * 2 * np.pi
    return np.asarray(smooth_globe(latitude, longitude))


@pytest.mark.parametrize("size", [4, 16])
def test_a_smooth_function_of_the_sphere_is_found_at_even_points(size: int) -> None:
    kelvin = globe_grid(46, 90)
    examples = Globes(np.stack([kelvin, kelvin + 5]))
    values = examples.values(np.array([1, 0, 1]), size)
    x, y, z = even_points(CLIMATE, size).double().unbind(1)
    wanted = smooth_globe(torch.asin(z).numpy(), torch.atan2(y, x).numpy())
    given = values[..., 0].numpy() * 80 + 260
    assert values.shape == (3, size * size, 1)
    assert np.abs(given[1] - wanted).max() < 0.06  # of a bend of 20 K over a step of 4 degrees
    assert np.abs(given[0] - wanted - 5).max() < 0.06
    assert np.array_equal(given[0], given[2])


def test_values_run_on_where_longitudes_begin_again() -> None:
    kelvin = np.full((9, 8), 250.0)
    kelvin[:, 0] = 300.0
    turn = 2 * np.pi * (np.array([0.0, 0.5, 7.5, 1.0, 7.0]) / 8)
    points = torch.tensor(np.stack([np.cos(turn), np.sin(turn), 0 * turn], 1)).float()
    shown = Globes(kelvin[None]).values_at(np.array([0]), points)[0, :, 0] * 80 + 260
    assert torch.allclose(shown, torch.tensor([300.0, 275, 275, 250, 250]), atol=1e-2)


def write_globe(path: Path, **arrays: Any) -> None:
    """An archive of as many temperature fields as are needed."""
    kelvin = np.stack([globe_grid(19, 24) + day for day in range(LEAST)]).astype(np.float32)
    arrays = {"temperature": kelvin, "latitude": LATITUDES, **arrays}
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


def test_temperatures_are_read_from_north_to_south_whatever_their_order(tmp_path: Path) -> None:
    write_globe(tmp_path / "down.npz")
    kelvin = np.stack([globe_grid(19, 24)[::-1] + day for day in range(LEAST)])
    write_globe(tmp_path / "up.npz", temperature=kelvin, latitude=LATITUDES[::-1])
    down, up = globes(tmp_path / "down.npz"), globes(tmp_path / "up.npz")
    every = np.arange(LEAST)
    assert len(down) == len(up) == LEAST
    assert torch.allclose(down.grids(every), up.grids(every), atol=1e-6)
    assert float(down.grids(every)[0, 0].mean()) > float(down.grids(every)[0, -1].mean())
    assert len(globes(tmp_path)) == 2 * LEAST


def shifted_globe(rows: NDArray[Any], columns: NDArray[Any]) -> NDArray[np.float64]:
    """Fields at latitudes and longitudes in degrees."""
    field = smooth_globe(np.radians(rows)[:, None], np.radians(columns))
    return np.stack([field + day for day in range(LEAST)])


@pytest.mark.parametrize("west", [0.0, 15.0, -180.0, 345.0, 180.0, 360.0])
def test_fields_begin_at_one_meridian_wherever_their_files_do(west: float, tmp_path: Path) -> None:
    rows, columns = LATITUDES.astype(float), west + 15.0 * np.arange(24)
    wanted = shifted_globe(rows, 15.0 * np.arange(24))
    kelvin = shifted_globe(rows, columns)
    for number, longitude in enumerate((columns, columns % 360, columns.astype(int))):
        path = tmp_path / f"{number}.npz"
        write_globe(path, temperature=kelvin, longitude=longitude)
        given = globes(path).grids(np.arange(LEAST))[..., 0].numpy() * 80 + 260
        assert np.allclose(given, wanted, atol=1e-3)


def test_grids_of_cells_begin_at_their_first_cell(tmp_path: Path) -> None:
    rows, columns = 90 - 7.5 * (np.arange(24) + 0.5), -180 + 15 * (np.arange(24) + 0.5)
    write_globe(
        tmp_path / "cells.npz",
        temperature=shifted_globe(rows, columns),
        latitude=rows,
        longitude=columns,
    )
    given = globes(tmp_path).grids(np.arange(LEAST))[..., 0].numpy() * 80 + 260
    assert np.allclose(given, shifted_globe(rows, np.roll(columns, 12)), atol=1e-3)


def test_nearly_even_latitudes_are_taken(tmp_path: Path) -> None:
    gauss = np.degrees(np.arcsin(np.polynomial.legendre.leggauss(94)[0]))[::-1]
    write_globe(tmp_path / "t62.npz", temperature=np.full((LEAST, 94, 192), 260.0), latitude=gauss)
    assert len(globes(tmp_path)) == LEAST


@pytest.mark.skipif(
    "STEGFIELD_DATA" not in os.environ,
    reason="STEGFIELD_DATA does not name a folder with climate/*.npz",
)
def test_real_files_are_read_as_they_are() -> None:
    paths = sorted(Path(os.environ["STEGFIELD_DATA"], "climate").rglob("*.npz"))
    assert paths
    for path in paths:
        with np.load(path) as arrays:
            kelvin = arrays["temperature"].reshape(-1, 46, 90)
        assert (np.stack(list(_temperatures(path))) == kelvin).all()


class Evil:
    """What runs code where it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("it was unpickled",))


@pytest.mark.parametrize(
    "arrays",
    [
        {"temperature": None},
        {"latitude": None},
        {"temperature": np.array([Evil()], object)},
        {"latitude": np.array([Evil()] * 19, object)},
        {"temperature": np.full((LEAST, 19, 24), np.nan)},
        {"temperature": np.full((LEAST, 19, 24), np.inf)},
        {"temperature": np.full((LEAST, 19, 24), 15.0)},  # degrees Celsius
        {"temperature": np.full((LEAST, 19, 24), 260)},  # integers
        {"temperature": np.full((LEAST, 19, 24), 260 + 0j)},
        {"temperature": np.full((LEAST, 18, 24), 260.0)},
        {"temperature": np.full(19, 260.0)},
        {"temperature": np.zeros((0, 19, 24))},
        {"temperature": np.zeros((LEAST, 19, 0))},
        {"temperature": np.zeros((LEAST, 0, 24)), "latitude": np.zeros(0)},
        {"latitude": np.stack([LATITUDES, LATITUDES], 1)},
        {"latitude": np.full(19, np.nan)},
        {"latitude": np.array(5.0)},
        {"latitude": np.linspace(30, -30, 19)},
        {"latitude": np.linspace(90, 0, 19)},
        {"latitude": np.linspace(95, -95, 19)},
        {"latitude": np.sin(np.linspace(np.pi / 2, -np.pi / 2, 19)) * 90},
        {"latitude": np.zeros(19)},
        {"latitude": np.full(19, np.inf)},
        {"longitude": np.arange(23.0) * 15},
        {"longitude": np.arange(24.0)},
        {"longitude": np.linspace(0, 360, 24)},
        {"longitude": np.arange(24.0)[::-1] * 15},
        {"longitude": np.full(24, np.nan)},
        {"longitude": np.full(24, np.inf)},
        {"longitude": np.array([b"0"] * 24)},
    ],
    ids=lambda arrays: "-".join(f"{n}{getattr(a, 'shape', '')}" for n, a in arrays.items()),
)
def test_arrays_that_are_no_temperatures_are_refused(
    arrays: dict[str, Any], tmp_path: Path
) -> None:
    write_globe(tmp_path / "globe.npz", **arrays)
    with pytest.raises(InputError, match=r"globe\.npz"):
        globes(tmp_path)


def not_archives() -> dict[str, bytes]:
    plain = io.BytesIO()
    np.save(plain, np.zeros((LEAST, 19, 24)))
    stored = io.BytesIO()
    np.savez_compressed(stored, temperature=np.random.default_rng(1).random((LEAST, 19, 24)))
    damaged = bytearray(stored.getvalue())
    damaged[60:2000] = bytes(1940)
    vast = io.BytesIO()
    shape = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000, 100), }"
    header = b"\x93NUMPY\x01\x00" + len(shape).to_bytes(2, "little") + shape
    with zipfile.ZipFile(vast, "w") as archive:
        archive.writestr("temperature.npy", header)
        archive.writestr("latitude.npy", header)
    return {
        "empty": b"",
        "text": b"no archive",
        "pickle": pickle.dumps(Evil()),
        "plain array": plain.getvalue(),
        "truncated": stored.getvalue()[:-200],
        "damaged": bytes(damaged),
        "vast": vast.getvalue(),
    }


@pytest.mark.parametrize("kind", not_archives())
def test_a_file_that_is_no_archive_of_arrays_is_refused(kind: str, tmp_path: Path) -> None:
    (tmp_path / "globe.npz").write_bytes(not_archives()[kind])
    with pytest.raises(InputError, match=r"globe\.npz"):
        globes(tmp_path)


def test_fields_of_several_sizes_are_refused(tmp_path: Path) -> None:
    write_globe(tmp_path / "one.npz")
    write_globe(tmp_path / "two.npz", temperature=np.full((LEAST, 19, 30), 260.0))
    with pytest.raises(InputError, match="several sizes"):
        globes(tmp_path)


def test_few_temperature_fields_are_refused(tmp_path: Path) -> None:
    write_globe(tmp_path / "one.npz", temperature=np.full((LEAST - 1, 19, 24), 260.0))
    with pytest.raises(InputError, match=f"has {LEAST - 1} temperature fields"):
        globes(tmp_path)


def test_arrays_that_would_take_all_memory_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, temperature=np.full((600, 181, 360), 280.0, np.float32))
    with pytest.raises(InputError, match="would inflate to more than"):
        globes(path)


@pytest.mark.parametrize("shape", ["(99999, 9999, 9999)", "(-1, 3, 4)", "(3, 4", "None"])
def test_a_header_of_an_array_is_not_believed(shape: str, tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    data = b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("temperature.npy", data + bytes(48))
    with pytest.raises(InputError, match=r"temperature in .* is not an array, or damaged"):
        globes(path)
