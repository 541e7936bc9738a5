"""Other people's models as covers, for ``stegfield embed``, ``extract`` and ``capacity``."""

from __future__ import annotations

import json
from pathlib import Path

from stegfield.cli.asking import read_key, read_message
from stegfield.cli.signal_files import FIELDS
from stegfield.cli.streams import is_stream, name_of, write
from stegfield.cli.terminal import answer, say
from stegfield.config import DescentConfig, EmbedConfig, changed
from stegfield.errors import ConfigError, Wording

HEEDED = {"constraint_height"}
"""Settings that mean something for weights."""


def is_model(path: Path) -> bool:
    """Tell whether a file is safetensors, but no field of ours.

    Raises:
        InputError: The file cannot be read.
    """
    from stegfield import files
    from stegfield.fields.header import ENTRY
    from stegfield.signals.sniffing import PREFIX, sniff
    from stegfield.tensor_files import LARGEST_FOREIGN_HEADER, LENGTH_BYTES, METADATA

    if is_stream(path):
        return False
    start = files.read_start(path, PREFIX)
    kind = sniff(start)
    if kind is None or kind.suffix != FIELDS:
        return False
    length = min(int.from_bytes(start[:LENGTH_BYTES], "little"), LARGEST_FOREIGN_HEADER)
    try:
        header = json.loads(files.read_start(path, LENGTH_BYTES + length)[LENGTH_BYTES:])
        return ENTRY not in header.get(METADATA, {})
    except Exception:  # not readable: who reads it in full says why
        return True


def embed_in_model(
    cover: Path,
    message: Path,
    output: Path,
    *,
    key: Path | None,
    config: EmbedConfig,
    descent: DescentConfig,
    passphrase_stdin: bool,
    weak: bool,
    as_json: bool,
    force: bool,
) -> None:
    """Embed a file in a model, and say what is known of its concealment: nothing.

    Raises:
        ConfigError: A setting has no meaning for weights, or the output is not .safetensors.
    """
    from stegfield.fixednet.weights import NO_LAW, embed_weights

    for name in (*changed(config), *changed(descent)):
        if name not in HEEDED:
            raise ConfigError(
                Wording(f"{{{name}}} has no meaning for the weights of a model"),
                hint="leave it out",
            )
    if not is_stream(output) and output.suffix.lower() != FIELDS:
        raise ConfigError(
            f"a model is written as a {FIELDS} file", hint=f"name an output that ends in {FIELDS}"
        )
    data = b"" if is_stream(message) else read_message(message)
    say(f"note: {NO_LAW}")
    with_key = read_key(key, passphrase_stdin=passphrase_stdin, new=True, weak=weak)
    if is_stream(message):  # last, since the user may have to type it
        data = read_message(message)
    result = embed_weights(cover, data, with_key, constraint_height=config.constraint_height)
    write(output, result.file, force=force)
    if as_json:
        answer({"model": str(output), **result.to_json()})
    else:
        say(
            f"{name_of(output, 'stdout')}: {result.message_bytes:,} bytes in {result.bits:,} bits; "
            f"read back and compared\n{result.changed:,} of {result.weights:,} weights changed by "
            f"one unit in the last place, {result.seconds:.1f} s"
        )


def extract_from_model(stego: Path, key: Path | None, *, passphrase_stdin: bool) -> bytes:
    """Extract a file from a model.

    Raises:
        UnreadableError: There is no message for this key.
    """
    from stegfield.fixednet.weights import extract_weights

    return extract_weights(stego, read_key(key, passphrase_stdin=passphrase_stdin))


def tell_model_capacity(cover: Path, *, as_json: bool) -> None:
    """Say how many bytes a model can carry."""
    from rich.console import Console
    from rich.table import Table

    from stegfield.fixednet.weights import weights_capacity

    most = weights_capacity(cover)
    if as_json:
        answer({"exact": {"at most": most}})
        return
    table = Table("profile", "rate", "bytes", box=None)
    table.add_row("exact", "at most", f"{most:,}")
    Console().print(table)
