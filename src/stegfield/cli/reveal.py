"""``stegfield reveal``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from stegfield.cli.asking import read_key_file
from stegfield.cli.signal_files import file_of, read_field
from stegfield.cli.streams import check_output, check_stdin, files_among, name_of, write
from stegfield.cli.terminal import answer, say


def reveal(
    field: Path,
    /,
    *,
    output: Annotated[Path, Parameter(alias="-o")],
    key: Path | None = None,
    size: str | None = None,
    ratio: float | None = None,
    values: Literal["matched", "xavier"] = "matched",
    passphrase_stdin: bool = False,
    json: bool = False,
    force: bool = False,
) -> None:
    """Write the secret that a key reveals in a field.

    Args:
        field: Field file; - is stdin.
        output: File to write, which only you may read: .png for an image, .wav or .flac for a
            sound, .nc for a climate field, .mp4 or .apng for a video, .npy for a volume, .ply for a
            shape; - is stdout.
        key: Key file; asks for a passphrase if left out.
        size: Columns x rows to sample, like 512x384, or samples of a sound [default: that of the
            secret]. With it, a secret in a damaged file is shown as well as possible.
        ratio: For a damaged file: share of slots, if it was not the default.
        values: For a damaged file: how slot values were drawn.
        passphrase_stdin: Read the passphrase from stdin.
        json: Print the result as JSON.
        force: Replace an existing file.
    """
    from stegfield import files, hiding, signals

    files.check_apart(files_among(output), files_among(field, key))
    check_output(output, json=json, force=force)
    check_stdin(field=field, passphrase_stdin=passphrase_stdin and key is None)
    points = None if size is None else signals.parse_size(size, None)
    loaded = read_field(field)
    share = loaded.slot_ratio if ratio is None else ratio
    shown = hiding.reveal(
        loaded,
        read_key_file(key, passphrase_stdin=passphrase_stdin),
        size=points,
        scheme=hiding.SlotScheme(ratio=share, values=values),
    )
    write(output, file_of(shown.signal, output), force=force, private=True)
    size_shown = shown.signal.size
    if json:
        medium = shown.signal.medium.name
        answer({medium: str(output), "size": list(size_shown), "certain": shown.certain})
        return
    say(f"{name_of(output, 'stdout')}: {signals.size_text(size_shown)}")
    if not shown.certain:
        what = shown.signal.medium.noun
        say(f"warning: no record was found with this key; check by eye whether this is {what}")
