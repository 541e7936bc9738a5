"""Cautions: warnings about a field before secrets are hidden in it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from stegfield.errors import Caution, Wording
from stegfield.fields.field import Field
from stegfield.signals import Signal

EXPECTED_AT_ONE_DB, LOST_PER_DOUBLING_DB = 44.0, 3.5
"""A cautious estimate: PSNR at one sample a weight, and its loss with each doubling of samples."""
DETECTED = Caution(
    "detectors classify 81 to 100 % of fields that hide functions correctly, given clean fields to "
    "learn from",
    Wording(
        "hide files, which nobody can detect, with {as:files}; or hide in every field that you "
        "publish, with {decoy} where there is nothing to hide"
    ),
)
"""Of every field that hides functions: the figures are those of the suite mih-8-table-3-weights."""
POOR_PSNR_DB, LEAST_PSNR_DB = 35.0, 10.0


def cautions(field: Field, signals: Sequence[Signal]) -> tuple[Caution, ...]:
    """Return warnings about hiding these signals in a field of this kind and size.

    Args:
        field: The field, trained or not.
        signals: The cover and the secrets.
    """
    found = []
    expected = expected_psnr_db(field, signals)
    if expected < POOR_PSNR_DB:
        found.append(
            Caution(
                f"{field.weight_count():,} weights are few for all this: expect about "
                f"{max(expected, LEAST_PSNR_DB):.0f} dB",
                "take a larger field, such as sizes width=256, or hide less",
            )
        )
    if not field.conceals:
        found.append(
            Caution(
                f"the weights of a {field.architecture} field show traces of its secrets to anyone "
                "who looks",
                "take a siren field to conceal that there are secrets",
            )
        )
    return tuple(found)


def expected_psnr_db(field: Field, signals: Sequence[Signal]) -> float:
    """Estimate the PSNR that a field can reach for these signals.

    This is a rule of thumb for photographs, by the number of samples a weight. It is meant to warn
    of fields that are far too small; smooth images and long runs reach 5 to 10 dB more.
    """
    medium = field.public.medium
    samples = sum(
        signal.points * (field.channels if signal.medium is medium else signal.channels)
        for signal in signals
    )
    doublings = math.log2(samples / field.weight_count())
    return EXPECTED_AT_ONE_DB - LOST_PER_DOUBLING_DB * doublings
