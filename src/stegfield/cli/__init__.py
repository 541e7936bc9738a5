"""The command line: one thin file a command, which reads, calls, writes and says.

Results go to stdout or the output file; everything else goes to stderr, errors as ``error:`` and
``hint:``. Exit codes: 0 done, 1 failed, 2 wrong usage. Commands import torch when they run, not
before, so that help is quick.
"""

from __future__ import annotations

import os
import signal
import sys

from cyclopts import App, CycloptsError

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
from stegfield.cli.evaluate import evaluate
from stegfield.cli.export import export
from stegfield.cli.extract import extract
from stegfield.cli.fit import fit
from stegfield.cli.generate import generate
from stegfield.cli.hide import hide
from stegfield.cli.inspect import inspect
from stegfield.cli.keygen import keygen
from stegfield.cli.render import render
from stegfield.cli.reveal import reveal
from stegfield.cli.terminal import complain, whole_numbers
from stegfield.cli.train import train
from stegfield.errors import StegfieldError

FAILED, WRONG_USAGE = 1, 2

app = App(
    name="stegfield",
    help="Hide images in a neural field's weights, and files in an image's samples.",
    version=stegfield.__version__,
    help_format="markdown",
    suppress_keyboard_interrupt=False,
    config=whole_numbers,
)
for command in (
    keygen,
    fit,
    hide,
    reveal,
    render,
    inspect,
    embed,
    extract,
    capacity,
    generate,
    train,
    evaluate,
    export,
    compare,
    attack,
    detect,
    batch,
    bench,
    report,
    demo,
):
    app.command(command)
app.command(page, name="app")
app.register_install_completion_command()


def main() -> None:
    """Run the command line and exit."""
    # threads that wait must not take cores from those that work: on busy cores ten times faster
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch is imported
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends all that Ctrl-C ends
    code = run(sys.argv[1:])
    try:
        _flush()
    except OSError:  # it was told already; Python would complain once more at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command and give its exit code; errors of the user's never show a traceback."""
    try:
        told = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
        _flush()
    except CycloptsError as error:
        complain(" ".join(str(error).split()), _usage_hint(arguments))
        return WRONG_USAGE
    except StegfieldError as error:
        complain(str(error), error.hint)
        return error.exit_code
    except KeyboardInterrupt:
        complain("stopped before the result was written", None)
        return FAILED
    except OSError as error:  # of stdout, as a rule: those of files are errors of ours
        if not isinstance(error, BrokenPipeError):  # else whoever read our output has gone
            complain(f"input or output failed: {error}", "is there room where stdout goes?")
        return FAILED
    except (MemoryError, RuntimeError) as error:
        if not _of_memory(error):
            raise
        complain("there is not enough memory", "take a smaller image, --size or field")
        return FAILED
    return told if isinstance(told, int) else 0  # a command that told its errors gives the code


def _usage_hint(arguments: list[str]) -> str:
    """Say how a file is named that was taken for an option, if there is one."""
    for each in arguments:
        if each.startswith("-") and os.path.lexists(each):
            return f"a file whose name begins with a dash is written ./{each}"
    return "`stegfield COMMAND --help` shows how to call it"


def _flush() -> None:
    if sys.stdout is not None:  # it is None where a caller has closed it
        sys.stdout.flush()


def _of_memory(error: Exception) -> bool:
    """Tell whether memory ran out; torch says so by a `RuntimeError`."""
    return isinstance(error, MemoryError) or any(
        words in str(error) for words in ("can't allocate memory", "out of memory")
    )
