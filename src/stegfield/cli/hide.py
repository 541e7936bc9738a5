"""``stegfield hide``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from stegfield.cli.asking import ask_passphrase
from stegfield.cli.covers import Generated, read_cover
from stegfield.cli.errors import warn
from stegfield.cli.parsing import parse_sizes
from stegfield.cli.progress import finish, watching
from stegfield.cli.secret_files import SecretFiles, Secrets
from stegfield.cli.signal_files import check_architecture, check_field_name, read_signal
from stegfield.cli.streams import check_output, check_stdin, files_among, name_of, write_all
from stegfield.cli.terminal import answer, say, warn_if_short
from stegfield.config import FitConfig, HideConfig
from stegfield.errors import KeyFileError

if TYPE_CHECKING:
    from stegfield.hiding import HideResult
    from stegfield.keys import Key, KeyFile, Passphrase


def hide(
    cover: Path | None = None,
    /,
    *,
    output: Annotated[Path, Parameter(alias="-o")],
    secret: Secrets = (),  # type: ignore[assignment]
    decoy: Annotated[tuple[Path, ...], Parameter(consume_multiple=True, negative="")] = (),
    field: str | None = None,
    sizes: str | None = None,
    like: Path | None = None,
    config: Annotated[HideConfig, Parameter(name="*")] = HideConfig(),
    training: Annotated[FitConfig, Parameter(name="*")] = FitConfig(),
    generated: Annotated[Generated, Parameter(name="*")] = Generated(),
    checkpoint: Path | None = None,
    passphrase_stdin: bool = False,
    weak: bool = False,
    flatten: bool = False,
    json: bool = False,
    force: bool = False,
) -> None:
    """Hide images, sounds and climate fields in the field of a cover; `reveal` shows each.

    Args:
        cover: What everyone sees, of any medium; name it before the secrets, or give --cover-model.
            - is stdin.
        output: Field file to write; - is stdout.
        secret: FILE [KEY]: what to hide, of any medium, and its key file; asks for a passphrase if
            the key is left out. May be given many times. With magnitude or random slots the key
            file is written, since it then holds the slot positions as well.
        decoy: An image to hide under a key that is forgotten at once. To every detector that was
            tried, a field with decoys looks like one with as many secrets.
        field: Architecture: siren, fourier, grid or one of another package [default:
            siren; fourier with --robust]. A grid fits fastest, but shows traces of the secrets to
            everyone.
        sizes: Sizes of the architecture that differ from its defaults, like width=256,depth=4.
        like: A field file of the cover without secrets, from `fit`. The new field keeps its
            architecture, sizes and sorted weights, which costs several dB. Never publish it.
        generated: A cover to generate, in place of an image.
        checkpoint: File to save the run to every 30 seconds, and to resume from if it exists; keep
            it as secret as the keys. With magnitude or random slots, the key files must exist
            beforehand, and --force writes the slots into them.
        passphrase_stdin: Read missing keys as passphrases from stdin, a line for each.
        weak: Take passphrases that are easily guessed.
        flatten: Put transparent images onto white.
        json: Print the result as JSON.
        force: Replace existing files.
    """
    from stegfield import fields, files, hiding

    shared = hiding.POSITION_RULES[config.slots].shared
    secret = [*secret, *(SecretFiles(image, decoy=True) for image in decoy)]
    covers = [Path(each) for each in (cover, generated.cover_model, like) if each]
    _check_files(output, checkpoint, covers, secret, shared=shared, force=force)
    check_architecture(field)
    check_output(output, json=json, force=force)
    asked = passphrase_stdin and any(not (each.key or each.decoy) for each in secret)
    check_stdin(cover=cover, passphrase_stdin=asked)
    cover_name, cover_signal = read_cover(cover, generated, seed=training.seed, flatten=flatten)
    images = [read_signal(entry.image, flatten=flatten) for entry in secret]
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
        cover_signal, architecture=field, sizes=parse_sizes(sizes), robust=training.robust
    )
    for caution in hiding.cautions(empty, [cover_signal, *images]):
        warn(caution)
    with watching(cover_name, *(entry.image.name for entry in secret)) as watch:
        result = hiding.hide(
            cover_signal,
            secrets,
            architecture=field,
            sizes=parse_sizes(sizes),
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
    read = [*covers, *(entry.image for entry in secrets), *([] if shared else keys)]
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
        prompt = f"Passphrase for {entry.image}: "
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
                "image": str(entry.image),
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
        say(f"  {entry.image}: {hidden.quality}, {key}")
    if result.positions_bits:
        say(
            f"  slot positions: {result.positions_bits // 8:,} bytes in each key, "
            f"{result.positions_bits / result.mask_bits:.1%} of the mask, "
            f"{result.positions_bits / result.positions_entropy_bits:.1%} of its entropy"
        )
