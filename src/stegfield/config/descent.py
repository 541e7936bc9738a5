"""Settings of the paper's solver."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from stegfield.config.settings import Range, Settings
from stegfield.errors import ConfigError, Wording

LARGEST_NETWORKS = 10
"""Fixed networks that a receiver tries; a message for another would not be found."""
EPS = Range(1 / 255, 1, words="from 1/255 to 1", hint="1/255 is one step of an 8-bit image")


@dataclass(frozen=True, kw_only=True)
class DescentConfig(Settings):
    """How the paper's solver changes an image until a fixed network reads the message."""

    eps: Annotated[float, EPS] = 0.3
    """Largest change of any value, on the image's scale of 0 to 1."""

    learning_rate: Annotated[float, Range(0, above=True)] = 0.1
    """Length of an L-BFGS step."""

    inner: Annotated[int, Range(1)] = 10
    """L-BFGS iterations between two restarts."""

    restarts: Annotated[int, Range(1)] = 100
    """Restarts before giving up; the image is put back within its bounds after each."""

    repair: Annotated[int, Range(0)] = 400
    """Steps of half an 8-bit level after that, to correct wrong bits; 0 as in the paper."""

    networks: Annotated[int, Range(1, LARGEST_NETWORKS)] = 10
    """Fixed networks to try, while bits stay wrong or the PSNR is below 20 dB."""

    weights: Path | None = None
    """A released SteganoGAN to use in place of the key's networks: a safetensors file, with its
    JSON description in the same folder. The receiver needs it too."""

    start: Literal["cover", "noise", "encoder"] = "cover"
    """Where a descent begins; noise makes it FNNS-D, the image of SteganoGAN's encoder FNNS-DE."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.start == "encoder" and self.weights is None:
            raise ConfigError(
                Wording("{start:encoder} needs a network that has an encoder"),
                hint=Wording("name a released SteganoGAN with {weights}"),
            )
