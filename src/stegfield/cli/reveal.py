"""``stegfield reveal``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from stegfield.cli.asking import read_key_file
from stegfield.cli.field_files import write_found
from stegfield.cli.signal_files import file_of, read_file
from stegfield.cli.streams import (
    check_output,
    check_stdin,
    files_among,
    name_of,
    write,
)
from stegfield.cli.terminal import answer, say

if TYPE_CHECKING:
    from stegfield.config import ValueRule
    from stegfield.hiding import Revealed, SlotScheme


def reveal(
    field: Path,
    /,
    *,
    output: Annotated[Path, Parameter(alias="-o")],
    key: Path | None = None,
    size: str | None = None,
    ratio: float | None = None,
    values: Literal["matched", "xavier"] | None = None,
    passphrase_stdin: bool = False,
    json: bool = False,
    force: bool = False,
) -> None:
    """Write the secret that a key reveals in a field: a file, bit for bit, or what the field shows.

    Args:
        field: Field file; - is stdin.
        output: File to write, which only you may read. Without a suffix, it takes that of the file
            that was hidden. What the field shows is written as .png for an image, .wav or .flac for
            a sound, .nc for a climate field, .mp4 or .apng for a video, .npy for a volume, .ply for
            a shape. - is stdout.
        key: Key file; asks for a passphrase if left out.
        size: Of what the field shows, columns x rows to sample, like 512x384, or samples of a sound
            [default: that of the secret]. With it, a secret in a damaged file is shown as well as
            possible.
        ratio: For a damaged file: share of slots, if it was not the default.
        values: For a damaged file: how slot values were drawn.
        passphrase_stdin: Read the passphrase from stdin.
        json: Print the result as JSON.
        force: Replace an existing file.
    """
    from stegfield import files, hiding, signals
    from stegfield.fields import header

    files.check_apart(files_among(output), files_among(field, key))
    check_output(output, json=json, force=force, text=True)
    check_stdin(field=field, passphrase_stdin=passphrase_stdin and key is None)
    points = None if size is None else signals.parse_size(size, None)
    held = header.decode(read_file(field, header.LARGEST_FILE), name_of(field))
    opened = read_key_file(key, passphrase_stdin=passphrase_stdin)
    scheme = _scheme(held.header.architecture, ratio, values) if ratio or values else None
    found = hiding.reveal(held, opened, size=points, scheme=scheme)
    if isinstance(found, hiding.RevealedFile):
        write_found(found, output, json=json, force=force)
    else:
        _write_shown(found, output, json=json, force=force)


def _scheme(architecture: str, ratio: float | None, values: ValueRule | None) -> SlotScheme:
    """Return what the sender chose for functions, as far as the receiver knows it."""
    from stegfield import fields, hiding

    usual = fields.ARCHITECTURES[architecture].slot_ratio
    return hiding.SlotScheme(ratio=usual if ratio is None else ratio, values=values or "matched")


def _write_shown(shown: Revealed, output: Path, *, json: bool, force: bool) -> None:
    from stegfield import signals

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
