"""Pictures for people: labelled rows of images, and magnified differences."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from stegfield.metrics import Samples

MARGIN, CAPTION_HEIGHT, FONT_SIZE = 12, 40, 14
PAPER, INK = (255, 255, 255), (32, 32, 32)


@dataclass(frozen=True, eq=False)
class Tile:
    """An image and up to two lines below it."""

    samples: Samples
    caption: str


def difference(a: Samples, b: Samples, gain: float) -> Samples:
    """Give the absolute difference of two images of one size, ``gain`` times as bright."""
    distance = np.abs(a.astype(np.float64) - b)
    magnified: Samples = np.minimum(distance * gain, 255).round().astype(np.uint8)
    return magnified


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
    stream = io.BytesIO()
    paper.save(stream, "PNG")
    return stream.getvalue()


def _fit_width(samples: Samples, width: int) -> Image.Image:
    image = Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples).convert("RGB")
    height = max(1, round(width * image.height / image.width))
    # blocks when enlarging, so that single pixels can be seen; smooth when shrinking
    kind = Image.Resampling.NEAREST if width > image.width else Image.Resampling.LANCZOS
    return image.resize((width, height), kind)
