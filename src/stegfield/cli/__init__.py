"""The command line: one thin file for each command, which reads, calls, writes and reports.

Results go to stdout or the output file; everything else goes to stderr, errors as ``error:`` and
``hint:``. Exit codes: 0 done, 1 failed, 2 wrong usage. Commands import torch when they run, not
before, so that `--help` is quick.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any

from cyclopts import CycloptsError, Group, Parameter

import stegfield
from stegfield.cli.app import app as page
from stegfield.cli.attack import attack
from stegfield.cli.batch import batch
from stegfield.cli.bench import bench, report
from stegfield.cli.capacity import capacity
from stegfield.cli.compare import compare
from stegfield.cli.demo import demo
from stegfield.cli.detect import detect
from stegfield.cli.embed import embed
from stegfield.cli.errors import complain, worded
from stegfield.cli.evaluate import evaluate
from stegfield.cli.export import export
from stegfield.cli.extract import extract
from stegfield.cli.fit import fit
from stegfield.cli.generate import generate
from stegfield.cli.grain import grain
from stegfield.cli.help import Commands
from stegfield.cli.hide import hide
from stegfield.cli.inspect import inspect
from stegfield.cli.keygen import keygen
from stegfield.cli.parsing import whole_numbers
from stegfield.cli.receiver import receiver
from stegfield.cli.render import render
from stegfield.cli.reveal import reveal
from stegfield.cli.settings_file import HEEDED, defaults
from stegfield.cli.streams import file_names
from stegfield.cli.terminal import VOLUME, detail, take_volume
from stegfield.cli.train import train
from stegfield.cli.waiting import begin
from stegfield.errors import StegfieldError

IMPORTED = time.monotonic()
FAILED, WRONG_USAGE = 1, 2
GROUPS: dict[str, tuple[Callable[..., Any], ...]] = {
    "Hide": (hide, reveal, fit, render, inspect, export),
    "Embed": (embed, extract, capacity, grain, receiver),
    "Generate": (generate, train, evaluate),
    "Judge": (compare, detect, attack),
    "Experiments": (demo, bench, report),
    "Keys": (keygen,),
}
"""The commands, by what people want to do."""

app = Commands(
    name="stegfield",
    help="Hide images in a neural field's weights, and files in an image's samples.\n\n"
    "With every command, `--quiet` leaves only warnings and errors, and `--verbose` says more. "
    "Your own defaults stand in `~/.config/stegfield.toml`, in a table for each command, as in "
    "`[hide]` and `max-seconds = 300`.",
    version=stegfield.__version__,
    help_format="markdown",
    suppress_keyboard_interrupt=False,
    config=(defaults, whole_numbers),
    default_parameter=Parameter(negative=()),
    group_commands="More",
)
for title, commands in GROUPS.items():
    group = Group.create_ordered(title)
    for command in commands:
        app.command(command, group=group)
app.command(batch)
app.command(page, name="app")
app.register_install_completion_command()


def main() -> None:
    """Run the command line and exit."""
    # threads that wait must not take cores from those that work: on busy cores ten times faster
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch is imported
    signal.signal(signal.SIGTERM, _as_ctrl_c)
    code = run(sys.argv[1:], began=IMPORTED)
    try:
        _flush()
    except OSError:  # already reported; Python would report it once more at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def run(arguments: list[str], *, began: float | None = None) -> int:
    """Run one command and give its exit code.

    Errors of the user's show a traceback only with ``--verbose``.

    Args:
        arguments: The words of the command.
        began: When the command began, by ``time.monotonic`` [default: now].
    """
    words, volume = take_volume(file_names(arguments))
    heeded, spoken = HEEDED.set(words[:1] != ["batch"]), VOLUME.set(volume)
    began = begin(began)
    try:
        code = _run(words)
        detail(f"{time.monotonic() - began:.2f} s in all")
        return code
    finally:
        HEEDED.reset(heeded)
        VOLUME.reset(spoken)


def _run(words: list[str]) -> int:
    try:
        told = app(words, exit_on_error=False, print_error=False, result_action="return_value")
        _flush()
    except (CycloptsError, StegfieldError) as error:
        detail("".join(traceback.format_exception(error)).rstrip())
        complain(*worded(error))
        return error.exit_code if isinstance(error, StegfieldError) else WRONG_USAGE
    except KeyboardInterrupt:
        complain("stopped before the result was written", None)
        return FAILED
    except OSError as error:  # of stdout: errors of files are StegfieldErrors
        if not isinstance(error, BrokenPipeError):  # else the reader of our output has gone
            complain(f"input or output failed: {error}", "is there room where stdout goes?")
        return FAILED
    except (MemoryError, RuntimeError) as error:
        if not _of_memory(error):
            raise
        complain("there is not enough memory", "take a smaller image, --size or field")
        return FAILED
    return told if isinstance(told, int) else 0  # a command that reports errors returns a code


def _as_ctrl_c(number: int, frame: FrameType | None) -> None:
    """End a command as Ctrl-C does, even where Ctrl-C is ignored."""
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):
        raise KeyboardInterrupt
    handler(signal.SIGINT, frame)


def _flush() -> None:
    if sys.stdout is not None:  # None where a caller has closed it
        sys.stdout.flush()


def _of_memory(error: Exception) -> bool:
    """Return whether memory ran out; torch reports that as a `RuntimeError`."""
    return isinstance(error, MemoryError) or any(
        words in str(error) for words in ("can't allocate memory", "out of memory")
    )
