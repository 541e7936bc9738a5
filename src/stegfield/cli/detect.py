"""``stegfield detect``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from stegfield.cli.errors import complain, worded
from stegfield.cli.terminal import answer, printable
from stegfield.errors import ConfigError, StegfieldError

if TYPE_CHECKING:
    from stegfield.steganalysis.outliers import CleanFields
    from stegfield.steganalysis.verdict import Verdict

FIELDS = ".safetensors"
Detector = Literal["all", "primary", "pairs", "rs", "chi", "ws", "fusion"]
Judged = tuple[dict[str, Any], list[str]]
"""Figures for programs, and lines for people."""


def detect(
    *files: Path,
    detector: Detector = "all",
    pool: Path | None = None,
    flatten: bool = False,
    json: bool = False,
) -> int:
    """Look for LSB replacement in images, and for secrets in fields, without a key.

    Each detector of images estimates how many bits a sample carry a message. They are made for LSB
    replacement, and hardly see changes up or down by one, such as those of `stegfield embed`.
    Fields are judged by their mantissas, and compared with clean fields if --pool names some. The
    command goes on after a file that cannot be read, and fails at the end.

    Args:
        files: Images: PNG, WebP, BMP or TIFF; or field files. JPEG files cannot be judged.
        detector: For images: primary sets, sample pairs, RS, chi-square, weighted stego, or the
            mean of the first four as in StegExpose. With all, the verdict is that of ws.
        pool: Folder of clean fields to compare fields with, trained as the sender would. A field
            that is in the folder is compared with the others.
        flatten: Put transparent images onto white.
        json: Print the result as JSON.
    """
    if not files:
        raise ConfigError("there is nothing to judge", hint="name an image or a field")
    are_fields = {path.suffix.lower() == FIELDS for path in files}
    if pool is not None and True not in are_fields:
        raise ConfigError("--pool is for fields, and no field was named", hint="leave it out")
    if detector != "all" and False not in are_fields:
        raise ConfigError("--detector is for images, and no image was named", hint="leave it out")
    judge = _judges(detector, pool, flatten=flatten)
    told: dict[str, dict[str, Any]] = {}
    codes: list[int] = []
    for path in files:
        try:
            told[str(path)], lines = judge(path)
        except StegfieldError as error:  # one bad file does not stop the others
            codes.append(error.exit_code)
            text, hint = worded(error)
            told[str(path)] = {"error": text}
            complain(text, hint)
            continue
        for at, line in enumerate([] if json else lines):
            print(printable(f"    {line}" if at else f"{path}: {line}"))  # noqa: T201
    if json:
        answer({"files": told})
    return codes[0] if codes else 0


def _judges(detector: Detector, pool: Path | None, *, flatten: bool) -> Callable[[Path], Judged]:
    from stegfield.steganalysis.outliers import CleanFields

    clean = None if pool is None else CleanFields(pool)
    return lambda path: (
        _field(path, clean)
        if path.suffix.lower() == FIELDS
        else _image(path, detector, flatten=flatten)
    )


def _image(path: Path, detector: Detector, *, flatten: bool) -> Judged:
    from stegfield import signals
    from stegfield.steganalysis.verdict import judge

    verdict = judge(signals.read(path, flatten=flatten), detector)
    lines = [verdict.words] if verdict.suspected is None else [verdict.words, _rates(verdict)]
    return verdict.to_json(), lines


def _field(path: Path, clean: CleanFields | None) -> Judged:
    from stegfield.steganalysis.outliers import judge_field

    verdict = judge_field(path, clean)
    return verdict.to_json(), [verdict.summary]


def _rates(verdict: Verdict) -> str:
    told = (
        f"{name} {'-' if rate is None else f'{max(rate, 0):.2f}'}"
        for name, rate in verdict.rates.items()
    )
    return f"estimated bits a sample: {', '.join(told)}"
