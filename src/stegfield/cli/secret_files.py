"""The option ``--secret FILE [KEY]`` of commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter, Token


@dataclass(frozen=True)
class SecretFiles:
    """One ``--secret``: a file and its key file, or None to ask for a passphrase."""

    file: Path
    key: Path | None = None
    decoy: bool = False
    """Whether nobody gets the key."""


def read_secrets(type_: Any, tokens: Sequence[Token]) -> list[SecretFiles]:
    """Group the words behind each ``--secret``; every ``--secret`` starts again at index 0."""
    groups: list[list[Path]] = []
    for token in tokens:
        if token.index == 0:
            groups.append([])
        groups[-1].append(Path(token.value))
    if any(len(group) > 2 for group in groups):
        raise ValueError("each --secret takes a file and at most one key file")
    return [SecretFiles(group[0], group[1] if len(group) > 1 else None) for group in groups]


Secrets = Annotated[
    list[SecretFiles],
    Parameter(
        consume_multiple=True,
        converter=read_secrets,
        n_tokens=1,
        accepts_keys=False,
        negative="",
    ),
]
