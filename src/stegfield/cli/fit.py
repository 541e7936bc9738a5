"""``stegfield fit``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from stegfield.cli.covers import Generated, read_cover
from stegfield.cli.parsing import parse_sizes
from stegfield.cli.progress import finish, watching
from stegfield.cli.signal_files import check_architecture, check_field_name
from stegfield.cli.streams import check_output, check_stdin, files_among, name_of, write
from stegfield.cli.terminal import answer, say, warn_if_short
from stegfield.cli.waiting import chosen, waited
from stegfield.config import FitConfig

if TYPE_CHECKING:
    from stegfield.fields import FitResult
    from stegfield.hiding import FilesResult


def fit(
    image: Path | None = None,
    /,
    *,
    output: Annotated[Path, Parameter(alias="-o")],
    field: str | None = None,
    sizes: str | None = None,
    training: Annotated[FitConfig, Parameter(name="*")] = FitConfig(),
    generated: Annotated[Generated, Parameter(name="*")] = Generated(),
    no_draw: bool = False,
    checkpoint: Path | None = None,
    flatten: bool = False,
    json: bool = False,
    force: bool = False,
) -> None:
    """Fit a field to an image, a climate field or a sound, without secrets.

    Its weights are drawn around those that were trained, as the weights of all fields are. So
    nobody can tell it from one of `hide`, and `embed` can put files into it.

    Args:
        image: Image to show: PNG, JPEG, WebP, BMP, TIFF, PPM, AVIF or HEIC; or a temperature on
            the globe: NetCDF-4, named .nc, which a siren or fourier field shows at every place of
            the sphere; or a sound: WAV or FLAC. - is stdin.
        output: Field file to write; - is stdout.
        field: Architecture: siren, fourier, grid or one that another package brings [default:
            chosen by the size of the image and the time; fourier with --robust].
        sizes: Sizes of the architecture that differ from its defaults, like width=256,depth=4.
        generated: A cover to generate, in place of an image.
        no_draw: Leave the weights as they were trained, for research. Such a field can carry
            nothing, and its header says so.
        checkpoint: File to save the run to every 30 seconds, and to resume from if it exists.
        flatten: Put a transparent image onto white.
        json: Print the result as JSON.
        force: Replace an existing file.
    """
    from stegfield import fields, files

    model = Path(generated.cover_model) if generated.cover_model else None
    files.check_apart(files_among(output, checkpoint), files_among(image, model))
    check_field_name(output)
    check_architecture(field)
    check_output(output, json=json, force=force)
    check_stdin(image=image)
    if checkpoint is not None:
        files.check_new(checkpoint, force=True)
    name, signal = read_cover(image, generated, seed=training.seed, flatten=flatten)
    named: dict[str, Any] = {"architecture": field, "sizes": parse_sizes(sizes)}
    named["architecture"], told = chosen(signal, training, checkpoint, **named)
    with watching(name, opening=told) as watch:
        result = fields.fit(
            signal,
            **named,
            training=waited(training),
            watch=watch,
            checkpoint=checkpoint,
            draw=not no_draw,
        )
    write(output, fields.to_bytes(result.field), force=force)
    warn_if_short(training.target_db, [result.quality])
    finish(checkpoint, stopped=result.stopped)
    if json:
        answer(fitted_facts(output, result))
    else:
        tell_fitted(output, result)


def fitted_facts(output: Path, result: FitResult | FilesResult) -> dict[str, Any]:
    """Return what programs are told of a fitted field, whether or not it carries anything."""
    return {
        "field": str(output),
        "architecture": result.field.architecture,
        **result.quality.to_json(),
        "steps": result.steps,
        "seconds": round(result.seconds, 3),
        "stopped": result.stopped,
    }


def tell_fitted(output: Path, result: FitResult | FilesResult) -> None:
    """Say the same to people."""
    say(
        f"{name_of(output, 'stdout')}: {result.quality}, "
        f"{result.steps} steps in {result.seconds:.1f} s"
    )
