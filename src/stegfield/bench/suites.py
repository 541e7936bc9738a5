"""Suites: TOML files, each of which describes one table or figure.

title = "Quality of two secrets"
source = "StegaINR4MIH, Table 1"        # what the paper's figures below come from
about = "What was run, on which and how many images."
experiment = "hiding"                   # a function of `experiments`

[settings]                              # the same for every job
resolution = 128
[vary]                                  # every combination is a job
dataset = ["div2k", "coco"]
method = ["paper", "ours"]
image = [0, 1, 2]
[[skip]]                                # combinations that make no sense
method = "paper"
dataset = "coco"
[quick]                                 # in place of these, for a first look
settings = { seconds = 5 }
vary = { image = [0] }

[table]
form = "figures"                        # a line for each figure; "benchmarks": one for all of them
rows = ["dataset"]                      # a row for each combination of these settings
columns = "method"                      # and a column for each value; the mean over the rest
order = ["theirs", "paper", "ours"]
ours = "ours"                           # the column that is compared with the others,
beside = ["ours, flat"]                 # but for these
headlines = ["DIV2K"]                   # how the benchmarks begin that README.md shows
[names]                                 # what settings and their values are called in the report
image = "image {}"                      # the value stands in place of {}
div2k = "DIV2K"
[figures.stego_psnr_db]                 # what a row shows of each job
label = "stego, PSNR in dB"             # in benchmarks, the value stands in place of {}
line = ""                               # in benchmarks: what the line is called, if a row has many
unless = ["stego_snr_db"]               # left out where a job has one of these
better = "higher"                       # or "lower"; where neither is, nothing
digits = 2
best = 100                              # beyond this, none counts as better
tie = 0.1                               # what differs by less counts as equal
interval = ["low_db", "high_db"]        # figures that bound it: shown beside it, equal within
[[charts]]                              # a figure over a setting,
x = "share"
y = "stego_psnr_db"
[[charts]]                              # or over the number in the names of figures
x = "share of the weights pruned"
y = "pruning {} stego_psnr_db"
[pictures]                              # which of the jobs' pictures are shown, and what they show;
"images*" = "cover, stego, difference"  # without this, all
[[reported]]                            # what others report, never run here
dataset = "div2k"
method = "theirs"
stego_psnr_db = 45.62
[[targets]]                             # what is to be reached, in benchmarks
dataset = "div2k"
stego_psnr_db = 43
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal, TypeVar, get_type_hints

from stegfield import files
from stegfield.bench.results import Setting
from stegfield.errors import InputError
from stegfield.jobs import Job
from stegfield.toml_files import plain_toml

T = TypeVar("T")
LARGEST_SUITE = 1 << 20
MOST_JOBS = 100_000
OURS = "ours"
HINT = "see the suites that ship with stegfield: `stegfield bench --list`"


@dataclass(frozen=True)
class Figure:
    """A figure that a table shows."""

    label: str
    better: Literal["higher", "lower", ""] = ""
    """Which way is better; empty where neither is."""
    digits: int = 2
    best: int | float | None = None
    """The best value that a figure can have, such as a coin's accuracy: beyond it is chance."""
    tie: float = 0.0
    """Figures that differ by less count as equal."""
    interval: tuple[str, ...] = ()
    """Names of the figures that bound it; values within the bounds of ours count as equal."""
    line: str = ""
    """In benchmarks: name of its line; figures of one name share a line."""
    unless: tuple[str, ...] = ()
    """Names of figures that replace it where a job has them."""


@dataclass(frozen=True)
class TableSpec:
    """The rows and the columns of a table."""

    rows: tuple[str, ...]
    form: Literal["figures", "benchmarks"] = "figures"
    """A line for each figure of a row; or one line for all, with targets beside results."""
    columns: str = "method"
    order: tuple[str, ...] = ()
    ours: str = OURS
    """The column that is compared with the others."""
    beside: tuple[str, ...] = ()
    """Columns that ours is not compared with, besides those whose names begin with its name."""
    headlines: tuple[str, ...] = ()
    """Beginnings of the benchmarks that are among the main figures."""


