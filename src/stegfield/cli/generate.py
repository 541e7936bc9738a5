"""``stegfield generate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from stegfield.cli.asking import read_key, read_message
from stegfield.cli.covers import size_of
from stegfield.cli.embed import tell
from stegfield.cli.errors import warn
from stegfield.cli.progress import watching
from stegfield.cli.signal_files import check_png, suffix_of
from stegfield.cli.streams import check_output, check_stdin, files_among, name_of, write_all
from stegfield.cli.terminal import answer, say
from stegfield.config import EmbedConfig, changed
from stegfield.errors import ConfigError

if TYPE_CHECKING:
    from stegfield.files import Output
    from stegfield.fixednet import EmbedResult
    from stegfield.generative import Model

FIELD_SUFFIX = ".safetensors"
LARGEST_COUNT = 1024


def generate(
    model: str,
    /,
    *,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    size: str | None = None,
    seed: int | None = None,
    count: int = 1,
    grid: Path | None = None,
    plot: Path | None = None,
    message: Path | None = None,
    key: Path | None = None,
    config: Annotated[EmbedConfig, Parameter(name="*", group="With --message")] = EmbedConfig(),
    passphrase_stdin: bool = False,
    weak: bool = False,
    json: bool = False,
    force: bool = False,
) -> None:
    """Generate a cover as a function, at any size, so that nobody has an original.

    With --message it carries a file, as with `embed`, and `extract` reads it. With --known-cover
    the key decides the cover, and `extract --cover-model` generates it again.

    Args:
        model: faces, climate or digits; or a file that `stegfield train` wrote.
        output: Image to write, or a climate field as .nc; or the function itself, as .safetensors.
            - is stdout, for a PNG or NetCDF.
        size: Points along the longer side, or columns x rows [default: that of the examples].
        seed: Decides the cover and its grain [default: at random]. An adversary who guesses the
            seed can generate the cover again, and see what a message changed.
        count: How many covers to generate, with consecutive seeds, for --grid.
        grid: PNG file to write with all covers, each of 256 pixels at most.
        plot: PNG file to write with the globe from two sides.
        message: File to embed; - is stdin.
        key: Key file for the message; asks for a passphrase if left out.
        passphrase_stdin: Read the passphrase from stdin.
        weak: Take a passphrase that is easily guessed.
        json: Print the result as JSON.
        force: Replace existing files.
    """
    from stegfield import files, generative
    from stegfield.generative.seeds import check_seed, new_seed

    written = [path for path in (output, grid, plot) if path is not None]
    _check(written, count, grid)
    _check_read(message, key, config, passphrase_stdin=passphrase_stdin, weak=weak)
    check_png(grid, plot)
    files.check_apart(files_among(*written), files_among(Path(model), message, key))
    for path in written:
        check_output(path, json=json, force=force)
    first = new_seed(count) if seed is None else seed
    check_seed(first, count)
    source = generative.load(model)
    _check_shown(source, plot, size, function=written == [output] and _is_function(output))
    shown_at = size_of(source, size)
    result = None
    if message is not None:
        target = _check_message(output, grid)
        result = _with_message(
            source,
            shown_at,
            message=message,
            output=target,
            key=key,
            config=config,
            seed=seed,
            passphrase_stdin=passphrase_stdin,
            weak=weak,
        )
    seeds = range(first, first + count)
    outputs = _outputs(source, seeds, shown_at, result=result, output=output, grid=grid, plot=plot)
    write_all(outputs, force=force)
    if json:
        facts = {
            "files": [str(path) for path in written],
            "model": source.name,
            "seed": seed if result else first,
            "count": count,
            "size": list(shown_at),
        }
        answer(facts | ({} if result is None else result.to_json()))
    elif result is not None and output is not None:
        tell(output, result)
    else:
        for path in written:
            say(f"{name_of(path, 'stdout')}: {source.name}, seed {first}")


def _with_message(
    source: Model,
    size: tuple[int, ...],
    *,
    message: Path,
    output: Path,
    key: Path | None,
    config: EmbedConfig,
    seed: int | None,
    passphrase_stdin: bool,
    weak: bool,
) -> EmbedResult:
    """Embed a message in a cover that is generated for it."""
    from stegfield import fixednet, generative

    suffix = suffix_of(output, source.medium)
    fixednet.check(source.medium, suffix, config, size=size)
    data = read_message(message)
    if seed is not None and not config.known_cover:
        warn(generative.public_seed_caution(seed))
    sender = read_key(key, passphrase_stdin=passphrase_stdin, new=True, weak=weak)
    cover = generative.cover_for_message(
        source, size, key=sender, known_cover=config.known_cover, seed=seed
    )
    with watching() as watch:
        return fixednet.embed(cover, data, sender, config=config, suffix=suffix, watch=watch)


def _outputs(
    source: Model,
    seeds: range,
    size: tuple[int, ...],
    *,
    result: EmbedResult | None,
    output: Path | None,
    grid: Path | None,
    plot: Path | None,
) -> list[Output]:
    """Return the files to write: the stego, or else what the first seed shows; and pictures."""
    from stegfield import files, signals
    from stegfield.generative.sheets import sheet

    outputs = []
    if output is not None:
        suffix = suffix_of(output, source.medium)
        data = _plain(source, seeds[0], size, suffix) if result is None else result.file
        outputs.append(files.Output(output, data))
    if grid is not None:
        outputs.append(files.Output(grid, sheet(source, seeds, size)))
    if plot is not None:
        shown = source.cover(seeds[0], size) if result is None else result.stego
        outputs.append(files.Output(plot, signals.to_png(signals.still(shown))))
    return outputs


def _plain(source: Model, seed: int, size: tuple[int, ...], suffix: str) -> bytes:
    """Return the file of a cover without a message: of its samples, or of the function."""
    from stegfield import fields, signals

    if suffix == FIELD_SUFFIX:
        made = source.field(seed)
        fields.draw(made)
        return fields.to_bytes(made)
    return signals.encode(source.cover(seed, size), suffix)


def _is_function(output: Path | None) -> bool:
    return output is not None and output.suffix == FIELD_SUFFIX


def _check(written: list[Path], count: int, grid: Path | None) -> None:
    if not written:
        raise ConfigError("there is nothing to write", hint="name a file with -o or --grid")
    if not 1 <= count <= LARGEST_COUNT:
        raise ConfigError(f"--count must be from 1 to {LARGEST_COUNT}, got {count}")
    if count > 1 and grid is None:
        raise ConfigError("--count above 1 makes one picture of all", hint="name it with --grid")


def _check_shown(source: Model, plot: Path | None, size: str | None, *, function: bool) -> None:
    if plot is not None and not source.medium.on_globe:
        raise ConfigError(
            f"--plot shows a climate field on a globe, and {source.name} generates images",
            hint="leave --plot out",
        )
    if size is not None and function:
        raise ConfigError("a function has no size", hint="leave --size out")


def _check_read(
    message: Path | None,
    key: Path | None,
    config: EmbedConfig,
    *,
    passphrase_stdin: bool,
    weak: bool,
) -> None:
    check_stdin(message=message, passphrase_stdin=passphrase_stdin and key is None)
    if message is not None:
        return
    given = ["--key"] if key is not None else []
    given += ["--passphrase-stdin"] if passphrase_stdin else []
    given += ["--weak"] if weak else []
    given += ["--" + name.replace("_", "-") for name in changed(config)]
    if given:
        raise ConfigError(
            f"{given[0]} has no meaning without a message", hint="name its file with --message"
        )


def _check_message(output: Path | None, grid: Path | None) -> Path:
    """Refuse outputs that a message cannot go into, or that would give its cover away."""
    if output is None:
        raise ConfigError("the message needs a file to go into", hint="name it with -o")
    if grid is not None:
        raise ConfigError(
            "--grid would show the cover as it was before the message", hint="leave --grid out"
        )
    if _is_function(output):
        raise ConfigError(
            "a message goes into samples, not into a field",
            hint="write an image, or hide images in the field with `stegfield hide`",
        )
    return output
