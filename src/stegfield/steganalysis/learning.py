"""Training networks on pairs of covers and stegos, and how much they learn from how many.

    pairs ─turned alike─► network ─► logits ─► cross-entropy + penalty

A batch has both images of each pair, so that only the hiding differs within it. A run is a function
of its settings and its pairs: which are drawn, and how they are turned, follows from the seed and
the step's number, so that a run that is resumed goes on as if it had never stopped.

The penalty of a siamese network draws the halves of covers together and those of stegos apart, up
to a margin (You, Zhang and Zhao, 2021).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor, nn
from torch.nn import functional

from stegfield import files
from stegfield.errors import ConfigError, DivergedError, InputError
from stegfield.fields import checkpoints
from stegfield.steganalysis.curves import Detection, Scores, detection
from stegfield.steganalysis.networks import NETWORKS
from stegfield.tensor_files import plain_json

PENALTY, MARGIN = 0.1, 1.0
WARM_UP = 20  # steps over which the step length rises
CHECKPOINT_STEPS = 50
STATE, CURVE = "state.safetensors", "curve.jsonl"
INTERVALS = ("auc_interval", "p_e_interval")
LARGEST_FILE = 1 << 26
# an underscore leaves a size free: what are no pairs is refused in words
Stack = UInt8[np.ndarray, "_images _rows _columns _channels"]


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How a network is trained to detect."""

    network: str = "siamese"
    """siamese or srnet."""

    steps: int = 400
    """Training steps."""

    batch: int = 8
    """Pairs in a step."""

    learning_rate: float = 2e-3
    """Largest step length; it rises first, then falls to nothing."""

    seed: int = 0
    """Makes a run repeatable on one machine."""

    def __post_init__(self) -> None:
        if self.network not in NETWORKS:
            raise ConfigError(f"there is no network {self.network}: {', '.join(NETWORKS)}")
        if min(self.steps, self.batch) < 1 or not 0 < self.learning_rate < 1:
            raise ConfigError("steps and batch must be at least 1, the step length below 1")


@dataclass(frozen=True)
class Point:
    """What one network learned from a number of pairs."""

    pairs: int
    seed: int
    accuracy: float
    """Share of unseen images that are classified correctly, as many stegos as covers."""
    result: Detection

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"pairs": self.pairs, "seed": self.seed, "accuracy": self.accuracy} | (
            self.result.to_json()
        )


def train(
    covers: Stack,
    stegos: Stack,
    *,
    config: TrainingConfig = TrainingConfig(),
    checkpoint: Path | None = None,
) -> nn.Module:
    """Train a network on pairs of images of one size.

    Args:
        covers: Covers.
        stegos: The stego of each.
        config: How.
        checkpoint: File to keep the state of the run in, and to go on from; removed at the end.

    Raises:
        ConfigError: covers and stegos are not pairs.
        DivergedError: the network left the range of finite numbers.
        InputError: the checkpoint is damaged, or belongs to another run.
    """
    if covers.shape != stegos.shape or len(covers) == 0:
        raise ConfigError(f"covers {covers.shape} and stegos {stegos.shape} are not pairs")
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(config.seed)
        network = NETWORKS[config.network](covers.shape[3])
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=1e-3)
    run, start = _run(covers, stegos, config), 0
    if checkpoint is not None and checkpoint.exists():
        start = int(checkpoints.load(checkpoint, network, [optimizer], run)["step"])
    network.train()
    for step in range(start, config.steps):
        if checkpoint is not None and step > start and step % CHECKPOINT_STEPS == 0:
            checkpoints.save(checkpoint, network, [optimizer], {"run": run, "step": step})
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * _length(step, config.steps)
        before, after = _batch(covers, stegos, config, step)
        loss = _loss(network, before, after)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if not torch.isfinite(loss):
            raise DivergedError
    _settle(network, covers, stegos, config.batch)
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    return network.eval()


@torch.no_grad()
def scores(network: nn.Module, images: Stack, *, batch: int = 32) -> Scores:
    """Return the logit of each image; a stego's is above 0."""
    parts = (images[at : at + batch] for at in range(0, len(images), batch))
    return np.concatenate([network(_levels(part))[0].double().numpy() for part in parts])


def learning_curve(
    covers: Stack,
    stegos: Stack,
    groups: Sequence[int],
    *,
    counts: Sequence[int],
    seeds: Sequence[int],
    folder: Path,
    config: TrainingConfig = TrainingConfig(),
) -> Iterator[Point]:
    """Train on more and more pairs, and judge each network on groups that none of them saw.

    Half of the groups, drawn by each seed, are for training. The folder keeps what is done: a curve
    that was stopped goes on where it was.

    Args:
        covers: Covers of one size.
        stegos: The stego of each.
        groups: What belongs together, such as the crops of one photograph.
        counts: Numbers of pairs to train on.
        seeds: Of the halves, the pairs and the networks.
        folder: Where points and the state of the run are kept; created unless it exists.
        config: How each network is trained; its seed is replaced.

    Raises:
        ConfigError: half of the groups have fewer pairs than a count.
        InputError: the folder's points are damaged.
    """
    files.make_folder(folder)
    settings = _run(covers, stegos, config)
    done = _read_points(folder / CURVE, settings)
    for seed in seeds:
        known, unseen = _halves(groups, seed)
        if len(known) < max(counts):
            raise ConfigError(
                f"{max(counts)} pairs are needed, and {len(known)} are there for training",
                hint="take more images, or smaller counts",
            )
        for count in counts:
            if (count, seed) not in done:
                own = TrainingConfig(**{**asdict(config), "seed": seed})
                chosen = known[:count]
                network = train(
                    covers[chosen], stegos[chosen], config=own, checkpoint=folder / STATE
                )
                before, after = scores(network, covers[unseen]), scores(network, stegos[unseen])
                members = [groups[at] for at in unseen]
                result = detection(before, after, threshold=0.0, groups=members, seed=seed)
                done[count, seed] = Point(count, seed, 1 - (result.error or 0.0), result)
                _write_points(folder / CURVE, settings, done)
            yield done[count, seed]