@dataclass(frozen=True)
class Chart:
    """A figure over a setting, one curve for each combination of some others."""

    x: str
    """A setting; or any words, if ``y`` has a gap."""
    y: str
    """A figure; a gap {} stands for a number in the names of several, drawn on the x axis."""
    by: tuple[str, ...] = ("method",)
    title: str = ""
    logarithmic: bool = False


@dataclass(frozen=True)
class Suite:
    """One table or figure: its jobs, and how they are shown."""

    name: str
    title: str
    source: str
    about: str
    experiment: str
    settings: Mapping[str, Setting]
    vary: Mapping[str, tuple[Setting, ...]]
    skip: tuple[Mapping[str, Setting], ...]
    quick_settings: Mapping[str, Setting]
    quick_vary: Mapping[str, tuple[Setting, ...]]
    table: TableSpec
    figures: Mapping[str, Figure]
    charts: tuple[Chart, ...]
    names: Mapping[str, str]
    pictures: Mapping[str, str] | None
    """What pictures show, by patterns of their names; None shows all."""
    reported: tuple[Mapping[str, Setting], ...]
    targets: tuple[Mapping[str, Setting], ...]

    def settings_of(
        self, *, quick: bool
    ) -> tuple[dict[str, Setting], dict[str, tuple[Setting, ...]]]:
        """Return the settings that are the same for all jobs, and those that vary."""
        fixed, varied = dict(self.settings), dict(self.vary)
        if quick:
            fixed |= self.quick_settings
            varied |= self.quick_vary
        return {k: v for k, v in fixed.items() if k not in varied}, varied

    def jobs(self, *, quick: bool = False) -> list[Job]:
        """Return a job for every combination of the settings, without those to skip."""
        fixed, varied = self.settings_of(quick=quick)
        combinations = (
            fixed | dict(zip(varied, values, strict=True))
            for values in itertools.product(*varied.values())
        )
        return [
            Job(self.experiment, settings)
            for settings in combinations
            if not any(entry.items() <= settings.items() for entry in self.skip)
        ]


def shipped() -> list[str]:
    """Return the names of the suites that ship with the package, in the order of the report."""
    folder = resources.files("stegfield.bench") / "suites"
    names = (entry.name for entry in folder.iterdir() if ".toml" in entry.name)
    return sorted((name.removesuffix(".toml") for name in names), key=_in_order)


def _in_order(name: str) -> list[int | str]:
    """Split a name so that numbers sort by value: mih-9 comes before mih-10."""
    return [int(part) if part.isdecimal() else part for part in re.split("([0-9]+)", name)]


def load(name: str) -> Suite:
    """Read a suite that ships with the package, or a file.

    Raises:
        InputError: No suite has this name, or the file is not a suite.
    """
    if name in shipped():
        text = (resources.files("stegfield.bench") / "suites" / f"{name}.toml").read_text("utf-8")
        return parse(text, name)
    if not name.endswith(".toml"):
        raise InputError(
            f"there is no suite {name}", hint=f"name a .toml file, or one of {', '.join(shipped())}"
        )
    path = Path(name)
    try:
        text = files.read_bounded(path, LARGEST_SUITE).decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{name} is not a suite: it is not text", hint=HINT) from None
    return parse(text, path.stem)


