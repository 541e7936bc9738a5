"""Climate fields: files that come back to the integer, and places on the globe."""

from __future__ import annotations

import io
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray
from hypothesis import given, settings
from hypothesis import strategies as st

from stegfield import signals
from stegfield.errors import ClimateError, ConfigError, InputError
from stegfield.metrics import KelvinQuality
from stegfield.signals import Packing, Signal, globe, netcdf, sphere
from stegfield.signals.packing import FINEST_SCALE

PATH = Path("field.nc")
ROWS, COLUMNS = 11, 18
FILE = signals.encode(globe(ROWS, COLUMNS), ".nc")
INTEGERS = np.random.default_rng(5).integers(-9000, 9000, (ROWS, COLUMNS)).astype(np.int16)


def file(
    levels: Any = INTEGERS,
    *,
    name: str = "t2m",
    dimensions: tuple[str, ...] = ("latitude", "longitude"),
    latitudes: Any = None,
    longitudes: Any = None,
    more: dict[str, Any] | None = None,
    **attributes: Any,
) -> bytes:
    """Make a file as others would, with xarray; an attribute of None is left out."""
    attributes = {"scale_factor": 0.004, "add_offset": 270.0, "units": "K"} | attributes
    attributes = {key: value for key, value in attributes.items() if value is not None}
    rows, columns = levels.shape[-2:]
    places = {
        dimensions[-2]: np.linspace(90, -90, rows) if latitudes is None else latitudes,
        dimensions[-1]: np.arange(columns) * 360 / columns if longitudes is None else longitudes,
    }
    arrays = {name: (dimensions, levels, attributes), **(more or {})}
    dataset = xarray.Dataset(arrays, coords=places)
    for variable in dataset.variables.values():
        variable.encoding.setdefault("_FillValue", None)
    return bytes(dataset.to_netcdf(engine="h5netcdf"))


def read(data: bytes) -> Signal:
    return signals.decode(data, PATH)


def stored(data: bytes, name: str = "t2m") -> xarray.DataArray:
    """Read a file's integers as another program does."""
    with xarray.open_dataset(io.BytesIO(data), engine="h5netcdf", decode_cf=False) as opened:
        return opened[name].load()


# packing


@given(
    st.floats(FINEST_SCALE, 1.0),
    st.floats(-400, 400),
    st.sampled_from(["int16", "uint16"]),
    st.booleans(),
)
def test_packing_undoes_unpacking_at_every_integer(
    scale: float, offset: float, kind: Any, celsius: bool
) -> None:
    packing = Packing(scale=scale, offset=offset, kind=kind, celsius=celsius)
    low, high = packing.bounds
    levels = np.arange(low, high + 1).reshape(-1, 1, 1)
    values = packing.unpack(levels)
    assert values.dtype == np.float32
    assert np.abs(values).max(initial=0) <= 1
    assert np.array_equal(packing.pack(values), levels)


def test_our_own_packing_spans_180_to_340_kelvin_and_spares_the_fill_value() -> None:
    packing = Packing()
    assert packing.bounds == (-32767, 32767)
    ends = signals.to_kelvin(packing.unpack(np.array([[[-32767]], [[0]], [[32767]]])))
    assert ends.ravel() == pytest.approx([180, 260, 340])
    assert packing.pack(np.array([[[-5.0], [5.0]]])).ravel().tolist() == [-32767, 32767]


# files


def test_a_file_of_our_own_comes_back_to_the_integer_and_the_byte() -> None:
    field = globe(ROWS, COLUMNS)
    again = read(FILE)
    assert again.medium is signals.CLIMATE
    assert again.packing == field.packing == Packing()
    assert np.array_equal(signals.to_levels(again), signals.to_levels(field))
    assert signals.encode(again, ".nc") == FILE


def test_other_programs_read_what_we_write() -> None:
    with xarray.open_dataset(io.BytesIO(FILE), engine="h5netcdf") as opened:
        found = opened["temperature"].load()
    kelvin = signals.to_kelvin(globe(ROWS, COLUMNS).values)[..., 0]
    assert np.abs(found - kelvin).max() <= Packing().scale / 2 + 1e-6
    assert found.units == "K"
    assert found.latitude.values.tolist() == pytest.approx(np.linspace(90, -90, ROWS))
    assert found.longitude.values.tolist() == pytest.approx(np.arange(COLUMNS) * 20.0)
    assert found.encoding["dtype"] == np.int16
    assert found.encoding["_FillValue"] == -32768


