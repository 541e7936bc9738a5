"""``stegfield hide``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from stegfield.cli.covers import Drawn, read_cover
from stegfield.cli.secret_files import SecretFiles, Secrets
from stegfield.cli.signal_files import check_field_name
from stegfield.cli.terminal import (
    answer,
    ask_passphrase,
    finish,
    parse_sizes,
    say,
    warn_if_short,
    watching,
)
from stegfield.config import FitConfig, HideConfig
from stegfield.errors import ConfigError, KeyFileError

if TYPE_CHECKING:
    from stegfield.hiding import HideResult
    from stegfield.keys import Key, Passphrase

POOR_PSNR_DB = 35.0


def hide(
    cover: Path | None = None,
    /,
    *,
    output: Annotated[Path, Parameter(alias="-o")],
    secret: Secrets = (),  # type: ignore[assignment]
    decoy: Annotated[tuple[Path, ...], Parameter(consume_multiple=True, negative="")] = (),
    field: Literal["siren", "fourier", "grid"] | None = None,
    sizes: str | None = None,
    like: Path | None = None,
    config: Annotated[HideConfig, Parameter(name="*")] = HideConfig(),
    training: Annotated[FitConfig, Parameter(name="*")] = FitConfig(),
    drawn: Annotated[Drawn, Parameter(name="*")] = Drawn(),
    checkpoint: Path | None = None,
    passphrase_stdin: bool = False,
    flatten: bool = False,
    json: bool = False,
    force: bool = False,
) -> None:
    """Hide images, sounds and climate fields in the field of a cover; `reveal` shows each.

    Args:
        cover: What everyone sees, of any medium; name it before the secrets, or have it drawn.
        output: Field file to write.
        secret: FILE [KEY]: what to hide, of any medium, and its key file; asks for a passphrase if
            the key is left out. May be given many times. With magnitude or random slots the key
            file is written, since it then holds the slot positions as well.
        decoy: An image to hide under a key that is forgotten at once. Fields with as many decoys
            as others have secrets are not told from them.
        field: Architecture [default: siren; fourier with --robust]. A grid fits fastest, but shows
            traces of the secrets to everyone.
        sizes: Sizes of the architecture that differ from its defaults, like width=256,depth=4.
        like: A field file of the cover that hides nothing, from `fit`. The new field takes over its
            architecture, sizes and sorted weights, for several dB. Never publish it.
        drawn: A cover to draw, in place of an image.
        checkpoint: File to save the run to every 30 seconds, and to go on from if it exists; keep
            it as secret as the keys. With magnitude or random slots, the key files must exist
            beforehand, and --force writes the slots into them.
        passphrase_stdin: Read missing keys as passphrases from stdin, a line for each.
        flatten: Put transparent images onto white.
        json: Print the result as JSON.
        force: Replace existing files.
    """
    from stegfield import fields, files, hiding, signals

    shared = config.slots != "keyed"
    if decoy and checkpoint is not None:
        raise ConfigError(
            "decoys cannot be gone on with: their keys are not kept",
            hint="leave out --checkpoint, or give each decoy a key file with --secret",
        )
    secret = [*secret, *(SecretFiles(image, decoy=True) for image in decoy)]
    keys_given = [entry.key for entry in secret if entry.key is not None]
    written = [output, *([checkpoint] if checkpoint else []), *(keys_given if shared else [])]
    read = [
        *(Path(each) for each in (cover, drawn.cover_model) if each),
        *(entry.image for entry in secret),
        *([] if shared else keys_given),
        *([like] if like else []),
    ]
    files.check_apart(written, read)
    check_field_name(output)
    files.check_new(output, force=force)
    if checkpoint is not None:
        files.check_new(checkpoint, force=True)
    cover_name, cover_signal = read_cover(cover, drawn, seed=training.seed, flatten=flatten)
    images = [signals.read(entry.image, flatten=flatten) for entry in secret]
    keys = [_key(entry, shared, checkpoint, passphrase_stdin, force) for entry in secret]
    secrets = [hiding.Secret(i, key) for i, key in zip(images, keys, strict=True)]
    clean = None if like is None else fields.load(like)
    if clean is not None and (sizes is not None or field not in (None, clean.architecture)):
        raise ConfigError(
            "with --like, architecture and sizes are those of its field",
            hint="leave out --field and --sizes",
        )
    empty = clean or fields.new_field(
        cover_signal, architecture=field, sizes=parse_sizes(sizes), robust=training.robust
    )
    _warn_if_small(empty, [cover_signal, *images])
    if empty.architecture == "grid":
        say(
            "warning: the grids of this field show traces of its secrets to anyone who looks\n"
            "hint: take it to carry images, and --field siren to conceal them"
        )
    with watching([cover_name, *(entry.image.name for entry in secret)]) as watch:
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
            files.Output(entry.key, hidden.key.to_bytes(), private=True)
            for entry, hidden in zip(secret, result.secrets, strict=True)
            if entry.key is not None
        ]
    files.write_all_new(outputs, force=force)
    everything = [result.cover, *(hidden.quality for hidden in result.secrets)]
    warn_if_short(training.target_db, everything)
    finish(checkpoint, stopped=result.stopped)
    if json:
        answer(_facts(output, str(cover or cover_name), secret, result))
    else:
        _report(output, str(cover or cover_name), secret, result)


def _key(
    entry: SecretFiles, shared: bool, checkpoint: Path | None, passphrase_stdin: bool, force: bool
) -> Key | Passphrase:
    from stegfield.keys import Key

    if entry.decoy:
        return Key.generate()
    if entry.key is None:
        prompt = f"Passphrase for {entry.image}: "
        return ask_passphrase(prompt, from_stdin=passphrase_stdin, repeat=True)
    if not shared:
        return Key.read(entry.key)
    if not entry.key.exists():
        if checkpoint is not None:
            raise KeyFileError(
                f"{entry.key} does not exist, and only with its key could the run go on",
                hint="write it with `stegfield keygen`, and repeat the command with --force",
            )
        return Key.generate()
    if not force:
        raise KeyFileError(
            f"{entry.key} exists already, and these slots have to be written into it",
            hint="name a key file that does not exist yet, or add to this one with --force",
        )
    key = Key.read(entry.key)
    going_on = checkpoint is not None and checkpoint.exists()
    if key.slots and not going_on:  # a run that was wound down has written its slots already
        raise KeyFileError(
            f"{entry.key} holds the slots of another field", hint="name a new key file"
        )
    return key


def _warn_if_small(field: Any, signals: Sequence[Any]) -> None:
    from stegfield.hiding import expected_psnr_db

    expected = expected_psnr_db(field, signals)
    if expected < POOR_PSNR_DB:
        say(
            f"warning: {field.weight_count():,} weights are few for all this: expect about "
            f"{max(expected, 10):.0f} dB\n"
            "hint: take a larger field, as with --sizes width=256, or hide less"
        )


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
                "key_bytes": len(hidden.key.to_bytes()),
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
    say(f"{output}: {result.steps} steps in {result.seconds:.1f} s")
    say(f"  {cover}: {result.cover}")
    for entry, hidden in zip(secrets, result.secrets, strict=True):
        key = "key: a passphrase"
        if entry.decoy:
            key = "a decoy"
        elif entry.key is not None:
            key = f"key {entry.key} ({len(hidden.key.to_bytes()):,} bytes)"
        say(f"  {entry.image}: {hidden.quality}, {key}")
    if result.positions_bits:
        say(
            f"  slot positions: {result.positions_bits // 8:,} bytes in each key, "
            f"{result.positions_bits / result.mask_bits:.1%} of the mask, "
            f"{result.positions_bits / result.positions_entropy_bits:.1%} of its entropy"
        )
