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


def hardest_for(levels: Levels) -> dict[str, Channel]:
    """Return what decides whether a short message is embedded more strongly."""
    side = max(levels.shape[:2])
    if side > LARGE:
        return {"1,280 pixels, JPEG 70": shown_smaller(1280, 70)}
    same = {"JPEG 50": channel.jpeg(50), "WebP 75": channel.webp(75)}
    small = {"two fifths of the size, JPEG 60": shown_smaller(2 * side // 5, 60)}
    return {**same, **(small if side >= 512 else {})}