def parse(text: str, name: str) -> Suite:
    """Read a suite from its text.

    Raises:
        InputError: The text is not a suite.
    """
    try:
        entries = plain_toml(text)
    except ValueError as error:
        raise InputError(f"suite {name} is not TOML: {error}", hint=HINT) from None
    try:
        quick = _taken(entries, "quick", {})
        suite = Suite(
            name=name,
            title=_text(entries.pop("title")),
            source=_text(entries.pop("source", "")),
            about=_text(entries.pop("about", "")),
            experiment=_text(entries.pop("experiment")),
            settings=_settings(entries.pop("settings", {})),
            vary=_varied(entries.pop("vary", {})),
            skip=tuple(_settings(entry) for entry in entries.pop("skip", [])),
            quick_settings=_settings(quick.pop("settings", {})),
            quick_vary=_varied(quick.pop("vary", {})),
            table=_table(_taken(entries, "table", {})),
            figures={k: _figure(v) for k, v in _taken(entries, "figures", {}).items()},
            charts=tuple(_built(Chart, dict(chart)) for chart in entries.pop("charts", [])),
            names=_texts(_taken(entries, "names", {})),
            pictures=_texts(_taken(entries, "pictures", {})) if "pictures" in entries else None,
            reported=tuple(_settings(entry) for entry in entries.pop("reported", [])),
            targets=tuple(_settings(entry) for entry in entries.pop("targets", [])),
        )
    except KeyError as error:
        raise InputError(f"suite {name} has no {error.args[0]}", hint=HINT) from None
    except (TypeError, ValueError, AttributeError) as error:
        raise InputError(f"suite {name} is not a suite: {error}", hint=HINT) from None
    if unknown := [*entries, *quick]:
        raise InputError(f"suite {name} has an unknown entry: {unknown[0]}", hint=HINT)
    count = 1
    for values in suite.vary.values():
        count *= len(values)
    if not 0 < count <= MOST_JOBS:
        raise InputError(
            f"suite {name} has {count:,} jobs", hint=f"a suite has 1 to {MOST_JOBS:,} jobs"
        )
    return suite


def _taken(entries: dict[str, Any], name: str, default: dict[str, Any]) -> dict[str, Any]:
    found = entries.pop(name, default)
    if not isinstance(found, dict):
        raise TypeError(f"{name} is not a table")
    return dict(found)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def _texts(entries: Mapping[str, Any]) -> dict[str, str]:
    return {name: _text(value) for name, value in entries.items()}


def _settings(entries: Mapping[str, Any]) -> dict[str, Setting]:
    return {name: _setting(value) for name, value in entries.items()}


def _varied(entries: Mapping[str, Any]) -> dict[str, tuple[Setting, ...]]:
    if not all(isinstance(values, list) for values in entries.values()):
        raise TypeError("what varies is a list of values")
    return {name: tuple(map(_setting, values)) for name, values in entries.items()}


def _setting(value: Any) -> Setting:
    if not isinstance(value, str | int | float | bool) or (
        isinstance(value, float) and not math.isfinite(value)
    ):
        raise TypeError(f"{value!r} is not a finite number, text, true or false")
    return value


def _figure(entries: Mapping[str, Any]) -> Figure:
    figure = _built(Figure, entries)
    if figure.better not in ("higher", "lower", ""):
        raise TypeError(f"better is higher or lower, not {figure.better}")
    if figure.interval and len(figure.interval) != len(("low", "high")):
        raise TypeError("an interval has two figures")
    return figure


def _table(entries: Mapping[str, Any]) -> TableSpec:
    table = _built(TableSpec, entries)
    if table.form not in ("figures", "benchmarks"):
        raise TypeError(f"form is figures or benchmarks, not {table.form}")
    return table


def _built(kind: Callable[..., T], entries: Mapping[str, Any]) -> T:
    """Make a part of a suite, after a check that its entries have the declared types."""
    types = get_type_hints(kind)
    for name, value in entries.items():
        match types.get(name):
            case expected if expected == tuple[str, ...]:
                right = isinstance(value, list) and all(isinstance(each, str) for each in value)
            case expected if expected in (int, bool):
                right = type(value) is expected
            case expected if expected in (float, int | float | None):
                right = type(_setting(value)) in (int, float)
            case _:  # text, or an unknown name, which is refused below
                right = isinstance(value, str)
        if not right:
            raise TypeError(f"{name} cannot be {value!r}")
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in entries.items()})
