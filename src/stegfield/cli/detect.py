"""``stegfield detect``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stegfield.cli.terminal import answer
from stegfield.errors import ConfigError, InputError

if TYPE_CHECKING:
    from stegfield.steganalysis.verdict import Verdict

FIELDS = ".safetensors"


def detect(
    *files: Path,
    detector: Literal["all", "primary", "pairs", "rs", "chi", "ws", "fusion"] = "all",
    flatten: bool = False,
    json: bool = False,
) -> None:
    """Look for LSB replacement in images, as who has no key can, and tell how far to trust that.

    Each detector estimates how many bits a sample carry a message. They are made for messages in
    lowest bits; changes up or down by one, such as those of `stegfield embed`, they hardly see.

    Args:
        files: Images: PNG, WebP, BMP or TIFF. Of JPEG it is only told why they cannot be judged.
        detector: Primary sets, sample pairs, RS, chi-square, weighted stego, or the mean of the
            first four as StegExpose takes it. The verdict of all is that of ws.
        flatten: Put transparent images onto white.
        json: Print as JSON.
    """
    from stegfield import signals
    from stegfield.steganalysis.verdict import judge

    if not files:
        raise ConfigError("there is nothing to judge", hint="name an image")
    for path in files:
        if path.suffix.lower() == FIELDS:
            raise InputError(
                f"{path} is a field, whose weights this version has no detector for",
                hint="`stegfield render` shows a field; an image of it can be judged",
            )
    verdicts = {str(path): judge(signals.read(path, flatten=flatten), detector) for path in files}
    if json:
        answer({"files": {name: verdict.to_json() for name, verdict in verdicts.items()}})
        return
    for name, verdict in verdicts.items():
        print(f"{name}: {verdict.words}")  # noqa: T201
        if verdict.suspected is not None:
            print(f"    {_rates(verdict)}")  # noqa: T201


def _rates(verdict: Verdict) -> str:
    told = (
        f"{name} {'-' if rate is None else f'{max(rate, 0):.2f}'}"
        for name, rate in verdict.rates.items()
    )
    return f"estimated bits a sample: {', '.join(told)}"
