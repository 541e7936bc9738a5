"""Registries of what other packages may add to."""

import math
from importlib.metadata import EntryPoint

import pytest

from stegfield.errors import ConfigError, PluginError
from stegfield.registry import Registry

GROUP = "stegfield.tests"


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry[object]:
    """A registry with two objects of ours, and three of a package beside it."""
    brought = [
        EntryPoint("tau", "math:tau", GROUP),
        EntryPoint("pi", "math:tau", GROUP),
        EntryPoint("broken", "no_such_package:thing", GROUP),
        EntryPoint("odd", "math:pow", GROUP),
    ]
    monkeypatch.setattr(
        "stegfield.registry.entry_points", lambda group: brought if group == GROUP else []
    )
    return Registry(GROUP, "number", {"pi": "math:pi", "two": 2.0})


def test_ours_come_first_and_keep_their_names(registry: Registry[object]) -> None:
    assert list(registry) == ["pi", "two", "broken", "odd", "tau"]
    assert len(registry) == 5
    assert registry["pi"] == pytest.approx(3.14159, abs=1e-5)
    assert registry["tau"] == pytest.approx(6.28319, abs=1e-5)


def test_a_broken_plug_in_harms_only_who_asks_for_it(registry: Registry[object]) -> None:
    assert registry["two"] == 2.0
    why = "'broken' of the package no_such_package cannot be imported: ModuleNotFoundError"
    with pytest.raises(PluginError, match=why) as caught:
        registry.find("broken")
    assert caught.value.hint == "update no_such_package, or uninstall it"
    assert list(registry.usable()) == [math.pi, 2.0, math.pow, math.tau]


def test_what_files_know_by_another_name_is_refused(registry: Registry[object]) -> None:
    registry.named_by = "__name__"
    with pytest.raises(PluginError, match="'odd' of the package math calls itself 'pow'"):
        registry.find("odd")


def test_packages_are_not_searched_for_names_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("stegfield.registry.entry_points")
    ours: Registry[object] = Registry(GROUP, "number", {"pi": "math:pi", "two": 2.0})
    assert ours.find("two") == ours["two"] == 2.0
    assert next(ours.usable()) == math.pi
    with pytest.raises(NameError):
        list(ours)


def test_an_unknown_name_is_refused_with_those_that_exist(registry: Registry[object]) -> None:
    with pytest.raises(ConfigError, match="there is no number 'three'") as refused:
        registry.find("three")
    assert refused.value.hint == "try pi, two, broken, odd, tau"
    with pytest.raises(KeyError):
        registry["three"]


def test_an_object_of_this_process_is_added_once(registry: Registry[object]) -> None:
    registry.add("e", 2.718)
    assert registry.find("e") == 2.718
    with pytest.raises(ConfigError, match="there is a number 'e' already"):
        registry.add("e", 0)
