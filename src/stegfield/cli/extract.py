"""``stegfield extract``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from stegfield.cli.terminal import answer, read_key, say, send
from stegfield.config import check_weights
from stegfield.errors import ConfigError

if TYPE_CHECKING:
    from stegfield.keys import Key, Passphrase
    from stegfield.signals import Signal


def extract(
    stego: Path,
    /,
    *,
    output: Annotated[Path, Parameter(alias="-o", allow_leading_hyphen=True)],
    key: Path | None = None,
    profile: Literal["exact", "jpeg", "paper"] | None = None,
    weights: Path | None = None,
    cover: Path | None = None,
    cover_model: str | None = None,
    passphrase_stdin: bool = False,
    json: bool = False,
    force: bool = False,
) -> None:
    """Extract the file that an image, a climate field or a sound carries for a key.

    Args:
        stego: Image, climate field named .nc, or sound: .wav or .flac.
        output: File to write; - is stdout.
        key: Key file; asks for a passphrase if left out.
        profile: Look for messages of this profile only; those of exact and jpeg are found in any
            case, those of paper only if it is named.
        weights: For the paper profile, the released network that was named when embedding.
        cover: The cover, for a message that was embedded with --known-cover.
        cover_model: The model that drew it from the key: faces, digits, or a file that `stegfield
            train` wrote.
        passphrase_stdin: Read the passphrase from stdin.
        json: Print the result as JSON.
        force: Replace an existing file.
    """
    from stegfield import files, fixednet, signals

    check_weights(profile, weights)
    to_stdout = str(output) == "-"
    if to_stdout and json:
        raise ConfigError("stdout cannot have both the message and JSON")
    if not to_stdout:
        read = [Path(each) for each in (stego, key, cover, cover_model, weights) if each]
        files.check_apart([output], read)
        files.check_new(output, force=force)
    fixednet.check_medium(signals.medium_of(stego), profile)
    signal = signals.read(stego)
    with_key = read_key(key, passphrase_stdin=passphrase_stdin)
    message = fixednet.extract(
        signal,
        with_key,
        profile=profile,
        weights=weights,
        cover=_cover(cover, cover_model, signal, with_key),
    )
    if to_stdout:
        send(message)
        return
    files.write_new(output, message, force=force)
    if json:
        answer({"message": str(output), "message_bytes": len(message)})
    else:
        say(f"{output}: {len(message):,} bytes")


def _cover(
    path: Path | None, model: str | None, stego: Signal, key: Key | Passphrase
) -> Signal | None:
    from stegfield import generative, signals

    if path is not None and model is not None:
        raise ConfigError("there is one cover", hint="name --cover or --cover-model")
    if path is not None:
        return signals.read(path)
    return None if model is None else generative.cover_of(generative.load(model), key, stego)
