"""Hiding files: a field of the cover carries them bit for bit, each for its own key.

The field is fitted to the cover as `stegfield.fields.fit` does it, and drawn by the same law. Files
are bits of the draw that are uniform to everyone without their key. So the field cannot be told
from one that hides nothing, if the ciphers hold (docs/proof.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stegfield.errors import ConfigError
from stegfield.fields import carrying, header
from stegfield.fields.carrying import Room
from stegfield.fields.header import FieldFile
from stegfield.keys import Key, KeySource
from stegfield.payload.law import Message

if TYPE_CHECKING:
    from stegfield.config import FitConfig
    from stegfield.fields import Field, FitWatch
    from stegfield.metrics import AnyQuality
    from stegfield.signals import Source


@dataclass(frozen=True, eq=False)
class FilesResult:
    """A field that carries files, measured as everyone sees it."""

    field: Field
    quality: AnyQuality
    """Of the cover."""
    message_bytes: tuple[int, ...]
    """Of each file, decoys included."""
    room: Room
    """What the field could carry beside them."""
    steps: int
    seconds: float
    stopped: bool
    """Whether the run was asked to end before its plan was done."""


def hide(
    cover: Source,
    secrets: Sequence[tuple[bytes | Path, KeySource]] = (),
    *,
    decoys: Sequence[bytes | Path] = (),
    architecture: str | None = None,
    sizes: Mapping[str, Any] | None = None,
    training: FitConfig | None = None,
    watch: FitWatch | None = None,
    checkpoint: Path | None = None,
) -> FilesResult:
    """Fit a field to a cover, and hide files of any type in it, each for its own key.

    Args:
        cover: What everyone sees: a signal, or whatever `stegfield.signals.read` makes one of.
        secrets: Bytes, or the path of a file, each with its own key. Of a path, the suffix is
            stored as well, and the name is not.
        decoys: The same, for keys that are forgotten at once.
        architecture: As for `stegfield.fields.fit`.
        sizes: As for `stegfield.fields.fit`.
        training: How to train.
        watch: Called after every step; returning True ends the run early.
        checkpoint: File to write the state of the training to, and to resume from.

    Raises:
        ConfigError: There is nothing to hide, two secrets have one key, or a setting is out of
            range.
        CapacityError: The files do not fit; nothing was trained, unless they nearly fit.
        InputError: The cover or a file cannot be read, or the checkpoint belongs to another run.
        DivergedError: The error grew beyond all numbers.

    Example:
        >>> from stegfield import hiding, signals
        >>> from stegfield.config import FitConfig
        >>> from stegfield.keys import Key
        >>> key = Key.generate()
        >>> result = hiding.hide(
        ...     signals.waves(16, 16), [(b"meet me at noon", key)], training=FitConfig(steps=5)
        ... )
        >>> hiding.reveal(result.field, key).data
        b'meet me at noon'
    """
    from stegfield.fields import fit

    messages = messages_of(secrets)
    messages += [Message.of(decoy, Key.generate()) for decoy in decoys]
    if not messages:
        raise ConfigError("there is no secret to hide", hint="name at least one and its key")
    fitted = fit(
        cover,
        architecture=architecture,
        sizes=sizes,
        training=training,
        watch=watch,
        checkpoint=checkpoint,
        messages=messages,
    )
    return FilesResult(
        field=fitted.field,
        quality=fitted.quality,
        message_bytes=tuple(len(message.data) for message in messages),
        room=carrying.room(as_file(fitted.field), [message.key for message in messages]),
        steps=fitted.steps,
        seconds=fitted.seconds,
        stopped=fitted.stopped,
    )


def embed(
    field: Field | FieldFile | Path | str,
    message: bytes | Path,
    key: KeySource,
    *,
    also: Sequence[tuple[bytes | Path, KeySource]] = (),
    keep: Sequence[KeySource] = (),
) -> FieldFile:
    """Embed files in a field that `fit` or `hide` wrote: all its random bits are drawn anew.

    Args:
        field: What carries them: a field, what its file holds, or the path of its file.
        message: Any bytes, or the path of a file.
        key: Only its owner can read the message.
        also: More messages, each with a key of its own.
        keep: Keys of messages that the field has and that stay; all others are lost.

    Returns:
        What the new file holds: `FieldFile.to_bytes` encodes it.

    Raises:
        InputError: The field or a message is a file that cannot be read.
        CarrierError: The field was not drawn, or was changed since.
        UnreadableError: The field has no message of a key to keep.
        CapacityError: The messages do not fit.
        ConfigError: Two messages have the same key.

    Example:
        >>> from stegfield import fields, hiding, signals
        >>> from stegfield.config import FitConfig
        >>> from stegfield.keys import Key
        >>> key = Key.generate()
        >>> fitted = fields.fit(signals.waves(9, 9), training=FitConfig(steps=2))
        >>> stego = hiding.embed(fitted.field, b"meet me at noon", key)
        >>> hiding.reveal(stego, key).data
        b'meet me at noon'
    """
    messages = messages_of([(message, key), *also])
    return carrying.embed(as_file(field), messages, keep=keep, name=_name(field))


def room(field: Field | FieldFile | Path | str, keys: Sequence[KeySource] = ()) -> Room:
    """Return what a field can carry beside the messages of some keys.

    Raises:
        InputError: The field is a file that cannot be read.
        CarrierError: The field was not drawn, or was changed since.
        UnreadableError: The field has no message of one of the keys.
    """
    return carrying.room(as_file(field), keys, name=_name(field))


def as_file(field: Field | FieldFile | Path | str) -> FieldFile:
    """Return what a field's file holds, read from it where it is a path."""
    if isinstance(field, FieldFile):
        return field
    if isinstance(field, Path | str):
        return header.read(Path(field))
    from stegfield.fields import store

    return store.to_file(field)


def _name(field: object) -> str:
    return str(field) if isinstance(field, Path | str) else "the field"


def messages_of(secrets: Sequence[tuple[bytes | Path, KeySource]]) -> list[Message]:
    """Read secrets as messages, with the suffixes of their files.

    Raises:
        InputError: A file is missing, cannot be read, or is longer than 256 MiB.
        ConfigError: A secret is no pair of bytes or a path and a key.
    """
    if not all(isinstance(each, tuple) and len(each) == 2 for each in secrets):
        raise ConfigError(
            "each secret is a pair of bytes or a path and its key",
            hint="`hide_functions` hides signals that a field shows",
        )
    return [Message.of(data, key) for data, key in secrets]
