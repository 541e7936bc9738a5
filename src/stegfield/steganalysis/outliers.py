"""Outliers: what can be said of a single field without a detector that has learned.

Low mantissa bits can be judged by themselves: those of trained weights are even, and so are those
of encrypted messages; those of plain messages are not. Everything else takes clean fields to
compare with.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stegfield import fields
from stegfield.errors import InputError, StegfieldError
from stegfield.fields import header
from stegfield.steganalysis.weights import (
    QUICK,
    features,
    kurtosis,
    least_chance,
    low_bytes,
    matrices,
    trained,
)

if TYPE_CHECKING:
    from stegfield.fields import Field

UNUSUAL = 1e-3
"""A p-value below this speaks against chance."""
FEW = 20
"""With fewer clean fields, a rank among them says little."""
LEAST = 3
"""With fewer clean fields, there are no others to compare each of them with."""
MOST_DEVIATIONS = 10.0
"""Most that one figure counts, so that no single figure decides."""


@dataclass(frozen=True)
class FieldVerdict:
    """What can be said of a field without a key."""

    low_bits_p: float
    """Chance that low mantissa bits of trained weights are as uneven as these."""
    rounded: bool
    """All weights have empty low bits: they were stored in half precision or less, so that the low
    bits say nothing."""
    tails: Mapping[str, float]
    """Kurtosis of every matrix: 1.8 before training, 3 for a normal distribution."""
    pool: int = 0
    """Clean fields that it was compared with."""
    distance: float | None = None
    """How far it lies from them, in their own typical deviations."""
    pool_p: float | None = None
    """Chance that a clean field lies as far from the other ones."""
    farthest: tuple[str, ...] = ()
    """The figures that are farthest from theirs, the farthest first."""

    @property
    def suspicious(self) -> bool:
        """Whether any test speaks against a clean field."""
        beyond = self.pool_p is not None and self.pool_p <= 1 / (FEW + 1)
        return (self.low_bits_p < UNUSUAL and not self.rounded) or beyond

    @property
    def summary(self) -> str:
        """Say it in a sentence."""
        if self.low_bits_p < UNUSUAL and not self.rounded:
            return "its low mantissa bits are not those of trained weights"
        if self.pool_p is None:
            return (
                "nothing unusual in its mantissas, which says little: secrets show in how weights "
                "are distributed, and that takes clean fields to compare with"
            )
        if self.pool < FEW:
            return f"{self.pool} clean fields are too few to say more than their ranks"
        if self.suspicious:
            return (
                f"unlike the {self.pool} clean fields, most of all in {self.farthest[0]}; "
                f"so are {self.pool_p:.0%} of clean fields"
            )
        return f"nothing tells it from the {self.pool} clean fields"

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self) | {"suspicious": self.suspicious, "summary": self.summary}


def judge_field(source: Path | Field, pool: Path | CleanFields | None = None) -> FieldVerdict:
    """Judge one field, alone or beside clean fields.

    Alone, only its mantissas can be judged, since what is usual for its weights depends on how it
    was trained. A folder of clean fields tells that: the field's figures are compared with theirs,
    and each of theirs with the others', so that its rank among them is an honest chance.

    Args:
        source: A field file, or a field.
        pool: A folder of clean fields of the same architecture and sizes, trained as the sender
            would train them. To judge several fields, pass `CleanFields`. The field itself does not
            count there.

    Raises:
        InputError: the file is missing or damaged, or the folder holds fewer than three such
            fields.
    """
    if pool is None:
        return _alone(header.read(source) if isinstance(source, Path) else source)
    field = fields.load(source) if isinstance(source, Path) else source
    return _compared(field, pool if isinstance(pool, CleanFields) else CleanFields(pool))


class CleanFields:
    """A folder of clean fields; their figures are computed once for all comparisons."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._figures: dict[Path, NDArray[np.float64]] = {}

    @cached_property
    def fields(self) -> dict[Path, Field]:
        """Those of the folder's files that are fields; others may lie there.

        Raises:
            InputError: there is no such folder, or it cannot be read.
        """
        if not self.folder.is_dir():
            raise InputError(
                f"{self.folder} is not a folder", hint="name a folder of clean field files"
            )
        if not os.access(self.folder, os.R_OK | os.X_OK):
            raise InputError(f"{self.folder} cannot be read", hint="check its permissions")
        found = {}
        for path in sorted(self.folder.glob("*.safetensors")):
            with suppress(StegfieldError):
                found[path] = fields.load(path)
        return found

    def beside(self, field: Field) -> NDArray[np.float64]:
        """Return the figures, a row each, of those with a field's architecture and sizes.

        The field itself and copies of it are left out: they would clear it.

        Raises:
            InputError: the folder holds fewer than three of them.
        """
        alike = [
            path
            for path, other in self.fields.items()
            if (other.architecture, other.sizes) == (field.architecture, field.sizes)
            and not _same(field, other)
        ]
        if len(alike) < LEAST:
            raise InputError(
                f"{self.folder} holds {len(alike)} other fields of the same architecture and sizes",
                hint=f"at least {LEAST} are needed, and {FEW} to say much; "
                "`stegfield fit` makes them",
            )
        for path in alike:
            if path not in self._figures:
                self._figures[path] = _figures(self.fields[path])
        return np.stack([self._figures[path] for path in alike])


def _alone(field: Field | header.FieldFile) -> FieldVerdict:
    low = low_bytes(field)
    tails = {name: kurtosis(matrix) for name, matrix in matrices(field).items()}
    return FieldVerdict(least_chance(low), not low.any(), tails)


def _compared(field: Field, clean: CleanFields) -> FieldVerdict:
    theirs = clean.beside(field)
    figures = features(field, QUICK)
    names, own = list(figures), np.array(list(figures.values()))
    ranked = [_distance(each, np.delete(theirs, at, 0)) for at, each in enumerate(theirs)]
    # beside as many others as each of them has, so that ranks are fair
    beside = [_distance(own, np.delete(theirs, at, 0)) for at in range(len(theirs))]
    distance = float(np.median(beside))
    chance = (1 + sum(each >= distance for each in ranked)) / (1 + len(ranked))
    order = np.argsort(-_deviations(own, theirs))
    return replace(
        _alone(field),
        pool=len(theirs),
        distance=distance,
        pool_p=chance,
        farthest=tuple(names[at] for at in order[:5]),
    )


def _figures(field: Field) -> NDArray[np.float64]:
    return np.array(list(features(field, QUICK).values()))


def _same(one: Field, other: Field) -> bool:
    """Tell whether two fields of one architecture and sizes have equal weights."""
    theirs = trained(other)
    return all(np.array_equal(values, theirs[name]) for name, values in trained(one).items())


def _deviations(own: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far each figure is from the others' median, in their median deviations."""
    middle = np.median(others, axis=0)
    typical = np.median(np.abs(others - middle), axis=0)
    least = 1e-3 * np.abs(middle) + 1e-9  # figures that hardly differ at all
    far: NDArray[np.float64] = np.abs(own - middle) / np.maximum(1.4826 * typical, least)
    return far


def _distance(own: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """Return the root mean square deviation of all figures."""
    return float(np.sqrt(np.square(np.minimum(_deviations(own, others), MOST_DEVIATIONS)).mean()))
