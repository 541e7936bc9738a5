"""Pools: fields of the same covers with and without secrets, to try detectors on.

Every kind of field is trained on every cover, from the same draw, by the same plan of steps, so
that nothing but the secrets tells the kinds apart. Whoever detects better than by chance in such a
pool has found a trace of the secrets themselves.

Source: Dong et al. (2024), StegaINR4MIH, section 4.10, whose pool has 100 functions of each kind.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from hashlib import sha256
from multiprocessing.synchronize import Event
from pathlib import Path
from signal import SIG_IGN, SIGINT, signal
from threading import Thread
from typing import Any

import numpy as np
import torch

from stegfield import files
from stegfield.config import FitConfig, HideConfig
from stegfield.errors import ConfigError, InputError, OutputExistsError, StegfieldError
from stegfield.fields import Field, FitWatch, fit, load, substitute, to_bytes
from stegfield.hiding import Secret, SlotScheme, hide, key_slots
from stegfield.keys import KEY_BYTES, Key
from stegfield.metrics import Samples
from stegfield.signals import Signal, from_samples, to_samples

SETTINGS = "pool.json"
SUFFIX = ".safetensors"
APART = 1 << 32
"""Between the seed of a field and that of the clean one that it is made like."""
LOW_BITS = 8
"""Of a mantissa, those that the naive stego writes to, as our records do."""


@dataclass(frozen=True, kw_only=True)
class PoolConfig:
    """How the fields of a pool are made, whatever their kind."""

    architecture: str = "siren"
    """siren, fourier or grid."""

    sizes: Mapping[str, Any] = field(default_factory=dict)
    """Entries of the architecture's sizes that differ from its defaults."""

    training: FitConfig = field(default_factory=FitConfig)
    """How to train; each cover gets a seed of its own, counted from this one."""

    secrets: int = 2
    """Images that every stego field hides: other covers, see `drawn_images`."""

    def __post_init__(self) -> None:
        if self.secrets < 1:
            raise ConfigError(f"a stego field hides at least 1 secret, got {self.secrets}")


@dataclass(frozen=True)
class Order:
    """What one field of a pool is made of."""

    cover: Signal
    secrets: tuple[Signal, ...]
    decoys: tuple[Signal, ...]
    config: PoolConfig
    training: FitConfig
    watch: FitWatch
    label: str = "secret"

    @property
    def keys(self) -> list[Key]:
        """Keys of the secrets."""
        return keys(self.training.seed or 0, len(self.secrets), self.label)


def keys(seed: int, count: int, label: str = "secret") -> list[Key]:
    """Give the keys of a field of a pool, which follow from its seed: pools can be made again."""
    texts = (f"pool {label} {seed} {number}" for number in range(count))
    return [Key(sha256(text.encode()).digest()[:KEY_BYTES]) for text in texts]


def drawn_images(index: int, covers: int, secrets: int) -> tuple[list[int], list[int]]:
    """Draw which covers are the secrets in the field of a cover, and which its decoys.

    Drawn for each field by itself. Were they dealt out in turn, each as often a secret as a decoy,
    the two kinds would have equal means, and detectors that are tried on what they did not see
    would come out below chance.
    """
    others = np.delete(np.arange(covers), index)
    drawn = np.random.default_rng(index).choice(others, 2 * secrets, replace=False).tolist()
    return drawn[:secrets], drawn[secrets:]


Made = tuple[Field, bool]
"""A field, and whether its training was asked to end early."""
Make = Callable[[Order], Made]


def _clean(order: Order) -> Made:
    """Fit the cover and nothing else."""
    done = fit(
        order.cover,
        architecture=order.config.architecture,
        sizes=order.config.sizes,
        training=order.training,
        watch=order.watch,
    )
    return done.field, done.stopped


def _hidden(order: Order, config: HideConfig | None = None, like: Field | None = None) -> Made:
    """Hide the secrets, as `hide` publishes them."""
    done = hide(
        order.cover,
        [Secret(image, key) for image, key in zip(order.secrets, order.keys, strict=True)],
        architecture=order.config.architecture,
        sizes=order.config.sizes,
        config=config,
        training=order.training,
        watch=order.watch,
        like=like,
    )
    return done.field, done.stopped


def _like_clean(order: Order) -> Made:
    """Fit a clean field, from a draw of its own, then hide in its likeness: twice the steps."""
    seed = (order.training.seed or 0) + APART
    clean, stopped = _clean(replace(order, training=replace(order.training, seed=seed)))
    return (clean, True) if stopped else _hidden(order, like=clean)


def _decoys(order: Order) -> Made:
    """Hide other images under keys that nobody has: what a sender without secrets can publish."""
    return _hidden(replace(order, secrets=order.decoys, label="decoy"))


def _low_bits(order: Order) -> Made:
    """Write the first secret's samples, as they are, to the lowest mantissa bits of a clean field.

    What a hurried sender would do, and what encryption is for.
    """
    made, stopped = _clean(order)
    plain = to_samples(order.secrets[0]).flatten()
    at = 0
    with torch.no_grad():
        for _, weights in sorted(made.named_parameters()):
            part = plain[at : at + weights.numel()].astype(np.uint32)
            words = weights.numpy().reshape(-1).view(np.uint32)[: len(part)]
            words[:] = words & ~np.uint32((1 << LOW_BITS) - 1) | part
            at += len(part)
    return made, stopped


def _left_as_drawn(order: Order) -> Made:
    """Publish the slot values of the first key, drawn by the paper's rule, in a clean field."""
    made, stopped = _clean(order)
    scheme = SlotScheme(ratio=made.slot_ratio, values="xavier")
    drawn = substitute(
        dict(made.decoder.named_parameters()), key_slots(made, order.keys[0], scheme)
    )
    made.decoder.load_state_dict(drawn)
    return made, stopped