@pytest.mark.parametrize("kind", ["int16", "uint16", ">i2"])
@pytest.mark.parametrize("ascending", [False, True])
@pytest.mark.parametrize("west", [0, -180, 20])
def test_integers_of_others_come_back_where_they_were(
    kind: str, ascending: bool, west: int
) -> None:
    levels = (INTEGERS + (20_000 if kind == "uint16" else 0)).astype(kind)
    latitudes = np.linspace(-90, 90, ROWS) if ascending else None
    data = file(
        levels,
        dimensions=("lat", "lon"),
        latitudes=latitudes,
        longitudes=west + np.arange(COLUMNS) * 20.0,
        add_offset=200.0 if kind == "uint16" else 270.0,
        units="kelvin",
    )
    field = read(data)
    again = stored(signals.encode(field, ".nc"))
    assert np.array_equal(again.values, levels)
    assert again.units == "kelvin"
    assert again.scale_factor == 0.004
    assert again.lat[0] == (-90 if ascending else 90)
    assert again.lon[0] == west
    north = levels[-1 if ascending else 0].astype(int)
    at_zero = -west // 20 % COLUMNS
    assert signals.to_levels(field)[0, 0, 0] == north[at_zero]


def maker(data: bytes) -> str | None:
    with h5py.File(io.BytesIO(data), "r") as opened:
        found = opened.attrs.get("_NCProperties")
    return None if found is None else found.decode()


@pytest.mark.parametrize("made_by", ["version=2,netcdf=4.9.2,hdf5=1.14.0", None])
def test_a_file_says_of_itself_what_its_predecessor_said(made_by: str | None) -> None:
    about: dict[str, Any] = {
        "long_name": "2 metre temperature",
        "level": np.float32(2),
        "codes": np.arange(3),
    }
    stream = io.BytesIO(file(dimensions=("lat", "lon"), **about))
    with h5py.File(stream, "r+") as opened:
        opened.attrs["history"] = "2026-03-25 by grib_to_netcdf"
        opened["lon"].attrs["long_name"] = "longitude"
        del opened.attrs["_NCProperties"]
        if made_by:
            opened.attrs["_NCProperties"] = np.bytes_(made_by.encode())
    given_file = stream.getvalue()
    written = signals.encode(read(given_file), ".nc")
    assert maker(written) == made_by
    before, after = stored(given_file), stored(written)
    assert {**after.attrs, "_FillValue": 0}.keys() == {**before.attrs, "_FillValue": 0}.keys()
    assert after.long_name == "2 metre temperature"
    assert after.level == np.float32(2)
    assert after.codes.tolist() == [0, 1, 2]
    assert after.lon.attrs == before.lon.attrs
    assert after.lat.dtype == before.lat.dtype
    with h5py.File(io.BytesIO(written), "r") as opened:
        assert opened.attrs["history"] == "2026-03-25 by grib_to_netcdf"


def test_a_field_of_no_file_is_packed_over_its_own_range() -> None:
    field = replace(globe(ROWS, COLUMNS), packing=None)
    field = replace(field, values=field.values / 4)
    levels = signals.to_levels(field)
    assert (levels.min(), levels.max()) == (-32767, 32767)
    changed = signals.with_levels(field, levels - np.sign(levels))
    assert np.array_equal(signals.to_levels(changed), levels - np.sign(levels))
    again = read(signals.encode(changed, ".nc"))
    assert np.array_equal(signals.to_levels(again), levels - np.sign(levels))
    plain = Packing.over(np.zeros((4, 5, 1), np.float32))
    assert (plain.scale, plain.offset) == (FINEST_SCALE, 260.0)


def test_north_is_up_whichever_way_the_file_runs() -> None:
    kelvin = np.linspace(300, 220, ROWS)[:, None].repeat(COLUMNS, 1).astype(np.float32)
    down = file(kelvin, scale_factor=None, add_offset=None)
    up = file(
        kelvin[::-1], scale_factor=None, add_offset=None, latitudes=np.linspace(-90, 90, ROWS)
    )
    assert np.array_equal(read(down).values, read(up).values)
    assert signals.to_kelvin(read(up).values)[0, 0, 0] == pytest.approx(300)


