"""Help: commands by what people want to do, and the range of every setting."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from stegfield import cli
from stegfield.cli import GROUPS


def shown(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Give a help text in one line."""
    capsys.readouterr()
    assert cli.run([*arguments, "--help"]) == 0
    return " ".join(re.sub("[│╭╮╰╯─]", " ", capsys.readouterr().out).split())


def test_commands_are_grouped(capsys: pytest.CaptureFixture[str]) -> None:
    told = shown([], capsys)
    places = [told.index(f" {title} ") for title in (*GROUPS, "More")]
    assert places == sorted(places)
    assert list(GROUPS) == ["Hide", "Embed", "Generate", "Judge", "Experiments", "Keys"]


@pytest.mark.parametrize(
    ("command", "setting"),
    [
        ("fit", r"--steps .*to plan for\. \[at least 1\]"),
        ("hide", r"that are slots .*\[between 0 and 1\]"),
        ("embed", r"--constraint-height .*\[from 6 to 14\] \[default: 10\]"),
        ("embed", r"--eps .*\[from 1/255 to 1\] \[default: 0\.3\]"),
        ("train", r"--batch .*\[from 2 to 65,536\] \[default: 64\]"),
        ("attack", r"--keys .*\[at least 1\] \[default: 50\]"),
        ("app", r"--max-upload .*\[at least 1\] \[default: 64\]"),
    ],
)
def test_help_tells_ranges(command: str, setting: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert re.search(setting, shown([command], capsys))


@pytest.mark.parametrize(
    "command", [each.__name__ for group in GROUPS.values() for each in group] + ["app", "batch"]
)
def test_flags_have_no_twins_and_no_default(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = shown([command], capsys)
    assert set(re.findall(r"--(?:no|empty)-\S+", told)) <= {"--no-mirror", "--no-draw"}
    assert "False" not in told
    assert "Range(" not in told


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom stegfield import cli\ncli.run(['hide', '--help'])\n"
        "sys.exit(bool({'torch', 'numpy', 'PIL'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
