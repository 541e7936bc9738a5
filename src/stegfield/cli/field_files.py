"""Fields as carriers of files: what ``embed``, ``extract`` and ``capacity`` do with one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stegfield.cli import also as more
from stegfield.cli.also import AlsoFiles
from stegfield.cli.asking import read_early, read_key, read_message
from stegfield.cli.signal_files import FIELDS, check_field_name, read_file
from stegfield.cli.streams import (
    check_output,
    check_stdin,
    files_among,
    is_stream,
    name_of,
    send_message,
    write,
)
from stegfield.cli.terminal import answer, say

if TYPE_CHECKING:
    from stegfield.fields.header import FieldFile
    from stegfield.hiding import RevealedFile
    from stegfield.payload.law import Found


def is_field(path: Path) -> bool:
    """Tell whether a file has the name of a field, and is not another program's safetensors."""
    from stegfield.fields import header

    return path.suffix.lower() == FIELDS and header.is_ours(path)


def embed(
    field: Path,
    message: Path,
    output: Path,
    *,
    key: Path | None,
    also: Sequence[AlsoFiles],
    keep: Sequence[Path],
    passphrase_stdin: bool,
    weak: bool,
    json: bool,
    force: bool,
) -> None:
    """Embed files in a field, whose random bits are all drawn anew."""
    from stegfield import files
    from stegfield.fields import carrying
    from stegfield.keys import KeyFile
    from stegfield.payload.law import Message

    files.check_apart(
        files_among(output), files_among(field, message, key, *more.paths(also), *keep)
    )
    check_output(output, json=json, force=force)
    check_field_name(output)
    keyless = any(each is None for each in (key, *(each.key for each in also)))
    check_stdin(message=message, passphrase_stdin=passphrase_stdin and keyless)
    held = _read(field)
    carrying.room(held, name=field)  # before anybody is asked for a passphrase
    data = read_early(message) if not is_stream(message) else b""
    further = more.read_messages(also)
    kept = [KeyFile.read(path) for path in keep]
    own = read_key(key, passphrase_stdin=passphrase_stdin and key is None, new=True, weak=weak)
    others = more.with_keys(also, further, passphrase_stdin=passphrase_stdin, weak=weak)
    data = read_message(message) if is_stream(message) else data
    messages = [Message.of(*each) for each in ((data, own), *others)]
    stego = carrying.embed(held, messages, keep=kept, name=field)
    left = carrying.room(stego, [*(each.key for each in messages), *kept])
    write(output, stego.to_bytes(), force=force)
    if json:
        sizes = [len(each.data) for each in messages]
        answer({"field": str(output), "message_bytes": sizes, "room": left.to_json()})
        return
    for path, each in zip((message, *(each.message for each in also)), messages, strict=True):
        say(f"{name_of(output, 'stdout')}: {name_of(path)}, {len(each.data):,} bytes")
    say(f"  room for {left.longest:,} bytes more")


def draw_again(field: Path, output: Path, *, json: bool, force: bool) -> None:
    """Draw all random bits of a field anew, as `embed` does, and put nothing into them."""
    from stegfield import files
    from stegfield.fields import carrying

    files.check_apart(files_among(output), files_among(field))
    check_output(output, json=json, force=force)
    check_field_name(output)
    drawn = carrying.embed(_read(field), [], name=field)
    write(output, drawn.to_bytes(), force=force)
    if json:
        answer({"field": str(output)})
        return
    say(f"{name_of(output, 'stdout')}: drawn again, with nothing in it")


def extract(
    field: Path,
    output: Path,
    *,
    key: Path | None,
    passphrase_stdin: bool,
    json: bool,
    force: bool,
) -> None:
    """Extract a file from a field."""
    from stegfield import files
    from stegfield.fields import carrying

    files.check_apart(files_among(output), files_among(field, key))
    check_output(output, json=json, force=force, text=True)
    held = _read(field)
    found = carrying.find(held, read_key(key, passphrase_stdin=passphrase_stdin))
    write_found(found, output, json=json, force=force)


def capacity(field: Path, keys: Sequence[Path], *, json: bool) -> None:
    """Tell what a field can carry beside the messages of some keys."""
    from stegfield.fields import carrying

    left = carrying.room(_read(field), keys, name=field)
    if json:
        answer(left.to_json())
        return
    beside = "" if not keys else f" beside {len(keys)} known message{'s' if len(keys) > 1 else ''}"
    print(  # noqa: T201
        f"{left.longest:,} bytes{beside}: {left.parts} parts of {left.part_bytes:,.0f} bytes, "
        f"up to {left.messages} messages"
    )


def write_found(found: Found | RevealedFile, output: Path, *, json: bool, force: bool) -> None:
    """Write a file that a key revealed; without a suffix, its name takes the one it had."""
    stdout = is_stream(output)
    path = output if stdout or output.suffix else output.with_name(output.name + found.suffix)
    if stdout:
        send_message(found.data)
    else:
        write(path, found.data, force=force, private=True)
    if json:
        answer({"file": str(path), "bytes": len(found.data), "suffix": found.suffix})
        return
    say(f"{name_of(path, 'stdout')}: {len(found.data):,} bytes")
    if found.suffix and path.suffix.lower() != found.suffix:
        say(f"note: the file that was hidden ended in {found.suffix}")


def _read(field: Path) -> FieldFile:
    from stegfield.fields import header

    return header.decode(read_file(field, header.LARGEST_FILE), name_of(field))
