"""Progress of long commands on stderr, and what becomes of their checkpoints."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from stegfield.cli.terminal import is_quiet, printable, say
from stegfield.watching import Watch, progress


def watching(
    *names: str, show: bool = True, opening: str | None = None
) -> AbstractContextManager[Watch]:
    """Show the progress of a run with the PSNR of every signal; Ctrl-C lets it end in order.

    Args:
        names: Of the signals.
        show: Whether to show progress.
        opening: What to say once the run has begun.
    """
    shown = show and not is_quiet()
    return progress(*map(printable, names), show=shown, say=say, opening=opening)


def finish(checkpoint: Path | None, *, stopped: bool) -> None:
    """Remove the checkpoint of a run whose result is written, unless it was cut short."""
    if checkpoint is None:
        return
    if stopped:
        say(
            f"the run can be resumed from {checkpoint}: repeat the command with --force, "
            "and publish only one of the two results"
        )
    else:
        checkpoint.unlink(missing_ok=True)