def test_degrees_celsius_stand_for_kelvin() -> None:
    field = read(file(add_offset=0.0, units="degC"))
    kelvin = signals.to_kelvin(field.values)[..., 0]
    assert np.abs(kelvin - (0.004 * INTEGERS + 273.15)).max() < 1e-5
    again = stored(signals.encode(field, ".nc"))
    assert np.array_equal(again.values, INTEGERS)
    assert again.units == "degC"


@pytest.mark.parametrize("kind", ["float32", "float64", "int32"])
def test_other_numbers_are_read_as_temperatures(kind: str) -> None:
    kelvin = np.linspace(200, 330, ROWS * COLUMNS).reshape(ROWS, COLUMNS).astype(kind)
    field = read(file(kelvin, name="air", scale_factor=None, add_offset=None))
    assert signals.to_kelvin(field.values)[..., 0] == pytest.approx(kelvin.astype(float), abs=1e-4)
    assert field.packing == replace(Packing.over(field.values), name="air")
    assert signals.to_levels(field).min() == -32767
    assert signals.to_levels(field).max() == 32767


def test_of_several_times_the_first_is_read_and_the_number_told() -> None:
    levels = np.stack([INTEGERS, INTEGERS + 1, INTEGERS + 2])
    field = read(file(levels, dimensions=("time", "latitude", "longitude")))
    assert field.notes == ("has several fields, 3 along time; the first was read",)
    assert np.array_equal(signals.to_levels(field)[..., 0], INTEGERS)


def test_of_several_variables_the_temperature_is_read() -> None:
    wind = (("latitude", "longitude"), np.zeros((ROWS, COLUMNS)))
    assert np.array_equal(
        signals.to_levels(read(file(name="air", more={"wind": wind})))[..., 0], INTEGERS
    )
    field = read(file(name="cold", more={"wind": wind}))  # the only one in kelvin
    assert np.array_equal(signals.to_levels(field)[..., 0], INTEGERS)
    soil = (("latitude", "longitude"), np.full((ROWS, COLUMNS), 280.0), {"units": "K"})
    with pytest.raises(ClimateError, match="several variables"):
        read(file(name="cold", more={"soil": soil}))
    assert signals.to_levels(read(file(name="cold"))).shape == (ROWS, COLUMNS, 1)


def test_edges_of_cells_are_no_temperatures() -> None:
    more = {
        "lat_bnds": (("latitude", "bnds"), np.zeros((ROWS, 2))),
        "lon_bnds": (("longitude", "bnds"), np.zeros((COLUMNS, 2))),
        "time_bnds": (("time", "bnds"), np.zeros((1, 2))),
    }
    levels = INTEGERS[None]
    field = read(file(levels, name="wb", dimensions=("time", "latitude", "longitude"), more=more))
    assert np.array_equal(signals.to_levels(field)[..., 0], INTEGERS)
    assert field.notes == ()


def test_of_several_levels_the_first_is_read_and_told() -> None:
    levels = np.stack([INTEGERS, INTEGERS + 1, INTEGERS + 2, INTEGERS + 3])
    named = ("time", "level", "latitude", "longitude")
    more = {"time": ("time", [0, 6]), "level": ("level", [1000, 850])}
    field = read(file(levels.reshape(2, 2, ROWS, COLUMNS), dimensions=named, more=more))
    assert np.array_equal(signals.to_levels(field)[..., 0], INTEGERS)
    assert field.notes == (
        "has several fields, 2 along time and 2 along level; the first was read",
    )


@pytest.mark.parametrize(
    ("units", "zero"),
    [
        *[
            (name, 0.0)
            for name in ("K", "kelvin", "Kelvins", "degK", "deg_K", "degree_Kelvin", "°K")
        ],
        *[
            (name, 273.15)
            for name in (
                "C",
                "degC",
                "deg_C",
                "deg C",
                "degree_C",
                "degrees_C",
                "celsius",
                "degree_Celsius",
                "degrees Celsius",
                "°C",
                "℃",
                "degreeC",
                "Centigrade",
            )
        ],
    ],
)
def test_units_are_known_by_every_name_of_theirs(units: str, zero: float) -> None:
    field = read(file(units=units, add_offset=270.0 - zero))
    assert field.packing is not None
    assert field.packing.zero_kelvin == pytest.approx(270.0)
    assert field.packing.units == units


@pytest.mark.parametrize("units", ["degF", "degree", "deg", "m", "", "kg", "cm"])
def test_other_units_are_none_of_temperature(units: str) -> None:
    assert netcdf.temperature_unit(units) is None


