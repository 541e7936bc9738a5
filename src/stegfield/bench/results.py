"""Results of experiments: a folder with a ledger of jobs, and their pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stegfield import files
from stegfield.jobs import Ledger, LedgerKind
from stegfield.metrics import finite_or_none

RESULTS = "results.jsonl"
PICTURES = "pictures"

Setting = str | int | float | bool
Figure = float | int | str | None


@dataclass(frozen=True)
class Findings:
    """What an experiment found; figures that are not finite become None, as in JSON."""

    figures: Mapping[str, Figure] = field(default_factory=dict)

    pictures: Sequence[str] = ()
    """File names of pictures, in the folder of pictures."""

    machine: Mapping[str, Any] = field(default_factory=dict)
    """The machine that it ran on."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "figures", finite_or_none(dict(self.figures)))
        object.__setattr__(self, "pictures", tuple(map(str, self.pictures)))


EXPERIMENTS = LedgerKind("experiments", "experiment", Findings)


class Results(Ledger[Findings]):
    """The ledger of a folder.

    Raises:
        InputError: The folder's file of results is another kind of file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(folder / RESULTS, EXPERIMENTS)


def write_picture(folder: Path, name: str, png: bytes) -> None:
    """Write a picture of a job into the folder of its results."""
    files.make_folder(folder / PICTURES)
    files.write_new(folder / PICTURES / name, png, force=True)
