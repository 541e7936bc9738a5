"""``stegfield inspect``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from stegfield.cli.signal_files import read_file
from stegfield.cli.streams import check_stdin, name_of
from stegfield.cli.terminal import answer

if TYPE_CHECKING:
    from stegfield.fields.header import FieldFile


def inspect(field: Path, /, *, json: bool = False) -> None:
    """Show what anyone can see of a field file, its header and its tensors; or a key's fingerprint.

    A field that hides a secret has the same entries as one that does not. Copies of a key share
    their fingerprint.

    Args:
        field: Field file or key file; - is stdin.
        json: Print the result as JSON.
    """
    from stegfield.fields import header
    from stegfield.keys.key_file import FILE_MARK

    check_stdin(field=field)
    data = read_file(field, header.LARGEST_FILE)
    if data.startswith(FILE_MARK.encode()):
        _tell_key(data, name_of(field), json=json)
        return
    found = header.decode(data, name_of(field))
    tensors: list[dict[str, Any]] = [
        {
            "name": name,
            "shape": list(tensor.shape),
            "smallest": float(tensor.min()),
            "largest": float(tensor.max()),
            "std": float(tensor.std(dtype="float64")),
        }
        for name, tensor in found.tensors.items()
    ]
    facts = {
        **found.header.to_json(),
        "weights": found.weight_count,
        "bytes": len(data),
        "tensors": tensors,
    }
    if json:
        answer(facts)
        return
    from rich.console import Console
    from rich.table import Table

    from stegfield import signals

    public = found.header.public
    size = signals.size_text(public.size)
    sizes = ", ".join(f"{name} {value:g}" for name, value in facts["sizes"].items())
    table = Table("tensor", "shape", "smallest", "largest", "std", box=None)
    for tensor in tensors:
        shape = "x".join(map(str, tensor["shape"]))
        figures = (f"{tensor[entry]:+.4f}" for entry in ("smallest", "largest", "std"))
        table.add_row(tensor["name"], shape, *figures)
    console = Console(highlight=False)
    console.print(f"{found.header.architecture}: {sizes}")
    rate = "" if public.rate is None else f", {public.rate:g} a second"
    channels = f"{public.channels} channel{'s' if public.channels > 1 else ''}"
    console.print(f"shows {public.medium.noun} of {size} with {channels}{rate}")
    console.print(f"{facts['weights']:,} weights in {facts['bytes']:,} bytes, seed {facts['seed']}")
    console.print(f"weights: {_origin(found)}")
    console.print(table)


def _origin(file: FieldFile) -> str:
    """Say how the weights came about, which is the same whether or not they carry anything."""
    from stegfield.fields import drawing

    grains = file.header.grains
    if grains is None:
        return "as they were trained; they can carry nothing"
    if drawing.plane_of(file.tensors, grains) is None:
        return "changed since they were drawn; what they may have carried is lost"
    return f"drawn, with {drawing.plane_bits(file.tensors, grains) // 8:,} bytes of random bits"


def _tell_key(data: bytes, name: str, *, json: bool) -> None:
    from stegfield.errors import KeyFileError
    from stegfield.keys import KeyFile

    try:
        found = KeyFile.parse(data)
    except KeyFileError as error:
        raise KeyFileError(f"{name} {error}") from None
    facts = {"fingerprint": found.key.fingerprint, "slot_bytes": len(found.slots)}
    if json:
        answer(facts)
        return
    slots = f", {len(found.slots):,} bytes of slot positions" if found.slots else ""
    print(f"a key, fingerprint {found.key.fingerprint}{slots}")  # noqa: T201
