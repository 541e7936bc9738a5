"""``stegfield inspect``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stegfield.cli.terminal import answer, size_text


def inspect(field: Path, /, *, json: bool = False) -> None:
    """Show what anyone can see of a field file: its header and its tensors.

    A field that hides a secret has the same entries as one that does not.

    Args:
        field: Field file.
        json: Print the result as JSON.
    """
    from stegfield.fields import header

    found = header.read(field)
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
        "bytes": field.stat().st_size,
        "tensors": tensors,
    }
    if json:
        answer(facts)
        return
    from rich.console import Console
    from rich.table import Table

    public = found.header.public
    size = size_text(public.size)
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
    console.print(table)
