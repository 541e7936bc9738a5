"""Publishing: a field as a folder in the layout of a model hub, on the hub itself, and as ONNX.

Everything that is written comes from the field file, so it is the same whether or not the field
hides anything.
"""

from __future__ import annotations

import json
import logging
import math
import re
import warnings
from collections.abc import Mapping
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from stegfield import fields, signals
from stegfield.errors import ConfigError, InputError, OutputError

if TYPE_CHECKING:
    from stegfield.fields import Field

WEIGHTS, ONNX, CARD = "model.safetensors", "model.onnx", "README.md"
LARGEST_PREVIEW = 1 << 20
"""Points of the picture beside the card; larger signals are sampled more coarsely for it."""
REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
LICENCE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,63}")
INPUT, OUTPUT = "coordinates", "values"
MISSING = "install it with: pip install 'stegfield[publish]'"


def folder_files(
    field: Field, *, name: str, licence: str | None = None, onnx: bool = False
) -> dict[str, bytes]:
    """Return the files of a folder that a model hub understands, by name.

    Args:
        field: What to publish.
        name: Title of the card.
        licence: Identifier of the licence, as hubs have them, like ``cc-by-4.0``.
        onnx: Whether to add the field as ONNX.

    Raises:
        ConfigError: the licence is not an identifier.
        InputError: the packages for ONNX are not installed.
    """
    if licence is not None and not LICENCE.fullmatch(licence):
        raise ConfigError(
            f"{licence!r} does not name a licence", hint="hubs have names like cc-by-4.0"
        )
    config = {**field.header(), "weights": field.weight_count()}
    extra = {ONNX: to_onnx(field)} if onnx else {}
    return {
        WEIGHTS: fields.to_bytes(field),
        "config.json": (json.dumps(config, indent=2) + "\n").encode(),
        "preview.png": _preview(field),
        CARD: card(field, name=name, licence=licence, onnx=onnx).encode(),
        **extra,
    }


def card(field: Field, *, name: str, licence: str | None = None, onnx: bool = False) -> str:
    """Return a model card in Markdown: what the field shows, its size, and how to show it."""
    public = field.public
    shown = public.medium.noun.capitalize()
    suffix = public.medium.suffixes[0]
    size, larger = (
        "x".join(str(times * side) for side in reversed(public.size)) for times in (1, 2)
    )
    sizes = ", ".join(f"{entry} {value:g}" for entry, value in field.header()["sizes"].items())
    licences = [] if licence is None else [f"license: {licence}"]
    front = [
        "---",
        *licences,
        "library_name: stegfield",
        "tags:",
        "- neural-field",
        "- implicit-neural-representation",
        "---",
    ]
    lines = [
        *front,
        "",
        f"# {name}",
        "",
        "![What the field shows](preview.png)",
        "",
        f"{shown} as a neural field: a network that gives the value at any point, so that it can "
        "be sampled at any size.",
        "",
        f"- Signal: {public.medium.name}, {size}, channels: {field.channels}",
        f"- Architecture: {field.architecture} ({sizes})",
        f"- Weights: {field.weight_count():,}, float32",
        "",
        "```",
        "pip install stegfield",
        f"stegfield render {WEIGHTS} -o shown{suffix} --size {larger}",
        "```",
    ]
    if onnx:
        across = ", ".join(f"{half:g}" for half in field.extent)
        within = "unit vectors" if public.medium.on_globe else f"within +-({across})"
        lines += [
            "",
            f"`{ONNX}` takes `{INPUT}` (float32, points x {public.axes}, {within}) and gives "
            f"`{OUTPUT}` (points x {field.channels}, near [-1, 1]).",
        ]
    return "\n".join(lines) + "\n"


def to_onnx(field: Field) -> bytes:
    """Encode a field as an ONNX model of its own: any number of points in, their values out.

    It has one input, ``coordinates`` (points x axes), and one output, ``values`` (points x
    channels), as `Field.coordinates` and `Field.forward` have them. Names of source files, which
    the exporter notes, are left out.

    Raises:
        InputError: the packages onnx and onnxscript are not installed.
    """
    import torch

    try:
        import onnxscript  # noqa: F401 - torch's exporter needs it
        from onnx import ModelProto
    except ImportError:
        raise InputError("ONNX needs the packages onnx and onnxscript", hint=MISSING) from None
    points = field.coordinates(field.public.size, 0, 2)
    logging.getLogger("torch.onnx").setLevel(
        logging.ERROR
    )  # it complains that torchvision is missing
    with warnings.catch_warnings(), redirect_stdout(StringIO()):
        warnings.simplefilter("ignore")  # about deprecated parts of the exporter's own
        program = torch.onnx.export(
            field.eval(),
            (points,),
            dynamo=True,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=({0: torch.export.Dim("points")},),
            verbose=False,
        )
    model: ModelProto = program.model_proto  # type: ignore[union-attr]
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.value_info, *graph.input, *graph.output):
        del part.metadata_props[:]
        part.doc_string = ""
    data: bytes = model.SerializeToString()
    return data


def push(folder: Path, names: Mapping[str, bytes], repository: str, *, private: bool) -> str:
    """Upload files of a folder to a model hub; return the address of the repository.

    The address of the hub and the user's login are those of `huggingface_hub`: ``hf auth login``,
    HF_TOKEN, HF_ENDPOINT.

    Raises:
        InputError: the package huggingface_hub is not installed.
        OutputError: the hub cannot be reached, or refuses the files.
    """
    check_hub()
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HTTPError, LocalTokenNotFoundError

    hub = HfApi(library_name="stegfield")
    login = "log in with `hf auth login`, as a user who may write there"
    try:
        address = hub.create_repo(repository, private=private or None, exist_ok=True)
        hub.upload_folder(
            repo_id=repository,
            folder_path=folder,
            allow_patterns=list(names),
            commit_message="Add a neural field",
        )
    except LocalTokenNotFoundError:
        raise OutputError("there is no login for the hub", hint=login) from None
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else "nothing"
        raise OutputError(f"the hub refused {repository}: it said {status}", hint=login) from error
    except (HTTPError, OSError) as error:
        raise OutputError(
            f"the hub cannot be reached: {error}",
            hint=f"the folder {folder} is complete; try again",
        ) from error
    return str(address)


def check_hub() -> None:
    """Refuse to go on without the package that speaks to a hub.

    Raises:
        InputError: the package huggingface_hub is not installed.
    """
    try:
        import huggingface_hub  # noqa: F401
    except ImportError:
        raise InputError(
            "a hub needs the package huggingface_hub, which is not installed", hint=MISSING
        ) from None


def check_repository(name: str) -> None:
    """Refuse a name that no repository on a hub can have.

    Raises:
        ConfigError: the name is not two names with a slash between them.
    """
    if not REPOSITORY.fullmatch(name) or ".." in name or "--" in name or name.endswith((".", "-")):
        raise ConfigError(f"{name!r} is not the name of a repository", hint="like owner/name")


def _preview(field: Field) -> bytes:
    """Return a picture of what the field shows as PNG, from at most `LARGEST_PREVIEW` points."""
    whole = field.public.size
    shrink = min(1.0, (LARGEST_PREVIEW / math.prod(whole)) ** (1 / len(whole)))
    size = tuple(max(1, round(side * shrink)) for side in whole)
    return signals.to_png(signals.still(fields.render(field, size)))
