"""Pictures for people: sheets of images, differences, curves and bars."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from stegfield.errors import ConfigError
from stegfield.metrics import Samples

MARGIN, CAPTION_HEIGHT, FONT_SIZE = 12, 40, 14
GAP = 2
PAPER, INK, FAINT = (255, 255, 255), (32, 32, 32), (224, 224, 224)
# colours that can be told apart with every kind of colour vision, in this order (Okabe and Ito)
COLOURS = (
    (0, 114, 178),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (230, 159, 0),
    (0, 0, 0),
    (86, 180, 233),
)
GREY = (120, 120, 120)
CHART_LEFT, CHART_BOTTOM, LEGEND, LINE_HEIGHT = 64, 44, 150, 18
SMOOTH = 3  # lines are drawn larger by this factor, then reduced
LEAST_DECADES = 0.05
LEAST_SHARE = 0.02  # of the greatest value: curves that vary by less are drawn flat
BAR = 0.6  # width of a bar, as a share of its room
USUAL = 90.0  # percentile of the differences that is shown at full brightness
SPARSE = 0.01  # share of pixels that differ; if there are fewer, they are drawn larger
SPREAD = 0.008  # of a heat map's width: how far it is smoothed
HEAT_AT = (0.0, 0.35, 0.7, 1.0)
HEAT_COLOURS = ((0, 0, 0), (170, 20, 40), (255, 190, 40), (255, 255, 255))
SPARE = 0.04  # of the height, above and below all curves


@dataclass(frozen=True, eq=False)
class Tile:
    """An image, and a caption of up to two lines."""

    samples: Samples = field(repr=False)
    caption: str


def difference(a: Samples, b: Samples, gain: float) -> Samples:
    """Return the absolute difference of two images of one size, ``gain`` times as bright."""
    distance = np.abs(a.astype(np.float64) - b)
    magnified: Samples = np.minimum(distance * gain, 255).round().astype(np.uint8)
    return magnified


def difference_tile(
    before: Samples, after: Samples, *, gain: float | None = None, heat_map: bool = False
) -> Tile:
    """Show where two images of one size differ, with what the picture means below it."""
    if np.array_equal(before, after):
        return Tile(changes(before, after)[0], "no sample differs")
    share = f"{100 * np.mean(before != after):.2g} % of the samples differ"
    if heat_map:
        picture, most = heat(before, after)
        return Tile(picture, f"white: {most:.2g} levels on average\n{share}")
    picture, gain = changes(before, after, gain=gain)
    return Tile(picture, f"difference x {gain:g}\n{share}")


def changes(
    before: Samples, after: Samples, *, width: int = 256, gain: float | None = None
) -> tuple[Samples, float]:
    """Show where two images of one size differ, so that single changed pixels are seen.

    The picture is grey: each pixel has the largest difference of any channel. Where it is shrunk,
    each pixel keeps the largest of those that it stands for, and single ones grow to 3x3.

    Args:
        before: The original.
        after: What became of it.
        width: Pixels across, at most; the picture is not enlarged.
        gain: How many times as bright as the difference it is; if left out, one that shows the
            usual changes brightly.

    Returns:
        The picture, and the gain; it is 1 where nothing differs.
    """
    from scipy import ndimage

    found = np.abs(before.astype(np.int16) - after).max(axis=2)
    shown = _largest(found, min(width, found.shape[1]))
    dots = shown[shown > 0]
    if gain is None:
        gain = _round_gain(255 / np.percentile(dots, USUAL)) if dots.size else 1.0
    if shown.shape != found.shape and dots.size < SPARSE * shown.size:
        shown = ndimage.maximum_filter(shown, 3)
    magnified: Samples = np.minimum(shown * gain, 255).round().astype(np.uint8)[..., None]
    return magnified, gain


def heat(before: Samples, after: Samples, *, width: int = 256) -> tuple[Samples, float]:
    """Show where two images of one size differ most, on average over the surroundings.

    Args:
        before: The original.
        after: What became of it.
        width: Pixels across, at most; the picture is not enlarged.

    Returns:
        The picture, from black over red and yellow to white, and how many levels a sample differs
        on average where it is white.
    """
    from scipy import ndimage

    found = np.abs(before.astype(np.int16) - after).mean(axis=2)
    width = min(width, found.shape[1])
    height = max(1, round(width * found.shape[0] / found.shape[1]))
    mean = Image.fromarray(found.astype(np.float32)).resize((width, height), Image.Resampling.BOX)
    smooth = ndimage.gaussian_filter(np.asarray(mean, np.float64), max(1.0, width * SPREAD))
    most = float(smooth.max())
    share = smooth / most if most else smooth
    colours = [np.interp(share, HEAT_AT, channel) for channel in zip(*HEAT_COLOURS, strict=True)]
    drawn: Samples = np.stack(colours, axis=-1).round().astype(np.uint8)
    return drawn, most


def _largest(values: NDArray[Any], width: int) -> NDArray[Any]:
    """Shrink to so many columns; each pixel is the largest of those that it stands for."""
    rows, columns = values.shape
    height = max(1, round(width * rows / columns))
    for axis, (size, whole) in enumerate(((height, rows), (width, columns))):
        values = np.maximum.reduceat(values, np.arange(size) * whole // size, axis=axis)
    return values


def _round_gain(exact: float) -> float:
    """Round down to 1, 2 or 5 times a power of ten, which reads easily; at least 1."""
    power = 10.0 ** math.floor(math.log10(max(exact, 1.0)))
    return max(factor * power for factor in (1, 2, 5) if factor * power <= max(exact, 1.0))


def sheet(rows: Sequence[Sequence[Tile]], *, tile_width: int = 256) -> bytes:
    """Draw rows of tiles with captions, as a PNG; each image keeps its aspect."""
    images = [[_fit_width(tile.samples, tile_width) for tile in row] for row in rows]
    heights = [max(image.height for image in row) + CAPTION_HEIGHT for row in images]
    columns = max(len(row) for row in rows)
    width = MARGIN + columns * (tile_width + MARGIN)
    paper = Image.new("RGB", (width, MARGIN + sum(h + MARGIN for h in heights)), PAPER)
    pen, font = ImageDraw.Draw(paper), ImageFont.load_default(FONT_SIZE)
    top = MARGIN
    for row, pictures, height in zip(rows, images, heights, strict=True):
        left = MARGIN
        for tile, picture in zip(row, pictures, strict=True):
            paper.paste(picture, (left, top))
            pen.text((left, top + picture.height + 4), tile.caption, INK, font)
            left += tile_width + MARGIN
        top += height + MARGIN
    return _png(paper)


def contact_sheet(images: Sequence[Samples], columns: int, *, tile_width: int = 64) -> bytes:
    """Draw images of one size close together, ``columns`` in a row, as a PNG.

    Raises:
        ConfigError: There are no images or no columns, or the images differ in size.
    """
    if not images or columns < 1:
        raise ConfigError(f"a sheet of {len(images)} images in {columns} columns shows nothing")
    if len({image.shape for image in images}) > 1:
        raise ConfigError("the images on a contact sheet differ in size")
    columns = min(columns, len(images))
    pictures = [_fit_width(image, tile_width) for image in images]
    height = pictures[0].height
    rows = math.ceil(len(pictures) / columns)
    size = (GAP + columns * (tile_width + GAP), GAP + rows * (height + GAP))
    paper = Image.new("RGB", size, PAPER)
    for at, picture in enumerate(pictures):
        row, column = divmod(at, columns)
        paper.paste(picture, (GAP + column * (tile_width + GAP), GAP + row * (height + GAP)))
    return _png(paper)


def curves(
    series: Mapping[str, Sequence[tuple[int | float, int | float]]],
    *,
    levels: Mapping[str, int | float] | None = None,
    across: str = "step",
    title: str = "",
    logarithmic: bool = False,
    size: tuple[int, int] = (720, 400),
) -> bytes:
    """Draw curves, and levels to compare them with, as a PNG.

    Args:
        series: Points (across, up) of each curve by its name, from left to right. Points that are
            not finite are left out, as are points not above 0 on a logarithmic scale.
        levels: Heights of dashed lines, by their names.
        across: What the horizontal axis shows.
        title: What the vertical axis shows, written above it.
        logarithmic: Whether the vertical axis is logarithmic.
        size: Width and height in pixels.

    Raises:
        ConfigError: No curve has a point to draw.
    """
    shown = {
        name: [(float(x), float(y)) for x, y in points if _can_be_drawn(x, y, logarithmic)]
        for name, points in series.items()
    }
    straight = {
        name: float(y) for name, y in (levels or {}).items() if _can_be_drawn(0, y, logarithmic)
    }
    every = [point for points in shown.values() for point in points]
    if not every:
        raise ConfigError("no curve has a point to draw")
    font = ImageFont.load_default(FONT_SIZE)
    widest = max(font.getlength(name) for name in (*shown, *straight))
    legend = min(max(LEGEND, math.ceil(widest) + 2 * MARGIN), size[0] // 2)
    box = (CHART_LEFT, MARGIN + LINE_HEIGHT, size[0] - legend, size[1] - CHART_BOTTOM)
    up = _Axis([y for _, y in every] + list(straight.values()), box[3], box[1], logarithmic, SPARE)
    along = _Axis([x for x, _ in every], box[0], box[2])
    # draw lines on a larger picture, then text and marks on the reduced one
    large = Image.new("RGB", (size[0] * SMOOTH, size[1] * SMOOTH), PAPER)
    pen = ImageDraw.Draw(large)

    def line(
        points: Iterable[tuple[int | float, int | float]], colour: tuple[int, ...], width: int
    ) -> None:
        # from the middle of a pixel to the middle of another
        scaled = [(x * SMOOTH + SMOOTH // 2, y * SMOOTH + SMOOTH // 2) for x, y in points]
        pen.line(scaled, colour, round(width * SMOOTH), "curve")

    for y in up.marks:
        line([(box[0], round(up(y))), (box[2], round(up(y)))], FAINT, 1)
    for x in along.marks:
        line([(round(along(x)), box[3]), (round(along(x)), box[3] + 4)], INK, 1)
    for y in straight.values():
        for left in range(box[0], box[2], 8):
            line([(left, round(up(y))), (min(left + 4, box[2]), round(up(y)))], GREY, 1)
    coloured = {name: COLOURS[at % len(COLOURS)] for at, name in enumerate(shown)}
    for name, points in shown.items():
        if not points:
            continue
        line([(along(x), up(y)) for x, y in points], coloured[name], 2)
        for x, y in points[:: max(1, len(points) - 1)]:
            dot = (along(x) * SMOOTH + SMOOTH // 2, up(y) * SMOOTH + SMOOTH // 2)
            pen.circle(dot, 3 * SMOOTH, coloured[name])
    line([(box[0], box[1]), (box[0], box[3]), (box[2], box[3])], INK, 1)
    paper = large.resize(size, Image.Resampling.BOX)

    pen = ImageDraw.Draw(paper)
    pen.text((MARGIN, MARGIN - 4), title, INK, font)
    pen.text(((box[0] + box[2]) / 2, size[1] - LINE_HEIGHT), across, INK, font, anchor="mt")
    for y in up.marks:
        pen.text((box[0] - 6, up(y)), f"{y:g}", INK, font, anchor="rm")
    for x in along.marks:
        pen.text((along(x), box[3] + 8), f"{x:g}", INK, font, anchor="mt")
    ends = [(up(points[-1][1]), name, coloured[name]) for name, points in shown.items() if points]
    ends += [(up(y), name, GREY) for name, y in straight.items()]
    for height, name, colour in _apart(ends, box[1], box[3]):
        pen.text((box[2] + 8, height), name, colour, font, anchor="lm")
    return _png(paper)


def bars(
    heights: Mapping[str, int | float],
    *,
    levels: Mapping[str, int | float] | None = None,
    title: str = "",
    size: tuple[int, int] = (720, 400),
) -> bytes:
    """Draw a bar for each name, up from 0, and levels to compare them with, as a PNG.

    Args:
        heights: Height of each bar by its name, from left to right; nothing below 0.
        levels: Heights of dashed lines, by their names.
        title: What the vertical axis shows, written above it.
        size: Width and height in pixels.

    Raises:
        ConfigError: There are no bars, or a height is below 0 or not finite.
    """
    every = [*heights.values(), *(levels or {}).values()]
    if not heights or not all(math.isfinite(y) and y >= 0 for y in every):
        raise ConfigError("there must be bars, with finite heights of at least 0")
    box = (CHART_LEFT, MARGIN + 2 * LINE_HEIGHT, size[0] - LEGEND, size[1] - CHART_BOTTOM)
    up = _Axis([0.0, *every], box[3], box[1])
    paper = Image.new("RGB", size, PAPER)
    pen, font = ImageDraw.Draw(paper), ImageFont.load_default(FONT_SIZE)
    pen.text((MARGIN, MARGIN - 4), title, INK, font)
    for y in up.marks:
        pen.line([(box[0], round(up(y))), (box[2], round(up(y)))], FAINT)
        pen.text((box[0] - 6, up(y)), f"{y:g}", INK, font, anchor="rm")
    step = (box[2] - box[0]) / len(heights)
    for at, (name, height) in enumerate(heights.items()):
        middle = box[0] + (at + 0.5) * step
        left, right = round(middle - BAR * step / 2), round(middle + BAR * step / 2)
        pen.rectangle([left, round(up(height)), right, box[3]], COLOURS[0])
        pen.text((middle, up(height) - 4), f"{height:.2g}", INK, font, anchor="mb")
        pen.text((middle, box[3] + 6), name, INK, font, anchor="ma")
    for name, y in (levels or {}).items():
        for left in range(box[0], box[2], 8):
            pen.line([(left, round(up(y))), (min(left + 4, box[2]), round(up(y)))], GREY)
        pen.text((box[2] + 8, up(y)), name, GREY, font, anchor="lm")
    pen.line([(box[0], box[1]), (box[0], box[3]), (box[2], box[3])], INK)
    return _png(paper)


class _Axis:
    """An axis: the pixel of each value, and round values to mark."""

    def __init__(
        self,
        values: Sequence[float],
        start: int,
        stop: int,
        logarithmic: bool = False,
        spare: float = 0.0,
    ) -> None:
        self.logarithmic, self.start, self.stop = logarithmic, start, stop
        low, high = self._scale(min(values)), self._scale(max(values))
        share = LEAST_SHARE if spare else 1e-6
        least = LEAST_DECADES if logarithmic else (abs(high) or 1) * share
        room = max((high - low) * spare, (least - (high - low)) / 2, 0)
        self.low, self.high = low - room, high + room
        self.marks = [
            mark
            for mark in (_decades if logarithmic else _steps)(self.low, self.high)
            if self.low <= self._scale(mark) <= self.high
        ]

    def __call__(self, value: float) -> float:
        share = (self._scale(value) - self.low) / (self.high - self.low)
        return self.start + share * (self.stop - self.start)

    def _scale(self, value: float) -> float:
        return math.log10(value) if self.logarithmic else value


def _steps(low: float, high: float) -> list[float]:
    """Return four to ten multiples of 1, 2 or 5 times a power of ten."""
    exact = (high - low) / 8
    power = 10.0 ** math.floor(math.log10(exact))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= exact)
    return [float(at * step) for at in range(math.floor(low / step), math.ceil(high / step) + 1)]


def _decades(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times powers of ten, or even steps in a narrow range."""
    powers = range(math.floor(low), math.ceil(high) + 1)
    marks = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    if sum(10**low <= mark <= 10**high for mark in marks) < 2:
        return _steps(10**low, 10**high)
    return marks if high - low < 4 else [10.0**power for power in powers]


