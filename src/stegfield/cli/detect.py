"""``stegfield detect``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stegfield.cli.errors import complain, worded
from stegfield.cli.signal_files import read_signal
from stegfield.cli.streams import check_stdin, is_stream, name_of
from stegfield.cli.terminal import answer, printable
from stegfield.errors import ConfigError, StegfieldError

if TYPE_CHECKING:
    from stegfield.fields import Field
    from stegfield.signals import Signal
    from stegfield.steganalysis.detectors import ScoreVerdict
    from stegfield.steganalysis.outliers import CleanFields
    from stegfield.steganalysis.verdict import Verdict

FIELDS, ALL = ".safetensors", "all"
Judged = tuple[dict[str, Any], list[str]]
"""Figures for programs, and lines for people."""


def detect(
    *files: Path,
    detector: str = ALL,
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
        files: Images: PNG, WebP, BMP or TIFF; of JPEG it is only told why they cannot be judged.
            Or field files, or what detectors of other packages judge. - is a signal on stdin.
        detector: For images primary, pairs, rs, chi, ws or fusion: primary sets, sample pairs, RS,
            chi-square, weighted stego, or the mean of the first four as StegExpose takes it. For
            fields mantissas. Or one of another package. The verdict of all on images is that of ws.
        pool: Folder of clean fields to compare fields with, as their sender would train them. A
            field that lies there itself is compared with the others.
        flatten: Put transparent images onto white.
        json: Print the result as JSON.
    """
    if not files:
        raise ConfigError("there is nothing to judge", hint="name an image or a field")
    are_fields = {path.suffix.lower() == FIELDS for path in files}
    if pool is not None and True not in are_fields:
        raise ConfigError("--pool is for fields, and no field was named", hint="leave it out")
    check_stdin(picture=next(filter(is_stream, files), None))
    _check_detector(detector, are_fields)
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
            print(printable(f"    {line}" if at else f"{name_of(path)}: {line}"))  # noqa: T201
    if json:
        answer({"files": told})
    return codes[0] if codes else 0


def _check_detector(detector: str, are_fields: set[bool]) -> None:
    from stegfield.steganalysis.detectors import DETECTORS, FIELD

    if detector != ALL and (DETECTORS.find(detector).judges == FIELD) not in are_fields:
        kind = DETECTORS[detector].judges
        raise ConfigError(
            f"--detector {detector} is for {kind}s, and there is none to judge",
            hint="leave it out",
        )


def _judges(detector: str, pool: Path | None, *, flatten: bool) -> Callable[[Path], Judged]:
    from stegfield.steganalysis.outliers import CleanFields

    clean = None if pool is None else CleanFields(pool)
    return lambda path: (
        _field(path, detector, clean)
        if path.suffix.lower() == FIELDS
        else _signal(path, detector, flatten=flatten)
    )


def _signal(path: Path, detector: str, *, flatten: bool) -> Judged:
    from stegfield import signals
    from stegfield.steganalysis import lsb
    from stegfield.steganalysis.detectors import DETECTORS
    from stegfield.steganalysis.verdict import judge

    signal = read_signal(path, flatten=flatten)
    medium = signal.medium.name
    if detector not in (ALL, *lsb.DETECTORS) and DETECTORS[detector].judges == medium:
        return _scored(detector, signal)
    beside = _beside(medium, lambda: signal) if detector == ALL else {}
    if beside and signal.medium is not signals.IMAGE:
        return {"scores": _plain(beside)}, [each.words for each in beside.values()]
    verdict = judge(signal, detector if detector in lsb.DETECTORS else ALL)
    lines = [verdict.words] if verdict.suspected is None else [verdict.words, _rates(verdict)]
    return _with_scores(verdict.to_json(), lines, beside)


def _field(path: Path, detector: str, clean: CleanFields | None) -> Judged:
    from stegfield import fields
    from stegfield.steganalysis.detectors import DETECTORS, FIELD
    from stegfield.steganalysis.outliers import judge_field

    if detector != ALL and DETECTORS[detector].judges == FIELD:
        return _scored(detector, fields.load(path))
    verdict = judge_field(path, clean)
    beside = _beside(FIELD, lambda: fields.load(path)) if detector == ALL else {}
    return _with_scores(verdict.to_json(), [verdict.summary], beside)


def _scored(detector: str, what: Signal | Field) -> Judged:
    from stegfield.steganalysis.detectors import DETECTORS

    verdict = DETECTORS[detector].judge(detector, what)
    return verdict.to_json(), [verdict.words]


def _beside(judges: str, load: Callable[[], Signal | Field]) -> dict[str, ScoreVerdict]:
    """Judge by the detectors of other packages as well; without any, nothing is loaded."""
    from stegfield.steganalysis.detectors import others

    return {name: detector.judge(name, load()) for name, detector in others(judges)}


def _with_scores(
    facts: dict[str, Any], lines: list[str], beside: dict[str, ScoreVerdict]
) -> Judged:
    scores = {"scores": _plain(beside)} if beside else {}
    return facts | scores, [*lines, *(each.words for each in beside.values())]


def _plain(verdicts: dict[str, ScoreVerdict]) -> dict[str, Any]:
    return {name: verdict.to_json() for name, verdict in verdicts.items()}


def _rates(verdict: Verdict) -> str:
    from stegfield.steganalysis import lsb

    told = (
        f"{name} {'-' if rate is None else f'{max(rate, 0):.2f}'}"
        for name, rate in verdict.rates.items()
    )
    return (
        "estimated share of samples with a message, 0 to 1 by each detector, suspected from "
        f"{lsb.THRESHOLD:g} on: {', '.join(told)}"
    )
