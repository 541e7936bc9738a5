"""``stegfield generate``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from stegfield.cli import also as more
from stegfield.cli.also import Also, AlsoFiles
from stegfield.cli.asking import read_early, read_key
from stegfield.cli.covers import size_of
from stegfield.cli.embed import figures, tell
from stegfield.cli.errors import warn
from stegfield.cli.grain import OF_MESSAGES
from stegfield.cli.progress import watching
from stegfield.cli.signal_files import check_png, suffix_of
from stegfield.cli.streams import (
    check_output,
    check_stdin,
    files_among,
    name_of,
    write_all,
)
from stegfield.cli.terminal import answer, say
from stegfield.config import EmbedConfig, changed
from stegfield.errors import ConfigError, Wording

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
    also: Also = [],  # noqa: B006 - it is not changed
    config: Annotated[EmbedConfig, Parameter(name="*", group="With --message")] = EmbedConfig(),
    passphrase_stdin: bool = False,
    weak: bool = False,
    json: bool = False,
    force: bool = False,
) -> None:
    """Generate a cover as a function, at any size, so that nobody has an original.

    It has grain as a camera's pictures have (--grain), which is another one each time. With
    --message it carries a file in the grain, and `extract` reads it. Nobody can tell whether it
    does, if the ciphers hold. With --profile a message is put into it as `embed` does; with
    --known-cover the key decides the cover, and `extract --cover-model` generates it again.

    Args:
        model: faces, climate or digits; or a file that `stegfield train` wrote.
        output: Image to write, or a climate field as .nc; or the function itself, as .safetensors.
            - is stdout, for a PNG or NetCDF.
        size: Points along the longer side, or columns x rows [default: that of the examples].
        seed: Decides what the cover shows, but not its grain [default: at random].
        count: How many covers to generate, with consecutive seeds, for --grid.
        grid: PNG file to write with what all show, each of 256 pixels at most.
        plot: PNG file to write with the globe from two sides.
        message: File to embed; - is stdin.
        key: Key file for the message; asks for a passphrase if left out.
        also: One more file to embed, and its own key file. Repeat it for others.
        passphrase_stdin: Read the passphrase from stdin.
        weak: Take a passphrase that is easily guessed.
        json: Print the result as JSON.
        force: Replace existing files.
    """
    from stegfield import files, generative
    from stegfield.generative.seeds import check_seed, new_seed

    written = [path for path in (output, grid, plot) if path is not None]
    _check(written, count, grid)
    given = _check_read(message, key, also, config, passphrase_stdin=passphrase_stdin, weak=weak)
    check_png(grid, plot)
    files.check_apart(files_among(*written), files_among(Path(model), *given))
    for path in written:
        check_output(path, json=json, force=force)
    known = seed is not None
    first = seed if seed is not None else new_seed(count)
    check_seed(first, count)
    source = generative.load(model)
    function = written == [output] and _is_function(output)
    _check_shown(source, plot, size, function=function)
    shown_at = size_of(source, size)
    if message is not None:
        _check_message(output, grid, config)
    result = None
    if message is not None and output is not None:
        result = _with_message(
            source,
            shown_at,
            message=message,
            also=also,
            output=output,
            key=key,
            config=config,
            seed=first,
            known=known,
            passphrase_stdin=passphrase_stdin,
            weak=weak,
        )
    elif plot is not None or not (output is None or _is_function(output)):
        result = _innocent(source, shown_at, output=output, grain=config.grain, seed=first)
    seeds = range(first, first + count)
    outputs = _outputs(source, seeds, shown_at, result=result, output=output, grid=grid, plot=plot)
    write_all(outputs, force=force)
    told = seed if message is not None and config.profile else first  # of others it may be known
    if json:
        facts = {
            "files": [str(path) for path in written],
            "model": source.name,
            "seed": told,
            "count": count,
            "size": list(shown_at),
        }
        left_out = () if message is not None else OF_MESSAGES
        found = {} if result is None else result.to_json()
        answer(facts | {k: v for k, v in found.items() if k not in left_out})
        return
    seeded = "" if told is None else f", seed {told}"
    grained = "" if result is None else f", {figures(result)}"
    for path in written:
        say(f"{name_of(path, 'stdout')}: {source.name}{seeded}{grained}")
    if message is not None and result is not None and output is not None:
        tell(output, result)


def _innocent(
    source: Model, size: tuple[int, ...], *, output: Path | None, grain: float | None, seed: int
) -> EmbedResult:
    """Draw a cover without a message; of those alone, some files may change samples."""
    from stegfield import fixednet, generative, signals

    usual = source.medium.lossless[0]
    suffix = usual if output is None or _is_function(output) else suffix_of(output, source.medium)
    lossless = source.medium.check_written(suffix) in source.medium.lossless
    shown = generative.function_shown(source, size, seed=seed)
    drawn = fixednet.grain(shown, grain, suffix=suffix if lossless else usual)
    return drawn if lossless else replace(drawn, file=signals.encode(drawn.stego, suffix))


def _with_message(
    source: Model,
    size: tuple[int, ...],
    *,
    message: Path,
    also: list[AlsoFiles],
    output: Path,
    key: Path | None,
    config: EmbedConfig,
    seed: int,
    known: bool,
    passphrase_stdin: bool,
    weak: bool,
) -> EmbedResult:
    """Draw a cover with messages, or embed a message in one that is generated for it."""
    from stegfield import fixednet, generative

    suffix = suffix_of(output, source.medium)
    if config.profile is None:
        config = replace(config, profile="drawn")
    profile = fixednet.check(source.medium, suffix, config, size=size)
    data, further = read_early(message), more.read_messages(also)
    if known and not (profile.several or config.known_cover):
        warn(generative.public_seed_caution(seed))
    sender = read_key(key, passphrase_stdin=passphrase_stdin and key is None, new=True, weak=weak)
    others = more.with_keys(also, further, passphrase_stdin=passphrase_stdin, weak=weak)
    if config.known_cover:
        if known:
            raise ConfigError(
                Wording("with {known_cover} the key decides what is generated, not {seed}")
            )
        cover = generative.known_cover(source, size, key=sender)
    elif profile.several:
        cover = generative.function_shown(source, size, seed=seed)
    else:
        cover = generative.generate(source, size=size, seed=seed)
    with watching() as watch:
        return fixednet.embed(
            cover, data, sender, also=others, config=config, suffix=suffix, watch=watch
        )


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
    """Return the files to write: the cover, or the function of the first seed; and pictures."""
    from stegfield import fields, files, signals
    from stegfield.generative.sheets import sheet

    outputs = []
    if output is not None and _is_function(output):
        made = source.field(seeds[0])
        fields.draw(made)
        outputs.append(files.Output(output, fields.to_bytes(made)))
    elif output is not None and result is not None:
        outputs.append(files.Output(output, result.file))
    if grid is not None:
        outputs.append(files.Output(grid, sheet(source, seeds, size)))
    if plot is not None and result is not None:
        outputs.append(files.Output(plot, signals.to_png(signals.still(result.stego))))
    return outputs


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
    also: list[AlsoFiles],
    config: EmbedConfig,
    *,
    passphrase_stdin: bool,
    weak: bool,
) -> list[Path | None]:
    """Refuse what has no meaning without a message; return the files that are read."""
    keyless = any(each is None for each in (key, *(each.key for each in also)))
    check_stdin(message=message, passphrase_stdin=passphrase_stdin and keyless)
    if message is None:
        given = ["--key"] if key is not None else []
        given += ["--also"] if also else []
        given += ["--passphrase-stdin"] if passphrase_stdin else []
        given += ["--weak"] if weak else []
        given += ["--" + name.replace("_", "-") for name in changed(config) if name != "grain"]
        if given:
            raise ConfigError(
                f"{given[0]} has no meaning without a message", hint="name its file with --message"
            )
    return [message, key, *more.paths(also)]


def _check_message(output: Path | None, grid: Path | None, config: EmbedConfig) -> None:
    """Refuse outputs that a message cannot go into, or that would give its cover away."""
    if output is None:
        raise ConfigError("the message needs a file to go into", hint="name it with -o")
    if grid is not None and config.profile is not None:
        raise ConfigError(
            "--grid would show the cover as it was before the message", hint="leave --grid out"
        )
    if _is_function(output):
        raise ConfigError(
            "a message goes into samples, not into a field",
            hint="write an image, or hide files in the field with `stegfield hide`",
        )