def test_a_fill_value_within_reach_of_the_samples_is_given_up() -> None:
    field = read(file(missing_value=np.int16(INTEGERS.max() + 1)))
    assert field.packing is not None
    assert field.packing.fill == -32768
    full = np.where(np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS) % 2, -32768, 32767)
    whole = read(file(full.astype(np.int16), scale_factor=0.001, add_offset=260.0))
    assert whole.packing is not None
    assert whole.packing.fill is None
    assert np.array_equal(stored(signals.encode(whole, ".nc")).values, full)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"missing_value": INTEGERS[3, 4]}, "missing"),
        ({"units": "m"}, "neither K"),
        ({"scale_factor": 0.0}, "scale_factor"),
        ({"scale_factor": -0.1}, "scale_factor"),
        ({"scale_factor": math.nan}, "scale_factor"),
        ({"scale_factor": [1.0, 2.0]}, "not a number"),
        ({"scale_factor": "much"}, "not a number"),
        ({"add_offset": math.inf}, "add_offset"),
        ({"add_offset": 320.0}, "180 to 340"),
        ({"latitudes": np.linspace(80, -80, ROWS)}, "pole to pole"),
        ({"latitudes": np.full(ROWS, math.nan)}, "pole to pole"),
        ({"longitudes": np.linspace(0, 90, COLUMNS)}, "around the globe"),
        ({"longitudes": np.arange(COLUMNS) * 20.0 + 7}, "around the globe"),
        ({"longitudes": np.full(COLUMNS, math.inf)}, "around the globe"),
        ({"dimensions": ("north", "east")}, "no latitudes"),
        ({"levels": INTEGERS[:2]}, "2 points|18x2"),
        ({"levels": np.full((ROWS, COLUMNS), math.nan, np.float32)}, "missing"),
        ({"levels": np.full((ROWS, COLUMNS), "cold")}, "no variable"),
    ],
)
def test_what_is_no_temperature_on_the_globe_is_refused(
    changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ClimateError, match=words) as caught:
        read(file(**changes))
    assert "\n" not in str(caught.value)
    assert caught.value.hint is not None


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netcdf, "SECONDS", 3.0)


DAMAGE = st.lists(
    st.tuples(st.integers(0, len(FILE) - 1), st.integers(0, 255)), min_size=1, max_size=20
)


@settings(max_examples=15)
@given(DAMAGE)
def test_damaged_files_are_read_or_refused_in_a_line(
    impatient: None, damage: list[tuple[int, int]]
) -> None:
    data = bytearray(FILE)
    for position, value in damage:
        data[position] = value
    try:
        field = read(bytes(data))
    except ClimateError as error:
        message = str(error)
    else:
        message = ""
        field_is_sound(field)
    assert "\n" not in message


def field_is_sound(field: Signal) -> None:
    assert np.isfinite(field.values).all()
    assert np.abs(field.values).max() <= 1


@settings(max_examples=10)
@given(st.binary(max_size=60))
def test_other_bytes_are_refused(impatient: None, data: bytes) -> None:
    with pytest.raises(ClimateError):
        read(data)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
def test_truncated_files_are_refused(share: float) -> None:
    with pytest.raises(ClimateError) as caught:
        read(FILE[: int(share * len(FILE))])
    assert "\n" not in str(caught.value)


def test_a_reader_that_hangs_or_dies_is_an_error_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(netcdf, "SECONDS", 0.5)
    for program, words in (("while True: pass", "too long"), ("import os; os.abort()", "damaged")):
        fake = tmp_path / "reader.py"
        fake.write_text(program)
        monkeypatch.setattr(netcdf, "__file__", str(fake))
        with pytest.raises(ClimateError, match=words):
            read(FILE)


def test_files_that_point_to_others_are_refused(tmp_path: Path) -> None:
    import h5py

    other = tmp_path / "other.nc"
    other.write_bytes(FILE)
    for link in (h5py.ExternalLink(str(other), "/temperature"), h5py.SoftLink("/latitude")):
        stream = io.BytesIO(FILE)
        with h5py.File(stream, "r+") as opened:
            opened["more"] = link
        with pytest.raises(ClimateError, match="other files"):
            read(stream.getvalue())


