"""``stegfield generate``."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from stegfield.cli.asking import check_stdin, read_key, read_message
from stegfield.cli.covers import size_of
from stegfield.cli.embed import tell
from stegfield.cli.progress import watching_bits
from stegfield.cli.signal_files import check_png
from stegfield.cli.terminal import answer, say
from stegfield.config import EmbedConfig, changed
from stegfield.errors import ConfigError

if TYPE_CHECKING:
    from stegfield.fixednet import EmbedResult
    from stegfield.generative import Model
    from stegfield.keys import Key, Passphrase
    from stegfield.metrics import Samples
    from stegfield.signals import Medium, Signal

FIELD_SUFFIX = ".safetensors"
LARGEST_SEED = 1 << 63
LARGEST_COUNT = 1024
ACROSS = 8
SMALL_TILE, LARGE_TILE, MAP_WIDTH = 64, 256, 360
"""Pixels along the longer side of an image on a sheet, and of a map."""


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
    message: Annotated[Path | None, Parameter(allow_leading_hyphen=True)] = None,
    key: Path | None = None,
    config: Annotated[EmbedConfig, Parameter(name="*", group="With --message")] = EmbedConfig(),
    passphrase_stdin: bool = False,
    json: bool = False,
    force: bool = False,
) -> None:
    """Generate a cover as a function, at any size, so that nobody has an original.

    With --message it carries a file, as with `embed`, and `extract` reads it. With --known-cover
    the key decides the cover, and `extract --cover-model` generates it again.

    Args:
        model: faces, climate or digits; or a file that `stegfield train` wrote.
        output: Image to write, or a climate field as .nc; or the function itself, as .safetensors.
        size: Points along the longer side, or columns x rows [default: that of the examples].
        seed: Decides the cover and its grain [default: at random]. An adversary who guesses the
            seed can generate the cover again, and see what a message changed.
        count: How many covers to generate, with consecutive seeds, for --grid.
        grid: PNG file to write with all covers, each of 256 pixels at most.
        plot: PNG file to write with the globe from two sides.
        message: File to embed; - is stdin.
        key: Key file for the message; asks for a passphrase if left out.
        passphrase_stdin: Read the passphrase from stdin.
        json: Print the result as JSON.
        force: Replace existing files.
    """
    from stegfield import files, fixednet, generative, signals
    from stegfield.keys import KeyStream

    written = [path for path in (output, grid, plot) if path is not None]
    _check(written, seed, count, grid)
    _check_read(message, key, config, passphrase_stdin=passphrase_stdin)
    check_png(grid, plot)
    read = [path for path in (Path(model), message, key) if path and str(path) != "-"]
    files.check_apart(written, read)
    for path in written:
        files.check_new(path, force=force)
    source = generative.load(model)
    _check_shown(source, plot, size, function=written == [output] and _is_function(output))
    if message is not None:
        _check_message(output, grid, seed, config, source.medium)
    shown_at = size_of(source, size)
    first = secrets.randbelow(LARGEST_SEED - LARGEST_COUNT) if seed is None else seed
    result, outputs = None, []
    if message is not None and output is not None:
        fixednet.check(source.medium, output.suffix, config, size=shown_at)
        sent = read_message(message)
        with_key = _read_key(key, seed, passphrase_stdin)
        keyed = _keyed(source, with_key, shown_at) if config.known_cover else None
        noise = KeyStream(secrets.token_bytes(32)) if seed is None else None
        cover = keyed or source.cover(first, shown_at, noise=noise)
        result = _sent(cover, sent, with_key, config, output.suffix)
        outputs.append(files.Output(output, result.file))
    elif output is not None:
        outputs.append(files.Output(output, _plain(source, first, shown_at, output.suffix)))
    if grid is not None:
        outputs.append(files.Output(grid, _sheet(source, range(first, first + count), shown_at)))
    if plot is not None:
        shown = source.cover(first, shown_at) if result is None else result.stego
        outputs.append(files.Output(plot, signals.to_png(signals.still(shown))))
    files.write_all_new(outputs, force=force)
    if json:
        told = None if result is not None and seed is None else first
        answer(
            {
                "files": [str(path) for path in written],
                "model": source.name,
                "seed": told,
                "count": count,
                "size": list(shown_at),
                **({} if result is None else result.to_json()),
            }
        )
    elif result is not None and output is not None:
        tell(output, result)
    else:
        for path in written:
            say(f"{path}: {source.name}, seed {first}")


def _is_function(output: Path | None) -> bool:
    return output is not None and output.suffix == FIELD_SUFFIX


def _read_key(path: Path | None, seed: int | None, passphrase_stdin: bool) -> Key | Passphrase:
    if seed is not None:
        say(
            f"warning: an adversary who tries seed {seed} sees what the message changed\n"
            "hint: leave --seed out: the seed is then random and forgotten"
        )
    return read_key(path, passphrase_stdin=passphrase_stdin, repeat=True)


def _keyed(source: Model, key: Key | Passphrase, size: tuple[int, ...]) -> Signal:
    """Render a cover that a key decides, as its receiver will: without grain."""
    from stegfield import fields, generative

    return fields.render(generative.draw_keyed(source, key), size)


def _plain(source: Model, seed: int, size: tuple[int, ...], suffix: str) -> bytes:
    """Return the file of a cover without a message: of its samples, or of the function."""
    from stegfield import fields, signals

    if suffix == FIELD_SUFFIX:
        return fields.to_bytes(source.draw(seed))
    return signals.encode(source.cover(seed, size), suffix)


def _sent(
    cover: Signal, message: bytes, key: Key | Passphrase, config: EmbedConfig, suffix: str
) -> EmbedResult:
    """Embed a message in a generated cover."""
    from stegfield import fixednet

    with watching_bits() as watch:
        return fixednet.embed(cover, message, key, config=config, suffix=suffix, watch=watch)


def _sheet(source: Model, seeds: range, size: tuple[int, ...]) -> bytes:
    """Draw small covers of some seeds on one sheet."""
    from stegfield import fields, pictures, signals

    tile = signals.scaled(size, min(max(SMALL_TILE, *size), LARGE_TILE))
    drawn = [_picture(fields.render(source.draw(seed), tile)) for seed in seeds]
    return pictures.contact_sheet(drawn, ACROSS, tile_width=drawn[0].shape[1])


def _picture(shown: Signal) -> Samples:
    from stegfield import signals

    if shown.medium.on_globe:
        return signals.globes.world(shown, width=MAP_WIDTH)
    return signals.to_samples(shown)


def _check(written: list[Path], seed: int | None, count: int, grid: Path | None) -> None:
    if not written:
        raise ConfigError("there is nothing to write", hint="name a file with -o or --grid")
    if seed is not None and not 0 <= seed < LARGEST_SEED - LARGEST_COUNT:
        raise ConfigError(f"--seed must be from 0 to 2^63 - {LARGEST_COUNT + 1}, got {seed}")
    if not 1 <= count <= LARGEST_COUNT:
        raise ConfigError(f"--count must be from 1 to {LARGEST_COUNT}, got {count}")
    if count > 1 and grid is None:
        raise ConfigError("several covers need one picture", hint="name it with --grid")


def _check_shown(source: Model, plot: Path | None, size: str | None, *, function: bool) -> None:
    if plot is not None and not source.medium.on_globe:
        raise ConfigError(
            f"--plot shows climate fields, and {source.name} generates images",
            hint="leave it out",
        )
    if size is not None and function:
        raise ConfigError("a function has no size", hint="leave --size out")


def _check_read(
    message: Path | None, key: Path | None, config: EmbedConfig, *, passphrase_stdin: bool
) -> None:
    if str(message) == "-":
        check_stdin(passphrase_stdin=passphrase_stdin and key is None)
    if message is not None:
        return
    given = ["--key"] if key is not None else []
    given += ["--passphrase-stdin"] if passphrase_stdin else []
    given += ["--" + name.replace("_", "-") for name in changed(config)]
    if given:
        raise ConfigError(
            f"{given[0]} has no meaning without a message", hint="name its file with --message"
        )


def _check_message(
    output: Path | None, grid: Path | None, seed: int | None, config: EmbedConfig, medium: Medium
) -> None:
    from stegfield import fixednet

    if output is None:
        raise ConfigError("the message needs a file to go into", hint="name it with -o")
    if grid is not None:
        raise ConfigError(
            "--grid would show the cover as it was before the message", hint="leave it out"
        )
    if config.known_cover and seed is not None:
        raise ConfigError(
            "--seed cannot be combined with --known-cover: the key decides the cover",
            hint="leave one of them out",
        )
    if _is_function(output):
        raise ConfigError(
            "a message goes into samples, not into a field",
            hint="write an image, or hide images in the field with `stegfield hide`",
        )
    fixednet.check(medium, output.suffix, config)