def _halves(
    groups: Sequence[int], seed: int
) -> tuple[np.ndarray[Any, np.dtype[np.int64]], np.ndarray[Any, np.dtype[np.int64]]]:
    """Part the indices by group; those for training come in random order."""
    random = np.random.default_rng(seed)
    names = random.permutation(np.unique(groups))
    training = np.isin(groups, names[: len(names) // 2])
    return random.permutation(np.flatnonzero(training)), np.flatnonzero(~training)


def _batch(
    covers: Stack, stegos: Stack, config: TrainingConfig, step: int
) -> tuple[Tensor, Tensor]:
    """Draw pairs, all turned and mirrored in one of eight ways."""
    random = np.random.default_rng([config.seed, step])
    chosen = random.choice(len(covers), min(config.batch, len(covers)), replace=False)
    way = int(random.integers(8))
    return _turned(_levels(covers[chosen]), way), _turned(_levels(stegos[chosen]), way)


def _turned(images: Tensor, way: int) -> Tensor:
    turned = torch.rot90(images, way % 4, (2, 3))
    return turned.flip(3) if way >= 4 else turned


def _levels(images: Stack) -> Tensor:
    return torch.tensor(images, dtype=torch.float32).permute(0, 3, 1, 2)


@torch.no_grad()
def _settle(network: nn.Module, covers: Stack, stegos: Stack, batch: int) -> None:
    """Take the statistics of batch normalisation anew, of all pairs and the final weights.

    Their moving averages lag behind a short run, which shifts every logit (Wu and Johnson, 2021).
    """
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
            layer.momentum = None  # the plain mean of what follows
    for at in range(0, len(covers), batch):
        part = np.concatenate([covers[at : at + batch], stegos[at : at + batch]])
        network(_levels(part))


def _loss(network: nn.Module, covers: Tensor, stegos: Tensor) -> Tensor:
    logits, apart = network(torch.cat([covers, stegos]))
    truth = torch.zeros_like(logits)
    truth[len(covers) :] = 1
    excess = torch.where(truth > 0, (MARGIN - apart).clamp_min(0), apart)
    penalty = excess.square().mean() if apart.requires_grad else 0.0
    return functional.binary_cross_entropy_with_logits(logits, truth) + PENALTY * penalty


def _length(step: int, steps: int) -> float:
    return min(1.0, (step + 1) / WARM_UP) * (1 + math.cos(math.pi * step / steps)) / 2


def _run(covers: Stack, stegos: Stack, config: TrainingConfig) -> str:
    """Return a digest that differs between runs."""
    digest = hashlib.sha256(json.dumps(asdict(config)).encode())
    for images in (covers, stegos):
        digest.update(repr(images.shape).encode() + np.ascontiguousarray(images).tobytes())
    return digest.hexdigest()


def _read_points(path: Path, settings: str) -> dict[tuple[int, int], Point]:
    if not path.exists():
        return {}
    data = files.read_bounded(path, LARGEST_FILE)
    with files.distrusting(path, "a file of results", hint="name another folder"):
        head, *lines = map(plain_json, data.splitlines())
        if head != settings:
            raise InputError(f"{path} belongs to another run", hint="name another folder")
        points = [_point(line) for line in lines]
    return {(point.pairs, point.seed): point for point in points}


def _point(line: dict[str, Any]) -> Point:
    """Return what a line says.

    Raises:
        Exception: It says something else.
    """
    pairs, seed, accuracy = line["pairs"], line["seed"], line["accuracy"]
    if not (type(pairs) is type(seed) is int and type(accuracy) is float and 0 <= accuracy <= 1):
        raise ValueError("a point out of range")
    return Point(pairs, seed, accuracy, _detection(line["result"]))


def _write_points(path: Path, settings: str, points: dict[tuple[int, int], Point]) -> None:
    lines = [json.dumps(settings), *(json.dumps(asdict(point)) for point in points.values())]
    files.write_new(path, "\n".join(lines).encode() + b"\n", force=True)


def _detection(facts: dict[str, Any]) -> Detection:
    pairs = {name: (float(low), float(high)) for name in INTERVALS for low, high in [facts[name]]}
    others = {name: value for name, value in facts.items() if name not in pairs}
    if not all(value is None or type(value) in (int, float) for value in others.values()):
        raise ValueError("figures that are no numbers")
    return Detection(**(others | pairs))
