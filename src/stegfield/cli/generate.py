"""``stegfield generate``."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from stegfield.cli.covers import size_of
from stegfield.cli.embed import tell
from stegfield.cli.terminal import answer, read_key, read_message, say, watching_bits
from stegfield.config import EmbedConfig
from stegfield.errors import ConfigError

FIELD_SUFFIX = ".safetensors"
LARGEST_SEED = 1 << 63
LARGEST_COUNT = 1024
ACROSS = 8


def generate(
    model: str,
    /,
    *,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    size: str | None = None,
    seed: int | None = None,
    count: int = 1,
    grid: Path | None = None,
    message: Path | None = None,
    key: Path | None = None,
    config: Annotated[EmbedConfig, Parameter(name="*", group="With --message")] = EmbedConfig(),
    passphrase_stdin: bool = False,
    json: bool = False,
    force: bool = False,
) -> None:
    """Draw a cover that never existed, as a function, and show it at any size.

    With --message it carries a file, as with `embed`, and `extract` reads it.

    Args:
        model: faces, climate or digits; or a file that `stegfield train` wrote.
        output: Image to write; or a field file, with the suffix .safetensors.
        size: Points along the longer side, or columns x rows [default: as the examples were].
        seed: Decides what is drawn [default: at random]. Who can guess the seed of a cover can draw
            it again, and see what a message changed.
        count: How many to draw, with consecutive seeds, for --grid.
        grid: PNG file to write with all that was drawn.
        message: File to embed; - is stdin.
        key: Key file for the message; asks for a passphrase if left out.
        passphrase_stdin: Read the passphrase from stdin.
        json: Print the result as JSON.
        force: Replace existing files.
    """
    from stegfield import fields, files, fixednet, generative, pictures, signals

    written = [path for path in (output, grid) if path is not None]
    _check(output, seed, count, grid)
    if message is not None:
        _check_message(output, config)
    files.check_apart(written, [path for path in (message, key) if path is not None])
    for path in written:
        files.check_new(path, force=force)
    source = generative.load(model)
    shown_at = size_of(source, size)
    first = secrets.randbelow(LARGEST_SEED - count) if seed is None else seed
    facts: dict[str, object] = {"model": source.name, "seed": first, "size": list(shown_at)}
    outputs = []
    if grid is not None:
        drawn = [fields.render(source.draw(first + i), shown_at) for i in range(count)]
        outputs.append(
            files.Output(
                grid, pictures.contact_sheet([signals.to_samples(one) for one in drawn], ACROSS)
            )
        )
    if output is not None:
        field = source.draw(first)
        if output.suffix == FIELD_SUFFIX:
            outputs.append(files.Output(output, fields.to_bytes(field)))
        elif message is None:
            shown = fields.render(field, shown_at)
            outputs.append(files.Output(output, signals.encode(shown, output.suffix)))
        else:
            if seed is not None:
                _warn_of_seed(seed)
            with_key = read_key(key, passphrase_stdin=passphrase_stdin, repeat=True)
            data = read_message(message)
            shown = fields.render(field, shown_at)
            with watching_bits() as watch:
                result = fixednet.embed(
                    shown, data, with_key, config=config, suffix=output.suffix, watch=watch
                )
            outputs.append(files.Output(output, result.file))
            facts |= result.to_json() | {"seed": seed}
    files.write_all_new(outputs, force=force)
    if json:
        answer({**facts, "files": [str(path) for path in written]})
    elif message is not None and output is not None:
        tell(output, result)
    else:
        for path in written:
            say(f"{path}: {source.name}, seed {first}")


def _warn_of_seed(seed: int) -> None:
    say(
        f"warning: whoever tries seed {seed} sees what the message changed\n"
        "hint: leave --seed out, and it is drawn at random and forgotten"
    )


def _check(output: Path | None, seed: int | None, count: int, grid: Path | None) -> None:
    if output is None and grid is None:
        raise ConfigError("there is nothing to write", hint="name a file with -o or --grid")
    if seed is not None and not 0 <= seed < LARGEST_SEED - LARGEST_COUNT:
        raise ConfigError(f"--seed must be from 0 to 2^63 - {LARGEST_COUNT + 1}, got {seed}")
    if not 1 <= count <= LARGEST_COUNT:
        raise ConfigError(f"--count must be from 1 to {LARGEST_COUNT}, got {count}")
    if count > 1 and grid is None:
        raise ConfigError("several are drawn into one picture", hint="name it with --grid")


def _check_message(output: Path | None, config: EmbedConfig) -> None:
    from stegfield import fixednet

    if output is None:
        raise ConfigError("the message needs a file to go into", hint="name it with -o")
    if output.suffix == FIELD_SUFFIX:
        raise ConfigError(
            "a message goes into samples, not into a field",
            hint="write an image, or hide images in the field with `stegfield hide`",
        )
    fixednet.check_suffix(output.suffix, config.profile)