KINDS: dict[str, Make] = {
    "clean": _clean,
    "decoys": _decoys,
    "keyed": _hidden,
    "like": _like_clean,
    "magnitude": partial(_hidden, config=HideConfig(slots="magnitude")),
    "random": partial(_hidden, config=HideConfig(slots="random")),
    "xavier": partial(_hidden, config=HideConfig(slots="magnitude", values="xavier")),
    "low bits": _low_bits,
    "left as drawn": _left_as_drawn,
}
"""Two that hide nothing, two of ours, the paper's rules one by one, and two that must be found."""


@dataclass(frozen=True)
class Built:
    """What building a pool came to."""

    made: int
    kept: int
    """Files that were there already."""
    failed: Mapping[str, str]
    """The reason of each that could not be made, by the name of its file."""


def build(
    folder: Path,
    covers: Sequence[Samples],
    kinds: Sequence[str],
    config: PoolConfig | None = None,
    *,
    processes: int = 1,
    told: Callable[[int, int], None] | None = None,
) -> Built:
    """Make a field of every kind of every cover, a file each; go on where an earlier run ended.

    Files are whole or absent, so a run can be cut off at any time. On Ctrl-C the fields that are
    being trained are dropped, and the rest stay.

    Args:
        folder: Gets a folder for each kind, and the settings, which later runs must repeat.
        covers: Images of one number of channels, more than each field has secrets.
        kinds: Some of `KINDS`.
        config: How the fields are made.
        processes: Fields that are trained at once, each in a process with one thread.
        told: Is told how many of how many files are there.

    Raises:
        ConfigError: An unknown kind, or too few covers.
        InputError: The folder holds a pool of other covers or settings.
        OutputError: The folder cannot be written to.
    """
    config = PoolConfig() if config is None else config
    unknown = sorted(set(kinds) - KINDS.keys())
    if unknown:
        raise ConfigError(f"there is no kind {unknown[0]!r}", hint=f"try {', '.join(KINDS)}")
    if len(covers) <= 2 * config.secrets:
        raise ConfigError(
            f"{len(covers)} covers are too few for fields with {config.secrets} secrets",
            hint=f"take at least {2 * config.secrets + 1}: secrets and decoys are other covers",
        )
    _claim(folder, covers, config)
    for kind in kinds:
        files.make_folder(folder / kind)
    jobs = [(kind, index) for index in range(len(covers)) for kind in kinds]
    missing = [(kind, index) for kind, index in jobs if not _path(folder, kind, index).exists()]
    kept, failed = len(jobs) - len(missing), dict[str, str]()
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    pool = ProcessPoolExecutor(processes, context, _start, (stop,))
    try:
        begun = {}
        for kind, index in missing:
            path = _path(folder, kind, index)
            secrets, decoys = drawn_images(index, len(covers), config.secrets)
            images = [covers[at] for at in (index, *secrets, *decoys)]
            begun[pool.submit(_make, path, kind, index, images, config)] = path
        for count, job in enumerate(as_completed(begun), kept + 1):
            reason = job.result()
            if reason:
                failed[f"{begun[job].parent.name}/{begun[job].name}"] = reason
            if told:
                told(count, len(jobs))
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)
    return Built(len(missing) - len(failed), kept, failed)


def read(folder: Path, kind: str) -> dict[int, Field]:
    """Read the fields of one kind, by the number of their cover.

    Raises:
        InputError: There are none.
        FieldFileError: One of the files is damaged.
    """
    paths = sorted((folder / kind).glob(f"*{SUFFIX}"))
    if not paths:
        raise InputError(f"{folder / kind} holds no fields", hint="build the pool first")
    return {int(path.stem): load(path) for path in paths if path.stem.isdecimal()}


_stop: Event
"""In a process of the pool: whether it is to end."""


def _start(stop: Event) -> None:
    """Make ready a process of the pool; Ctrl-C reaches it through the event alone."""
    global _stop  # noqa: PLW0603 - how a process of a pool keeps what it is started with
    _stop = stop
    signal(SIGINT, SIG_IGN)
    torch.set_num_threads(1)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Leave no process behind where the one that started it was killed."""
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


def _make(
    path: Path, kind: str, index: int, images: Sequence[Samples], config: PoolConfig
) -> str | None:
    """Make one file; give the reason if it cannot be made."""
    if _stop.is_set() or path.exists():  # another run may be making the same pool
        return None
    cover, *others = map(from_samples, images)
    secrets, decoys = tuple(others[: config.secrets]), tuple(others[config.secrets :])
    seed = (config.training.seed or 0) + index
    training = replace(config.training, seed=seed)
    order = Order(cover, secrets, decoys, config, training, lambda _: _stop.is_set())
    try:
        made, stopped = KINDS[kind](order)
        if not (stopped or _stop.is_set()):
            files.write_new(path, to_bytes(made), force=True)
    except StegfieldError as error:
        return str(error)
    return None


def _claim(folder: Path, covers: Sequence[Samples], config: PoolConfig) -> None:
    """Write down what a pool is made of, or check that it is the same as before."""
    digest = sha256()
    for cover in covers:
        digest.update(repr(cover.shape).encode() + cover.tobytes())
    facts = json.dumps({"covers": digest.hexdigest(), **asdict(config)}, indent=1, sort_keys=True)
    path = folder / SETTINGS
    files.make_folder(folder)
    with suppress(OutputExistsError):
        files.write_new(path, facts.encode())
    if files.read_bounded(path, 1 << 20) != facts.encode():
        raise InputError(
            f"{folder} holds a pool of other covers or settings", hint="name another folder"
        )


def _path(folder: Path, kind: str, index: int) -> Path:
    return folder / kind / f"{index:04d}{SUFFIX}"
