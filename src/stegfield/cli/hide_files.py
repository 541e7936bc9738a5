"""``stegfield hide``: files of any type in the field of a cover."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stegfield.cli.asking import ask_passphrase
from stegfield.cli.covers import Generated, read_cover
from stegfield.cli.fit import fitted_facts, tell_fitted
from stegfield.cli.parsing import parse_sizes
from stegfield.cli.progress import finish, watching
from stegfield.cli.secret_files import SecretFiles
from stegfield.cli.signal_files import check_field_name
from stegfield.cli.streams import check_output, files_among, write
from stegfield.cli.terminal import answer, say, warn_if_short
from stegfield.cli.waiting import chosen, waited
from stegfield.config import FitConfig

if TYPE_CHECKING:
    from stegfield.hiding import FilesResult
    from stegfield.keys import KeyFile, Passphrase


def hide_files(
    cover: Path | None,
    output: Path,
    secrets: Sequence[SecretFiles],
    *,
    field: str | None,
    sizes: str | None,
    training: FitConfig,
    generated: Generated,
    checkpoint: Path | None,
    passphrase_stdin: bool,
    weak: bool,
    flatten: bool,
    json: bool,
    force: bool,
) -> None:
    """Hide files in a field; the arguments are those of the command."""
    from stegfield import fields, files, hiding

    keys = [entry.key for entry in secrets]
    model = Path(generated.cover_model) if generated.cover_model else None
    inputs = files_among(cover, model, *keys, *(entry.file for entry in secrets))
    files.check_apart(files_among(output, checkpoint), inputs)
    check_field_name(output)
    check_output(output, json=json, force=force)
    if checkpoint is not None:
        files.check_new(checkpoint, force=True)
    name, signal = read_cover(cover, generated, seed=training.seed, flatten=flatten)
    named: dict[str, Any] = {"architecture": field, "sizes": parse_sizes(sizes)}
    named["architecture"], told = chosen(signal, training, checkpoint, **named)
    training = waited(training)  # before the keys: how long they take decides nothing
    given = [entry for entry in secrets if not entry.decoy]
    pairs = [(entry.file, _key(entry, passphrase_stdin, weak=weak)) for entry in given]
    with watching(name, opening=told) as watch:
        result = hiding.hide(
            signal,
            pairs,
            decoys=[entry.file for entry in secrets if entry.decoy],
            **named,
            training=training,
            watch=watch,
            checkpoint=checkpoint,
        )
    write(output, fields.to_bytes(result.field), force=force)
    warn_if_short(training.target_db, [result.quality])
    finish(checkpoint, stopped=result.stopped)
    ordered = [*given, *(entry for entry in secrets if entry.decoy)]
    if json:
        answer(fitted_facts(output, result) | _facts(ordered, result))
    else:
        tell_fitted(output, result)
        _tell(ordered, result)


def _key(entry: SecretFiles, passphrase_stdin: bool, *, weak: bool) -> KeyFile | Passphrase:
    from stegfield.keys import KeyFile

    if entry.key is not None:
        return KeyFile.read(entry.key)
    prompt = f"Passphrase for {entry.file}: "
    return ask_passphrase(prompt, from_stdin=passphrase_stdin, new=True, weak=weak)


def _facts(secrets: Sequence[SecretFiles], result: FilesResult) -> dict[str, Any]:
    return {
        "secrets": [
            {
                "file": str(entry.file),
                "key": None if entry.key is None else str(entry.key),
                "decoy": entry.decoy,
                "bytes": count,
            }
            for entry, count in zip(secrets, result.message_bytes, strict=True)
        ],
        "room": result.room.to_json(),
    }


def _tell(secrets: Sequence[SecretFiles], result: FilesResult) -> None:
    for entry, count in zip(secrets, result.message_bytes, strict=True):
        key = "a decoy" if entry.decoy else f"key {entry.key}" if entry.key else "a passphrase"
        say(f"  {entry.file}: {count:,} bytes, {key}")
    if result.room.longest:
        say(f"  room for {result.room.longest:,} bytes more")