def _apart(
    labels: Sequence[tuple[float, str, tuple[int, int, int]]], highest: int, lowest: int
) -> list[tuple[float, str, tuple[int, int, int]]]:
    """Move labels down, then up, until none overlaps another or leaves the picture."""
    ordered = sorted(labels)
    heights: list[float] = []
    for height, _, _ in ordered:
        heights.append(max(height, heights[-1] + LINE_HEIGHT if heights else float(highest)))
    for at in reversed(range(len(heights))):
        below = heights[at + 1] - LINE_HEIGHT if at + 1 < len(heights) else float(lowest)
        heights[at] = min(heights[at], below)
    return [(height, *label[1:]) for height, label in zip(heights, ordered, strict=True)]


def _can_be_drawn(x: int | float, y: int | float, logarithmic: bool) -> bool:
    return math.isfinite(x) and math.isfinite(y) and (y > 0 or not logarithmic)


def _png(paper: Image.Image) -> bytes:
    stream = io.BytesIO()
    paper.save(stream, "PNG")
    return stream.getvalue()


def _fit_width(samples: Samples, width: int) -> Image.Image:
    image = Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples).convert("RGB")
    height = max(1, round(width * image.height / image.width))
    # nearest neighbours when enlarging, so that single pixels can be seen; smooth when shrinking
    kind = Image.Resampling.NEAREST if width > image.width else Image.Resampling.LANCZOS
    return image.resize((width, height), kind)
