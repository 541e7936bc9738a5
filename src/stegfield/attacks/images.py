"""Changes to stego images on their way: which messages survive, at what PSNR."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from stegfield import channel, fixednet
from stegfield.channel import Channel
from stegfield.errors import UnreadableError
from stegfield.keys import Key
from stegfield.metrics import psnr_db
from stegfield.signals import Signal, from_samples, to_samples


@dataclass(frozen=True, eq=False)
class SentImage:
    """A stego image, its message and the key that extracts it."""

    stego: Signal
    message: bytes
    key: Key


@dataclass(frozen=True)
class ImageChange:
    """One kind of change, at rising levels."""

    title: str
    across: str
    """Name of the levels."""
    levels: tuple[int | float, ...]
    apply: Callable[[int | float], Channel]


CHANGES: Mapping[str, ImageChange] = MappingProxyType(
    {
        "jpeg": ImageChange(
            "JPEG", "quality", (95, 90, 80, 70, 60, 50, 40), lambda q: channel.jpeg(int(q))
        ),
        "webp": ImageChange(
            "WebP", "quality", (95, 90, 80, 70, 60), lambda q: channel.webp(int(q))
        ),
        "noise": ImageChange("noise", "levels", (0.3, 0.5, 1.0, 2.0, 5.0, 8.0), channel.noisy),
        "scaling": ImageChange(
            "scaling and back", "factor", (0.5, 0.75, 0.9, 1.1, 1.5, 2.0), channel.scaled
        ),
        "border": ImageChange(
            "loss of the border", "share of a side left", (0.95, 0.9, 0.8), channel.covered
        ),
        "rounding": ImageChange(
            "coarser levels", "step in levels", (2, 4, 8), lambda step: channel.coarser(int(step))
        ),
        "bit-planes": ImageChange(
            "lowest bit planes put to zero",
            "planes",
            (1, 2, 3),
            lambda planes: channel.without_planes(int(planes)),
        ),
    }
)
"""Changes by the name of their curve."""


@dataclass(frozen=True)
class Survival:
    """How many messages survive one kind of change at one level."""

    level: int | float
    share: float
    """Share of the messages that were extracted bit for bit."""
    psnr_db: float
    """Mean PSNR of the changed images against those that were sent."""


def survival(sent: Sequence[SentImage], change: ImageChange) -> tuple[Survival, ...]:
    """Change images in one way at each of its levels, and extract their messages.

    Example:
        >>> from stegfield import signals
        >>> key = Key.generate()
        >>> stego = fixednet.embed(signals.waves(64, 64), b"noon", key).stego
        >>> sent = [SentImage(stego, b"noon", key)]
        >>> [each.share for each in survival(sent, CHANGES["bit-planes"])]
        [0.0, 0.0, 0.0]
    """
    curve = []
    for level in change.levels:
        send = change.apply(level)
        arrived = [send(to_samples(each.stego)) for each in sent]
        back = [_extracts(from_samples(a), each) for a, each in zip(arrived, sent, strict=True)]
        psnr = [psnr_db(a, to_samples(each.stego)) for a, each in zip(arrived, sent, strict=True)]
        curve.append(Survival(level, sum(back) / len(sent), sum(psnr) / len(sent)))
    return tuple(curve)


def _extracts(arrived: Signal, sent: SentImage) -> bool:
    try:
        return fixednet.extract(arrived, sent.key) == sent.message
    except UnreadableError:
        return False
