"""``stegfield export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from stegfield.cli.terminal import answer, say
from stegfield.errors import ConfigError


def export(
    field: Path,
    /,
    *,
    output: Annotated[Path, Parameter(alias="-o")],
    onnx: bool = False,
    licence: Annotated[str | None, Parameter(alias="--license")] = None,
    push: str | None = None,
    private: bool = False,
    json: bool = False,
    force: bool = False,
) -> None:
    """Write a field as a folder for a model hub: weights, config, model card and a picture.

    The card says what the field shows and how large it is. It says the same whether or not the
    field hides a secret.

    Args:
        field: Field file.
        output: Folder to write; it may exist.
        onnx: Add the field as ONNX, for other programs.
        licence: Licence for the card, as hubs name them, like cc-by-4.0.
        push: Upload the folder to this repository of the hub, OWNER/NAME.
        private: Create the repository as a private one.
        json: Print the result as JSON.
        force: Replace existing files.
    """
    from stegfield import fields, files, publishing

    if private and push is None:
        raise ConfigError("--private is for the hub", hint="name a repository with --push")
    if push is not None:
        publishing.check_repository(push)
        publishing.check_hub()
    loaded = fields.load(field)
    name = field.stem if push is None else push.partition("/")[2]
    written = publishing.folder_files(loaded, name=name, licence=licence, onnx=onnx)
    files.make_folder(output)
    outputs = [files.Output(output / entry, data) for entry, data in written.items()]
    files.check_apart([each.path for each in outputs], [field])
    files.write_all_new(outputs, force=force)
    say(f"{output}: {', '.join(written)}")
    facts = {"folder": str(output), "files": {entry: len(data) for entry, data in written.items()}}
    if push is not None:
        address = publishing.push(output, written, push, private=private)
        facts["address"] = address
        say(f"uploaded to {address}")
    if json:
        answer(facts)