def test_huge_grids_and_chunks_are_refused_before_they_are_read() -> None:
    import h5py

    for shape, chunks, words in (
        ((1 << 20, 1 << 20), (1, 1 << 20), "points"),
        ((1 << 12, 1 << 12), (1 << 12, 1 << 12), None),
        ((1 << 10, 4, 8), (1 << 24, 4, 8), "chunks"),
    ):
        stream = io.BytesIO()
        with h5py.File(stream, "w") as opened:
            maximum = (None, *shape[1:])
            opened.create_dataset("t", shape, "i2", chunks=chunks, maxshape=maximum)
        with pytest.raises(ClimateError, match=words):
            read(stream.getvalue())


def test_older_netcdf_is_named() -> None:
    with pytest.raises(ClimateError, match="NetCDF-3") as caught:
        read(b"CDF\x01" + bytes(100))
    assert caught.value.hint is not None
    assert "nccopy" in caught.value.hint


def test_without_the_libraries_a_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "h5netcdf", None)
    for job in (lambda: read(FILE), lambda: signals.encode(globe(4, 8), ".nc")):
        with pytest.raises(InputError, match="not installed") as caught:
            job()
        assert caught.value.hint == "pip install 'stegfield[media]'"


def test_media_and_suffixes_must_agree() -> None:
    with pytest.raises(ConfigError, match=r"suffix \.png"):
        signals.encode(globe(8, 8), ".png")
    with pytest.raises(ConfigError, match="no image"):
        signals.to_png(globe(8, 8))
    with pytest.raises(ConfigError, match=r"suffix \.nc"):
        signals.encode(signals.waves(8, 8), ".nc")
    with pytest.raises(ConfigError, match="one of them"):
        signals.quality(globe(8, 8), signals.waves(8, 8))


def test_quality_is_told_in_kelvin() -> None:
    field = globe(9, 12)
    levels = signals.to_levels(field)
    shifted = levels.copy()
    shifted[0, 0] += 4
    found = signals.quality(signals.with_levels(field, shifted), field)
    assert isinstance(found, KelvinQuality)
    scale = Packing().scale
    assert found.largest_kelvin == pytest.approx(4 * scale)
    assert found.rmse_kelvin == pytest.approx(4 * scale / math.sqrt(levels.size))
    assert found.psnr_db == pytest.approx(20 * math.log10(160 / found.rmse_kelvin))
    assert signals.quality(field, field).to_json()["psnr_db"] is None


# places


grids = st.tuples(st.integers(2, 30), st.integers(1, 40))


@given(grids)
def test_points_of_the_globe_are_unit_vectors_of_their_latitude_and_longitude(
    size: tuple[int, int],
) -> None:
    rows, columns = size
    latitude = np.radians(np.linspace(90, -90, rows))[:, None]
    longitude = np.radians(np.arange(columns) * 360 / columns)[None]
    expected = np.stack(
        np.broadcast_arrays(
            np.cos(latitude) * np.cos(longitude),
            np.cos(latitude) * np.sin(longitude),
            np.sin(latitude),
        ),
        axis=-1,
    ).reshape(-1, 3)
    at = sphere(size).astype(np.float64)
    assert np.abs(at - expected).max() < 1e-7
    assert np.abs(np.linalg.norm(at, axis=1) - 1).max() < 2e-7


@given(grids)
def test_all_longitudes_of_a_pole_are_one_point(size: tuple[int, int]) -> None:
    at = sphere(size).reshape(*size, 3)
    for row, height in ((0, 1.0), (-1, -1.0)):
        assert (at[row] == [0.0, 0.0, height]).all()


@given(grids, st.integers(1, 4), st.integers(1, 4))
def test_places_that_two_grids_share_are_equal_to_the_bit(
    size: tuple[int, int], down: int, across: int
) -> None:
    rows, columns = size
    finer = ((rows - 1) * down + 1, columns * across)
    coarse, fine = sphere(size).reshape(*size, 3), sphere(finer).reshape(*finer, 3)
    assert np.array_equal(fine[::down, ::across], coarse)


@given(grids, st.integers(1, 50))
def test_chunks_of_the_globe_equal_the_whole(size: tuple[int, int], chunk: int) -> None:
    count = math.prod(size)
    parts = [sphere(size, at, min(at + chunk, count)) for at in range(0, count, chunk)]
    assert np.array_equal(np.concatenate(parts), sphere(size))


def test_a_finer_globe_shows_the_same_function() -> None:
    coarse, fine = globe(10, 15, phase=0.3), globe(19, 45, phase=0.3)
    assert np.array_equal(fine.values[::2, ::3], coarse.values)
    assert np.abs(fine.values).max() <= 1
