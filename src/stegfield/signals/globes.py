"""Pictures of climate fields: the globe from two sides, and the whole of it as a map."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from stegfield.errors import ConfigError
from stegfield.metrics import Samples
from stegfield.signals.packing import to_kelvin
from stegfield.signals.signal import Signal

PAPER, INK, PALE_INK = (255, 255, 255), (40, 44, 52), (120, 126, 136)
COLOURS = (
    (0.00, (24, 28, 84)),
    (0.14, (32, 74, 156)),
    (0.30, (66, 146, 198)),
    (0.44, (158, 206, 226)),
    (0.54, (244, 240, 224)),
    (0.66, (250, 200, 128)),
    (0.80, (232, 120, 62)),
    (0.92, (186, 38, 42)),
    (1.00, (110, 6, 34)),
)
"""From cold to warm, lightest in the middle; colours between two are mixed."""
FINER = 3
"""Pixels drawn for each pixel of the picture, along both axes: edges come out smooth."""
GRATICULE = 30
"""Degrees between the lines."""
LINE = (20, 24, 32, 70)
SHADE = 0.22
"""How much darker the rim of the globe is than its middle."""
TILT = 20.0
"""Latitude in the middle of the left view, north; of the right one, south."""
BAR_STEPS = (1, 2, 5, 10, 20, 50)


def globe(
    field: Signal,
    *,
    width: int = 960,
    centre: float = 10.0,
    between: tuple[float, float] | None = None,
) -> Samples:
    """Draw the globe from two opposite sides, so that all of it is seen, with a bar of colours.

    Args:
        field: A climate field.
        width: Of the picture, in pixels.
        centre: The longitude in the middle of the left view.
        between: The coldest and the warmest temperature of the colours, in kelvin [default: those
            of the field]. With the same two, several fields can be compared.

    Raises:
        ConfigError: The signal is no climate field.
    """
    kelvin = _kelvin(field)
    low, high = _between(kelvin, between)
    margin = width // 40
    side = (width - 3 * margin) // 2
    bar = _bar(width - 2 * margin, low, high)
    paper = Image.new("RGB", (width, side + 3 * margin + bar.height), PAPER)
    for place, (latitude, longitude) in enumerate(((TILT, centre), (-TILT, centre + 180))):
        view = _view(kelvin, side, (latitude, longitude), low, high)
        paper.paste(view, (margin + place * (side + margin), margin), view)
    paper.paste(bar, (margin, side + 2 * margin))
    return np.asarray(paper)


def world(
    field: Signal, *, width: int = 960, between: tuple[float, float] | None = None
) -> Samples:
    """Draw a map, 0 degrees in the middle, latitudes and longitudes evenly spaced.

    Args:
        field: A climate field.
        width: Of the picture, in pixels.
        between: As in `globe`.

    Raises:
        ConfigError: The signal is no climate field.
    """
    kelvin = _kelvin(field)
    low, high = _between(kelvin, between)
    margin = width // 40
    columns = width - 2 * margin
    rows = columns // 2
    latitude = 90 - 180 * (np.arange(rows) + 0.5) / rows
    longitude = 360 * (np.arange(columns) + 0.5) / columns - 180
    shown = _colour(_sample(kelvin, latitude[:, None], longitude[None]), low, high)
    chart = Image.fromarray(shown.round().astype(np.uint8))
    pen = ImageDraw.Draw(chart, "RGBA")
    for degrees in range(GRATICULE, 360, GRATICULE):
        pen.line([(degrees * columns / 360, 0), (degrees * columns / 360, rows)], LINE)
        if degrees < 180:
            pen.line([(0, degrees * rows / 180), (columns, degrees * rows / 180)], LINE)
    bar = _bar(columns, low, high)
    paper = Image.new("RGB", (width, rows + 3 * margin + bar.height), PAPER)
    paper.paste(chart, (margin, margin))
    paper.paste(bar, (margin, rows + 2 * margin))
    return np.asarray(paper)


def _kelvin(field: Signal) -> Float[np.ndarray, "rows columns"]:
    if not field.medium.on_globe:
        raise ConfigError(f"a globe shows a climate field, not {field.medium.noun}")
    return to_kelvin(field.values)[..., 0]


def _between(
    kelvin: NDArray[np.float64], between: tuple[float, float] | None
) -> tuple[float, float]:
    low, high = (float(kelvin.min()), float(kelvin.max())) if between is None else between
    return low, max(high, low + 1e-6)  # a field may be of one temperature


def _colour(kelvin: NDArray[np.float64], low: float, high: float) -> Float[np.ndarray, "*size 3"]:
    """Return the colours of temperatures, from 0 to 255."""
    share = (kelvin - low) / (high - low)
    places, colours = [place for place, _ in COLOURS], np.array([c for _, c in COLOURS])
    return np.stack([np.interp(share, places, channel) for channel in colours.T], axis=-1)


def _sample(
    kelvin: NDArray[np.float64], latitude: NDArray[np.float64], longitude: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Read a field at any places in degrees, linearly between its points."""
    rows, columns = kelvin.shape
    row = np.clip((90 - latitude) / 180 * (rows - 1), 0, rows - 1)
    column = longitude / 360 * columns
    above, left = np.floor(row).astype(int), np.floor(column).astype(int)
    below, right = np.minimum(above + 1, rows - 1), left + 1
    down, across = row - above, column - left
    left, right = left % columns, right % columns
    upper = kelvin[above, left] * (1 - across) + kelvin[above, right] * across
    lower = kelvin[below, left] * (1 - across) + kelvin[below, right] * across
    seen: NDArray[np.float64] = upper * (1 - down) + lower * down
    return seen


