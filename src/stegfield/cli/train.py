"""``stegfield train``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from stegfield.cli.progress import watching
from stegfield.cli.terminal import answer, say
from stegfield.config import PRESETS, GanConfig, gan_config
from stegfield.errors import ConfigError, InputError, OutputExistsError
from stegfield.toml_files import plain_toml

if TYPE_CHECKING:
    from stegfield.signals import Medium


class Given(GanConfig):
    """The settings that were given as flags; presets or a file have the others."""

    given: dict[str, Any]
    mirror: Annotated[bool, Parameter(negative="--no-mirror")] = True

    def __init__(self, **given: Any) -> None:
        # ranges are checked once all settings are known
        object.__setattr__(self, "given", given)


def train(
    what: str,
    /,
    *,
    output: Annotated[Path, Parameter(alias="-o")],
    data: Path | None = None,
    config: Path | None = None,
    settings: Annotated[Given | None, Parameter(name="*")] = None,
    start: str | None = None,
    resume: bool = False,
    json: bool = False,
) -> None:
    """Train a generator of fields that look like the examples.

    Ctrl-C ends the run after its step and writes everything. --resume then continues it with the
    same settings, unless others are given. Start the command with torchrun to share the work among
    processes, GPUs or machines; only the first of them reads and writes the folder.

    Args:
        what: faces, climate or digits, each with defaults of its own; or a name of your own. Then
            --data decides whether images or temperatures are learned, and temperatures have the
            defaults of climate.
        output: Folder for the model, the state to resume from, the log and a picture of samples.
        data: Folder or zip of images, or folder of .npz temperatures; the digits need none.
        config: TOML file of settings; flags override it.
        settings: How to train.
        start: Model to start from, a name or a file, to improve it or to adapt it to other
            examples. Its steps count, and its sizes are the defaults; only --rank may rise.
            --warm-up then trains only the critic.
        resume: Resume from the state in the folder. Settings that decide the model stay as they
            were; only --rank may rise.
        json: Print the result as JSON.
    """
    from stegfield import generative
    from stegfield.generative.states import MODEL, STATE, settings_of

    state = output / STATE
    medium = generative.medium_to_learn(what, data)
    with generative.joined() as processes:
        own, begun = None, None
        if processes.first:
            before = _state_to_resume(state, resume=resume)
            begun = None if start is None or before else generative.load(start)
            base = _preset(what, medium) if before is None else settings_of(before)
            base = base if begun is None else replace(base, **begun.sizes.settings)
            own = asdict(_settings(config, settings, base))
        chosen = gan_config(processes.tell(own))
        examples = generative.read_examples(what, data, chosen.size, medium=medium)
        with (
            _folder(output, ours=processes.first),
            watching(show=processes.first) as watch,
        ):
            model = generative.train(
                examples,
                chosen,
                output,
                name=what,
                start=begun,
                processes=processes,
                watch=watch,
            )
        first = processes.first
    if first and json:
        answer({"model": str(output / MODEL), "steps": model.steps, "examples": model.examples})
    elif first:
        say(f"{output / MODEL}: {model.steps:,} of {chosen.steps:,} steps")


def _preset(what: str, medium: Medium) -> GanConfig:
    return PRESETS.get("climate" if medium.on_globe else what, GanConfig())


def _state_to_resume(state: Path, *, resume: bool) -> Path | None:
    if not state.exists():
        if resume:
            raise InputError(
                f"{state} does not exist, and --resume needs it",
                hint="name the folder of the run, or leave --resume out to start one",
            )
        return None
    if not resume:
        raise OutputExistsError(
            state, hint="add --resume to continue the run, or name another folder"
        )
    return state


@contextmanager
def _folder(path: Path, *, ours: bool) -> Iterator[None]:
    """Create a folder; remove it if the run fails before it has written a file."""
    from stegfield import files

    new = [each for each in (path, *path.parents) if ours and not each.exists()]
    if ours:
        files.make_folder(path)
    try:
        yield
    except BaseException:
        with suppress(OSError):  # there is something in it
            for each in new:
                each.rmdir()
        raise


def _settings(path: Path | None, flags: Given | None, base: GanConfig) -> GanConfig:
    """Merge the base settings with those of a file, then with flags; the later ones win."""
    entries: dict[str, Any] = {}
    if path is not None:
        from stegfield import files

        try:
            entries = plain_toml(files.read_bounded(path, 1 << 20))
        except ValueError as error:
            raise ConfigError(f"{path} is not a file of settings: {error}") from None
    entries |= {} if flags is None else flags.given
    if "grow" not in entries and isinstance(size := entries.get("size"), int):
        # a preset must not begin with sizes at or above the one that was asked for
        smaller = [f"{one}:{end}" for one, end in base.stages[:-1] if one < size]
        base = replace(base, size=max(size, base.size), grow=",".join(smaller))
    return gan_config(entries, base)
