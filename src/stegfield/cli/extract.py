"""``stegfield extract``."""

from __future__ import annotations

from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from stegfield.cli import field_files
from stegfield.cli.asking import read_key
from stegfield.cli.signal_files import LARGEST_INPUT, read_file, read_signal
from stegfield.cli.streams import (
    check_output,
    check_stdin,
    files_among,
    is_stream,
    name_of,
    send_message,
)
from stegfield.cli.terminal import answer, say
from stegfield.cli.weights import extract_from_model, is_model
from stegfield.errors import ConfigError, UnreadableError

BOTH_WAYS = "check the key and the cover, and that the file is the one that was sent"
"""The hint if no message can be read, with the cover or without it."""

if TYPE_CHECKING:
    from stegfield.keys import Key, Passphrase
    from stegfield.signals import Signal


def extract(
    stego: Path,
    /,
    *,
    output: Annotated[Path, Parameter(alias="-o")],
    key: Path | None = None,
    profile: str | None = None,
    weights: Path | None = None,
    cover: Path | None = None,
    cover_model: str | None = None,
    passphrase_stdin: bool = False,
    json: bool = False,
    force: bool = False,
) -> None:
    """Extract the file that was embedded in an image, a climate field, a sound or a model.

    Args:
        stego: Image, climate field named .nc, sound: .wav or .flac, or field or model:
            .safetensors; - is stdin.
        output: File to write, which only you may read; - is stdout.
        key: Key file; asks for a passphrase if left out.
        profile: Look for messages of this profile only [default: exact and robust].
        weights: For the paper profile, the released network that was named when embedding.
        cover: The cover, for a message that was embedded in an image with --known-cover; other
            messages are found as well.
        cover_model: The model that generated the cover from the key: faces, digits, or a file that
            `stegfield train` wrote.
        passphrase_stdin: Read the passphrase from stdin.
        json: Print the result as JSON.
        force: Replace an existing file.
    """
    from stegfield import files, fixednet

    if field_files.is_field(stego):
        field_files.extract(
            stego,
            output,
            key=key,
            passphrase_stdin=passphrase_stdin,
            json=json,
            force=force,
        )
        return
    model = None if cover_model is None else Path(cover_model)
    files.check_apart(files_among(output), files_among(stego, key, cover, model, weights))
    check_output(output, json=json, force=force, text=True)
    check_stdin(stego=stego, cover=cover, passphrase_stdin=passphrase_stdin and key is None)
    if profile is not None:  # a name that does not exist is told before files
        fixednet.profiles.load(profile)
    if is_model(stego):
        message = extract_from_model(stego, key, passphrase_stdin=passphrase_stdin)
    else:
        message = _from_signal(
            stego,
            key,
            profile=profile,
            weights=weights,
            cover=cover,
            cover_model=cover_model,
            passphrase_stdin=passphrase_stdin,
        )
    if is_stream(output):
        send_message(message)
    else:
        files.write_new(output, message, force=force, private=True)
    if json:
        answer({"message": str(output), "message_bytes": len(message)})
    else:
        say(f"{name_of(output, 'stdout')}: {len(message):,} bytes")


def _from_signal(
    stego: Path,
    key: Path | None,
    *,
    profile: str | None,
    weights: Path | None,
    cover: Path | None,
    cover_model: str | None,
    passphrase_stdin: bool,
) -> bytes:
    """Extract a file from an image, a climate field or a sound."""
    from stegfield import fixednet, signals

    source = read_file(stego, LARGEST_INPUT) if is_stream(stego) else stego
    medium = (
        next(signals.stored(source)).medium if is_stream(stego) else signals.medium_of_file(stego)
    )
    fixednet.readers(
        medium,
        profile=profile,
        known_cover=cover is not None or cover_model is not None,
        weights=weights,
    )
    variants = signals.stored(source)
    first = next(variants)  # a file that cannot be read is told before a passphrase is asked for
    with_key = read_key(key, passphrase_stdin=passphrase_stdin)
    known = _cover(cover, cover_model, first, with_key)

    def of(signal: Signal) -> bytes:
        if known is None:
            return fixednet.extract(signal, with_key, profile=profile, weights=weights)
        return _extract_beside(known, signal, with_key, profile)

    return fixednet.first_read(of, chain([first], variants))


def _extract_beside(
    cover: Signal, stego: Signal, key: Key | Passphrase, profile: str | None
) -> bytes:
    """Extract with a known cover, else without: the sender may have left --known-cover out."""
    from stegfield import fixednet

    with suppress(UnreadableError):
        return fixednet.extract(stego, key, profile=profile, cover=cover)
    try:
        return fixednet.extract(stego, key, profile=profile)
    except UnreadableError:
        raise UnreadableError(hint=BOTH_WAYS) from None


def _cover(
    path: Path | None, model: str | None, stego: Signal, key: Key | Passphrase
) -> Signal | None:
    if path is not None and model is not None:
        raise ConfigError("--cover cannot be combined with --cover-model", hint="name one of them")
    if path is not None:
        return read_signal(path, flatten=True)  # as `embed --flatten` read it
    if model is None:
        return None
    from stegfield import generative  # which needs torch

    return generative.cover_of(generative.load(model), key, stego)
