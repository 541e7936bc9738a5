"""``stegfield hide``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from stegfield.cli.covers import Generated
from stegfield.cli.hide_files import hide_files
from stegfield.cli.hide_functions import hide_functions
from stegfield.cli.secret_files import SecretFiles, Secrets
from stegfield.cli.signal_files import check_architecture
from stegfield.cli.streams import check_stdin
from stegfield.config import FitConfig, HideConfig


def hide(
    cover: Path | None = None,
    /,
    *,
    output: Annotated[Path, Parameter(alias="-o")],
    secret: Secrets = (),  # type: ignore[assignment]
    decoy: Annotated[tuple[Path, ...], Parameter(consume_multiple=True, negative="")] = (),
    as_: Annotated[Literal["files", "functions"] | None, Parameter(name="--as")] = None,
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
    """Hide files in the field of a cover; `reveal` gives each back, bit for bit.

    The field is fitted as `fit` does it, and nobody can tell it from one that hides nothing, if the
    ciphers hold. With --as functions the field shows each secret to its key, as an image, a sound
    or a climate field: with a small error, and in a way that detectors find.

    Args:
        cover: What everyone sees, of any medium; name it before the secrets, or give --cover-model.
            - is stdin.
        output: Field file to write; - is stdout.
        secret: FILE [KEY]: what to hide, a file of any type, and its key file; asks for a
            passphrase if the key is left out. May be given many times, up to 8 as files. As
            functions, with magnitude or random slots, the key file is written, since it then holds
            the slot positions as well.
        decoy: A file to hide under a key that is forgotten at once.
        as_: How secrets are hidden: as files, or as functions that the field shows [default: files;
            functions with an option that only functions have, or with --robust].
        field: Architecture: siren, fourier, grid or one of another package [default: chosen by the
            size of the cover and the time; fourier with --robust]. A grid fits fastest, but shows
            traces of functions to everyone.
        sizes: Sizes of the architecture that differ from its defaults, like width=256,depth=4.
        like: For functions: a field file of the cover without secrets, from `fit`. The new field
            keeps its architecture, sizes and sorted weights, which costs several dB. Never publish
            it.
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
    from stegfield import hiding

    secrets = [*secret, *(SecretFiles(path, decoy=True) for path in decoy)]
    check_architecture(field)
    asked = passphrase_stdin and any(not (each.key or each.decoy) for each in secrets)
    check_stdin(cover=cover, passphrase_stdin=asked)
    kind = hiding.kind_of(as_, config, training, like=like, checkpoint=checkpoint)
    if kind == "files":
        hide_files(
            cover,
            output,
            secrets,
            field=field,
            sizes=sizes,
            training=training,
            generated=generated,
            checkpoint=checkpoint,
            passphrase_stdin=passphrase_stdin,
            weak=weak,
            flatten=flatten,
            json=json,
            force=force,
        )
        return
    hide_functions(
        cover,
        output,
        secrets,
        field=field,
        sizes=sizes,
        like=like,
        config=config,
        training=training,
        generated=generated,
        checkpoint=checkpoint,
        passphrase_stdin=passphrase_stdin,
        weak=weak,
        flatten=flatten,
        json=json,
        force=force,
    )
