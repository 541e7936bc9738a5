"""Settings: ranges that are declared once, and what is said where a value is outside."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import pytest

from stegfield.config import (
    AppConfig,
    AttackConfig,
    DescentConfig,
    EmbedConfig,
    FitConfig,
    GanConfig,
    HideConfig,
    Range,
    changed,
    gan_config,
)
from stegfield.config.settings import checked, declarations
from stegfield.errors import ConfigError

KINDS: list[type] = [
    AppConfig,
    AttackConfig,
    DescentConfig,
    EmbedConfig,
    FitConfig,
    GanConfig,
    HideConfig,
]
DECLARED = [(kind, name, each) for kind in KINDS for name, each in declarations(kind).items()]
RANGED = [(kind, name, each) for kind, name, each in DECLARED if each.range is not None]
SMALLEST = math.ulp(0.0)


@pytest.mark.parametrize(("kind", "name", "declared"), DECLARED)
def test_numbers_have_a_range_and_defaults_are_in_it(kind: type, name: str, declared: Any) -> None:
    default = getattr(kind(), name)
    if declared.kind in (int, float):
        assert declared.range is not None
        assert default is None or default in declared.range
    assert checked(kind, {name: default}) == {name: default}


@pytest.mark.parametrize(("kind", "name", "declared"), RANGED)
def test_what_is_outside_of_a_range_is_refused_and_its_ends_are_not(
    kind: type, name: str, declared: Any
) -> None:
    allowed = declared.range
    least = max(allowed.low, SMALLEST) if allowed.above else allowed.low
    if declared.kind is int:
        least = math.ceil(least)
    top = int(allowed.high) if declared.kind is int else allowed.high
    for inside in (least, top):
        assert checked(kind, {name: inside}) == {name: inside}
    below = allowed.low if allowed.above else math.nextafter(allowed.low, -math.inf)
    above = 1 << 2000 if allowed.high == sys.float_info.max else top + 1
    wrong = [-1 if declared.kind is int else below, above]
    wrong += [math.nan, math.inf] if declared.kind is float else []
    for value in wrong:
        if value in allowed:  # -1 of a range that begins lower
            continue
        with pytest.raises(ConfigError) as caught:
            checked(kind, {name: value})
        assert str(caught.value) == f"{kind.__name__}({name}=...) must be {allowed}, got {value}"


@pytest.mark.parametrize(
    ("allowed", "words"),
    [
        (Range(1), "at least 1"),
        (Range(0, above=True), "above 0"),
        (Range(2, 65_536), "from 2 to 65,536"),
        (Range(0, 6, above=True), "above 0 and at most 6"),
        (Range(0.01, 1), "from 0.01 to 1"),
        (Range(1 / 255, 1, words="from 1/255 to 1"), "from 1/255 to 1"),
    ],
)
def test_a_range_is_said_in_words(allowed: Range, words: str) -> None:
    assert str(allowed) == words


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (FitConfig, {"steps": 2.5}, "FitConfig(steps=...) must be a whole number, got 2.5"),
        (FitConfig, {"steps": True}, "FitConfig(steps=...) must be a whole number, got True"),
        (FitConfig, {"decay": "3"}, "FitConfig(decay=...) must be a number, got '3'"),
        (FitConfig, {"decay": None}, "FitConfig(decay=...) must be a number, got None"),
        (FitConfig, {"robust": 1}, "FitConfig(robust=...) must be true or false, got 1"),
        (GanConfig, {"hidden": 256}, "GanConfig(hidden=...) must be text, got 256"),
        (FitConfig, {"loss": "l3"}, "FitConfig(loss=...) must be l2 or l1, got 'l3'"),
        (FitConfig, {"speed": 3}, "there is no setting speed"),
    ],
)
def test_values_of_another_type_are_refused(
    kind: type, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        checked(kind, values)
    assert str(caught.value) == message


def test_old_names_are_refused_with_the_new_one() -> None:
    with pytest.raises(ConfigError) as caught:
        checked(EmbedConfig, {"span": 8})
    assert caught.value.hint == "it is called constraint_height=... now"


def test_whole_numbers_of_a_file_become_floats_where_floats_are_meant() -> None:
    config = gan_config({"r1": 1, "steps": 5, "max_seconds": 60})
    assert [type(each) for each in (config.r1, config.steps, config.max_seconds)] == [
        float,
        int,
        float,
    ]


def test_what_was_changed_is_named() -> None:
    assert changed(EmbedConfig()) == []
    assert changed(EmbedConfig(flat=True, bpp=1.0)) == ["bpp", "flat"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden": "256;512"}, "GanConfig(hidden=...) is written like 256,512, got '256;512'"),
        ({"hidden": "0"}, "GanConfig(hidden=...) must be from 1 to 65,536, got 0"),
        ({"hidden": ",".join("8" * 17)}, "GanConfig(hidden=...) must be at most 16 layers, got 17"),
        ({"grow": "16"}, "GanConfig(grow=...) is written like 16:2000,32:20000, got '16'"),
        ({"grow": "64:9"}, "GanConfig(grow=...) must name rising sizes below 64"),
        (
            {"size": 24},
            "GanConfig(size=...) and the sizes of GanConfig(grow=...) must be powers of two from "
            "8, got 24",
        ),
    ],
)
def test_sizes_that_no_generator_has_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        GanConfig(**settings)
    assert str(caught.value) == message


def test_nothing_heavy_is_imported_for_settings() -> None:
    code = "import sys, stegfield.config; print({'numpy', 'torch', 'rich'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
