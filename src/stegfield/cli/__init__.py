"""The command line: one thin file a command, which reads, calls, writes and says.

Results go to stdout or the output file; everything else goes to stderr, errors as ``error:`` and
``hint:``. Exit codes: 0 done, 1 failed, 2 wrong usage. Commands import torch when they run, not
before, so that help is quick.
"""

from __future__ import annotations

import sys

from cyclopts import App, CycloptsError

import stegfield
from stegfield.cli.capacity import capacity
from stegfield.cli.compare import compare
from stegfield.cli.demo import demo
from stegfield.cli.embed import embed
from stegfield.cli.extract import extract
from stegfield.cli.fit import fit
from stegfield.cli.hide import hide
from stegfield.cli.inspect import inspect
from stegfield.cli.keygen import keygen
from stegfield.cli.render import render
from stegfield.cli.reveal import reveal
from stegfield.cli.terminal import complain
from stegfield.errors import StegfieldError

FAILED, WRONG_USAGE = 1, 2

app = App(
    name="stegfield",
    help="Hide images in a neural field's weights, and files in an image's samples.",
    version=stegfield.__version__,
    help_format="markdown",
    suppress_keyboard_interrupt=False,
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
    compare,
    demo,
):
    app.command(command)
app.register_install_completion_command()


def main() -> None:
    """Run the command line and exit."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and give its exit code; errors of the user's never show a traceback."""
    try:
        app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        complain(" ".join(str(error).split()), "`stegfield COMMAND --help` shows how to call it")
        return WRONG_USAGE
    except StegfieldError as error:
        complain(str(error), error.hint)
        return error.exit_code
    except KeyboardInterrupt:
        complain("stopped before the result was written", None)
        return FAILED
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone; Python would complain at exit
        return FAILED
    except MemoryError:
        complain("there is not enough memory", "take a smaller --size or a smaller field")
        return FAILED
    return 0
