"""The option ``--also MESSAGE [KEY]``: more messages in one cover, with a key each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter, Token

from stegfield.cli.asking import read_early, read_key
from stegfield.cli.streams import is_stream
from stegfield.errors import ConfigError

if TYPE_CHECKING:
    from stegfield.keys import Key, Passphrase


@dataclass(frozen=True)
class AlsoFiles:
    """One ``--also``: a message and its key file, or None to ask for a passphrase."""

    message: Path
    key: Path | None = None


def read_also(type_: Any, tokens: Sequence[Token]) -> list[AlsoFiles]:
    """Group the words behind each ``--also``; every ``--also`` starts again at index 0."""
    groups: list[list[Path]] = []
    for token in tokens:
        if token.index == 0:
            groups.append([])
        groups[-1].append(Path(token.value))
    if any(len(group) > 2 for group in groups):
        raise ValueError("each --also takes a message and at most one key file")
    return [AlsoFiles(*group) for group in groups]


Also = Annotated[
    list[AlsoFiles],
    Parameter(
        consume_multiple=True,
        converter=read_also,
        n_tokens=1,
        accepts_keys=False,
        negative="",
    ),
]


def paths(also: Sequence[AlsoFiles]) -> Iterator[Path]:
    """Yield all files that more messages name."""
    for each in also:
        yield from (path for path in (each.message, each.key) if path is not None)


def read_messages(also: Sequence[AlsoFiles]) -> list[bytes | Path]:
    """Read more messages before long work, as `asking.read_early` does.

    Raises:
        ConfigError: A message comes from stdin.
        InputError: A message cannot be read.
    """
    if any(is_stream(each.message) for each in also):
        raise ConfigError("--also reads no stdin", hint="name a file")
    return [read_early(each.message) for each in also]


def with_keys(
    also: Sequence[AlsoFiles],
    messages: Sequence[bytes | Path],
    *,
    passphrase_stdin: bool,
    weak: bool,
) -> list[tuple[bytes | Path, Key | Passphrase]]:
    """Read the keys of more messages; ask for the passphrases that have no file, in their order."""
    return [
        (
            message,
            read_key(
                each.key,
                passphrase_stdin=passphrase_stdin and each.key is None,
                new=True,
                weak=weak and each.key is None,
            ),
        )
        for each, message in zip(also, messages, strict=True)
    ]