def _view(
    kelvin: NDArray[np.float64], side: int, middle: tuple[float, float], low: float, high: float
) -> Image.Image:
    """Draw the globe as seen from far above a place, with transparency around it."""
    size = FINER * side
    at = (2 * np.arange(size) + 1) / size - 1
    x, y = np.meshgrid(at, -at)
    squared = x**2 + y**2
    towards = np.sqrt(np.clip(1 - squared, 0, 1))
    tilt, longitude = np.radians(middle[0]), middle[1]
    north = np.clip(y * np.cos(tilt) + towards * np.sin(tilt), -1, 1)
    front = towards * np.cos(tilt) - y * np.sin(tilt)
    places = np.degrees(np.arcsin(north)), longitude + np.degrees(np.arctan2(x, front))
    colours = _colour(_sample(kelvin, *places), low, high)
    colours *= (1 - SHADE * (1 - towards) ** 2)[..., None]
    inside = np.where(squared <= 1, 255, 0)[..., None]
    drawn = np.concatenate([colours, inside], axis=-1).round().astype(np.uint8)
    view = Image.fromarray(drawn)
    lines = Image.new("RGBA", view.size)
    pen = ImageDraw.Draw(lines)
    for line in _graticule(longitude, tilt):
        pen.line([((1 + u) * size / 2, (1 - v) * size / 2) for u, v in line], LINE, FINER)
    pen.ellipse((0, 0, size - 1, size - 1), outline=(*INK, 160), width=FINER)
    view.alpha_composite(lines)
    return view.resize((side, side), Image.Resampling.BOX)


def _graticule(longitude: float, tilt: float) -> Iterable[list[tuple[float, float]]]:
    """Return the visible stretches of parallels and meridians, each as points of a view."""
    fine = np.arange(0, 361, 2)
    tops = [(np.full_like(fine, parallel), fine) for parallel in range(-60, 90, GRATICULE)]
    turns = [
        (np.arange(-90, 91, 2), np.full(91, meridian)) for meridian in range(0, 360, GRATICULE)
    ]
    for latitude, east in tops + turns:
        phi, turn = np.radians(latitude), np.radians(east - longitude)
        x, ahead = np.cos(phi) * np.sin(turn), np.cos(phi) * np.cos(turn)
        y = np.sin(phi) * np.cos(tilt) - ahead * np.sin(tilt)
        towards = np.sin(phi) * np.sin(tilt) + ahead * np.cos(tilt)
        stretch: list[tuple[float, float]] = []
        for u, v, visible in zip(x.tolist(), y.tolist(), (towards > 0).tolist(), strict=True):
            if visible:
                stretch.append((u, v))
            elif stretch:
                yield stretch
                stretch = []
        if stretch:
            yield stretch


def _bar(width: int, low: float, high: float) -> Image.Image:
    """Draw the colours with a few temperatures below them."""
    thickness, size = max(8, width // 70), max(11, width // 60)
    font = ImageFont.load_default(size)
    bar = Image.new("RGB", (width, thickness + 2 * size), PAPER)
    colours = _colour(np.linspace(low, high, width)[None], low, high).round().astype(np.uint8)
    bar.paste(Image.fromarray(np.repeat(colours, thickness, axis=0)), (0, 0))
    pen = ImageDraw.Draw(bar)
    top = thickness + size // 3
    first, last = f"{low:.1f} K", f"{high:.1f} K"
    pen.text((0, top), first, INK, font)
    pen.text((width - pen.textlength(last, font), top), last, INK, font)
    step = next((s for s in BAR_STEPS if (high - low) / s <= 8), BAR_STEPS[-1])
    room = pen.textlength(first, font) * 1.3, width - pen.textlength(last, font) * 1.3
    for kelvin in range(int(low // step + 1) * step, int(np.ceil(high)), step):
        place = (kelvin - low) / (high - low) * width
        half = pen.textlength(str(kelvin), font) / 2
        pen.line([(place, thickness), (place, thickness + size // 4)], PALE_INK)
        if room[0] < place - half and place + half < room[1]:
            pen.text((place - half, top), str(kelvin), PALE_INK, font)
    return bar
