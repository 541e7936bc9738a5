"""What a sender tries a message against: encoders, resizing, and what services do to pictures."""

from __future__ import annotations

from stegfield import channel
from stegfield.channel import Channel, Levels

SAME_SIZE = {
    "JPEG 70": channel.jpeg(70),
    "JPEG 80": channel.jpeg(80),
    "JPEG 90": channel.jpeg(90),
    "WebP 80": channel.webp(80),
}
"""Encoders of images that keep their size."""
LARGE = 2048
"""Pixels of the longer side above which a picture is expected to be reduced on its way."""
COARSE, USUAL, FINE = 5.0, 7.5, 14.0
"""Pixels of the image for each block of a grid from which it survives more."""
SMALLEST = 0.4
"""Share of the longer side that a resize may leave."""


def shown_smaller(side: int, quality: int) -> Channel:
    """Reduce an image to a longer side, and encode it as JPEG."""
    return channel.chain(channel.reduced(side), channel.jpeg(quality))


def channels_for(levels: Levels) -> dict[str, Channel]:
    """Return what a short message in an image should survive."""
    side = max(levels.shape[:2])
    if side > LARGE:
        return {
            "1,600 pixels, JPEG 75": shown_smaller(1600, 75),
            "1,280 pixels, JPEG 70": shown_smaller(1280, 70),
        }
    half = {"half the size, JPEG 70": shown_smaller(side // 2, 70)}
    return {**SAME_SIZE, **(half if side >= 512 else {})}


def hoped_for(levels: Levels, blocks: int) -> list[Channel]:
    """Return what a short message is to survive if that costs little.

    Args:
        levels: The cover.
        blocks: Blocks of the message's grid along the longer side.
    """
    side = max(levels.shape[:2])
    if side > LARGE:
        return [shown_smaller(1280, 70)]
    if side < COARSE * blocks:
        return [channel.jpeg(70), channel.webp(80)]
    if side < USUAL * blocks:
        return [channel.jpeg(50), channel.webp(80)]
    same = [channel.jpeg(50), channel.webp(75)]
    if side < FINE * blocks:
        return same
    size = round(side * SMALLEST)
    smaller = channel.reduced(size), channel.averaged(size)
    return [*same, *(channel.chain(each, channel.jpeg(60)) for each in smaller)]


def promised_for(levels: Levels, blocks: int) -> list[Channel]:
    """Return what a short message must survive, or it is embedded more strongly."""
    side = max(levels.shape[:2])
    if side > LARGE:
        return [shown_smaller(1600, 75), shown_smaller(1280, 70)]
    if side < COARSE * blocks:
        return [channel.jpeg(75)]
    same = [channel.jpeg(70), channel.webp(80)]
    return [*same, shown_smaller(side // 2, 70)] if side >= FINE * blocks else same
