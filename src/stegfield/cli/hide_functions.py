"""``stegfield hide --as functions``: signals that a field shows, as StegaINR4MIH hides them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stegfield.cli.asking import ask_passphrase
from stegfield.cli.covers import Generated, read_cover
from stegfield.cli.errors import warn
from stegfield.cli.parsing import parse_sizes
from stegfield.cli.progress import finish, watching
from stegfield.cli.secret_files import SecretFiles
from stegfield.cli.signal_files import check_field_name, read_signal
from stegfield.cli.streams import check_output, files_among, name_of, write_all
from stegfield.cli.terminal import answer, say, warn_if_short
from stegfield.cli.waiting import chosen, waited
from stegfield.config import FitConfig, HideConfig
from stegfield.errors import KeyFileError

if TYPE_CHECKING:
    from stegfield.hiding import HideResult
    from stegfield.keys import Key, KeyFile, Passphrase


def hide_functions(
    cover: Path | None,
    output: Path,
    secret: Sequence[SecretFiles],
    *,
    field: str | None,
    sizes: str | None,
    like: Path | None,
    config: HideConfig,
    training: FitConfig,
    generated: Generated,
    checkpoint: Path | None,
    passphrase_stdin: bool,
    weak: bool,
    flatten: bool,
    json: bool,
    force: bool,
) -> None:
    """Hide signals in a field; the arguments are those of the command."""
    from stegfield import fields, files, hiding

    shared = hiding.POSITION_RULES[config.slot_rule].shared
    covers = [Path(each) for each in (cover, generated.cover_model, like) if each]
    _check_files(output, checkpoint, covers, secret, shared=shared, force=force)
    check_output(output, json=json, force=force)
    cover_name, cover_signal = read_cover(cover, generated, seed=training.seed, flatten=flatten)
    named: dict[str, Any] = {"architecture": field, "sizes": parse_sizes(sizes)}
    told = None
    if like is None:
        named["architecture"], told = chosen(
            cover_signal, training, checkpoint, **named, shared=True
        )
    training = waited(training)
    images = [read_signal(entry.file, flatten=flatten) for entry in secret]
    secrets = [
        hiding.Secret.decoy(image)
        if entry.decoy
        else hiding.Secret(
            image, _key(entry, shared, checkpoint, passphrase_stdin, force, weak=weak)
        )
        for entry, image in zip(secret, images, strict=True)
    ]
    clean = None if like is None else fields.load(like)
    empty = clean or fields.new_field(
        cover_signal, **named, training=training, shared=True, checkpoint=checkpoint
    )
    warn(hiding.DETECTED)
    for caution in hiding.cautions(empty, [cover_signal, *images]):
        warn(caution)
    with watching(cover_name, *(entry.file.name for entry in secret), opening=told) as watch:
        result = hiding.hide_functions(
            cover_signal,
            secrets,
            **named,
            config=config,
            training=training,
            watch=watch,
            checkpoint=checkpoint,
            like=clean,
        )
    outputs = [files.Output(output, fields.to_bytes(result.field))]
    if shared:
        outputs += [
            files.Output(entry.key, hidden.key_file.to_bytes(), private=True)
            for entry, hidden in zip(secret, result.secrets, strict=True)
            if entry.key is not None and hidden.key_file is not None
        ]
    write_all(outputs, force=force)
    everything = [result.cover, *(hidden.quality for hidden in result.secrets)]
    warn_if_short(training.target_db, everything)
    finish(checkpoint, stopped=result.stopped)
    if json:
        answer(_facts(output, str(cover or cover_name), secret, result))
    else:
        _report(output, str(cover or cover_name), secret, result)


def _check_files(
    output: Path,
    checkpoint: Path | None,
    covers: list[Path],
    secrets: Sequence[SecretFiles],
    *,
    shared: bool,
    force: bool,
) -> None:
    """Refuse outputs that would replace inputs, key files with shared slots included."""
    from stegfield import files

    keys = [entry.key for entry in secrets if entry.key is not None]
    written = [output, *([checkpoint] if checkpoint else []), *(keys if shared else [])]
    read = [*covers, *(entry.file for entry in secrets), *([] if shared else keys)]
    files.check_apart(files_among(*written), files_among(*read))
    check_field_name(output)
    if checkpoint is not None:
        files.check_new(checkpoint, force=True)


def _key(
    entry: SecretFiles,
    shared: bool,
    checkpoint: Path | None,
    passphrase_stdin: bool,
    force: bool,
    *,
    weak: bool,
) -> Key | KeyFile | Passphrase:
    """Read a key, or draw the key for a key file that will be written."""
    from stegfield.keys import Key, KeyFile

    if entry.key is None:
        prompt = f"Passphrase for {entry.file}: "
        return ask_passphrase(prompt, from_stdin=passphrase_stdin, new=True, weak=weak)
    if not shared:
        return KeyFile.read(entry.key)
    if not entry.key.exists():
        if checkpoint is not None:
            raise KeyFileError(
                f"{entry.key} does not exist, and a run with a checkpoint needs its key",
                hint="write it with `stegfield keygen`, and repeat the command with --force",
            )
        return Key.generate()
    if not force:
        raise KeyFileError(
            f"{entry.key} exists already, and the slot positions must be written into it",
            hint="name a key file that does not exist yet, or add to this one with --force",
        )
    return KeyFile.read(entry.key)


def _facts(
    output: Path, cover: str, secrets: Sequence[SecretFiles], result: HideResult
) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "field": str(output),
        "weights": result.field.weight_count(),
        "cover": {"image": cover, **result.cover.to_json()},
        "secrets": [
            {
                "image": str(entry.file),
                "key": None if entry.key is None else str(entry.key),
                "decoy": entry.decoy,
                "key_bytes": hidden.key_file and len(hidden.key_file.to_bytes()),
                **hidden.quality.to_json(),
            }
            for entry, hidden in zip(secrets, result.secrets, strict=True)
        ],
        "steps": result.steps,
        "seconds": round(result.seconds, 3),
        "stopped": result.stopped,
    }
    if result.positions_bits:
        facts["slot_positions"] = {
            "bytes": result.positions_bits // 8,
            "share_of_mask": result.positions_bits / result.mask_bits,
            "share_of_entropy": result.positions_bits / result.positions_entropy_bits,
        }
    return facts


def _report(output: Path, cover: str, secrets: Sequence[SecretFiles], result: HideResult) -> None:
    say(f"{name_of(output, 'stdout')}: {result.steps} steps in {result.seconds:.1f} s")
    say(f"  {cover}: {result.cover}")
    for entry, hidden in zip(secrets, result.secrets, strict=True):
        key = "key: a passphrase"
        if hidden.key_file is None:
            key = "a decoy"
        elif entry.key is not None:
            key = f"key {entry.key} ({len(hidden.key_file.to_bytes()):,} bytes)"
        say(f"  {entry.file}: {hidden.quality}, {key}")
    if result.positions_bits:
        say(
            f"  slot positions: {result.positions_bits // 8:,} bytes in each key, "
            f"{result.positions_bits / result.mask_bits:.1%} of the mask, "
            f"{result.positions_bits / result.positions_entropy_bits:.1%} of its entropy"
        )
