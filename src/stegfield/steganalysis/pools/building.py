"""Building pools: a field of every kind of every cover, a file each.

Source: Dong et al. (2024), StegaINR4MIH, section 4.10, whose pool has 100 functions of each kind.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np

from stegfield import files, jobs
from stegfield.errors import ConfigError, InputError, OutputExistsError
from stegfield.fields import Field, load, to_bytes
from stegfield.jobs import Job, JobProgress, Ledger, LedgerKind
from stegfield.metrics import Samples
from stegfield.signals import from_samples
from stegfield.steganalysis.pools.kinds import KINDS, Order, PoolConfig

SETTINGS, LEDGER = "pool.json", "fields.jsonl"
SUFFIX = ".safetensors"


@dataclass(frozen=True)
class Trained:
    """What is known of a field that was made."""

    size: int = 0
    """Bytes of its file; none where another run had made it meanwhile."""


POOL = LedgerKind("a pool of fields", "kind", Trained, shared=True)


def drawn_images(index: int, covers: int, secrets: int) -> tuple[list[int], list[int]]:
    """Draw which covers are the secrets in the field of a cover, and which its decoys.

    They are drawn for each field by itself. If they were dealt out in turn, each as often a secret
    as a decoy, the two kinds would have equal means, and cross-validated detectors would be worse
    than chance.
    """
    others = np.delete(np.arange(covers), index)
    drawn = np.random.default_rng(index).choice(others, 2 * secrets, replace=False).tolist()
    return drawn[:secrets], drawn[secrets:]


@dataclass(frozen=True)
class Built:
    """The result of building a pool."""

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
        ConfigError: a kind is unknown, or there are too few covers.
        InputError: the folder holds a pool of other covers or settings.
        OutputError: the folder cannot be written to.
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
    wanted = [
        Job(kind, {"cover": at}, f"{kind}/{name}", writes=(folder / kind / name,))
        for at, name in enumerate(f"{at:04d}{SUFFIX}" for at in range(len(covers)))
        for kind in kinds
    ]
    missing = [job for job in wanted if not _path(job).exists()]
    kept = len(wanted) - len(missing)

    def watch(progress: JobProgress[Trained]) -> None:
        if told:
            told(kept + progress.done, len(wanted))

    ended = jobs.run(
        missing,
        Ledger(folder / LEDGER, POOL),
        partial(_make, covers=covers, config=config),
        engine=partial(jobs.apart, threads=1),
        workers=processes,
        watch=watch,
    )
    failed = {entry.where: entry.error for entry in ended if entry.error is not None}
    return Built(len(missing) - len(failed), kept, failed)


def read(folder: Path, kind: str) -> dict[int, Field]:
    """Read the fields of one kind, by the number of their cover.

    Raises:
        InputError: the pool holds no fields of this kind.
        FieldFileError: one of the files is damaged.
    """
    paths = sorted((folder / kind).glob(f"*{SUFFIX}"))
    if not paths:
        raise InputError(f"{folder / kind} holds no fields", hint="build the pool first")
    return {int(path.stem): load(path) for path in paths if path.stem.isdecimal()}


def _make(job: Job, *, covers: Sequence[Samples], config: PoolConfig) -> Trained:
    """Make one file."""
    index = int(job.settings["cover"])
    if _path(job).exists():  # another run may be making the same pool
        return Trained()
    secrets, decoys = (
        tuple(from_samples(covers[at]) for at in drawn)
        for drawn in drawn_images(index, len(covers), config.secrets)
    )
    training = replace(config.training, seed=(config.training.seed or 0) + index)
    order = Order(from_samples(covers[index]), secrets, decoys, config, training)
    data = to_bytes(KINDS[job.name](order))
    files.write_new(_path(job), data, force=True)
    return Trained(len(data))


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


def _path(job: Job) -> Path:
    """Name the one file of a job."""
    (path,) = job.writes
    return path
