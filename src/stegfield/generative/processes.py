"""Several processes as one: PyTorch's launcher starts them, and they share each step's batch.

Gradients are averaged here and not by DistributedDataParallel, which cannot see those that are
taken with `torch.autograd.grad`, as the gradient penalty and the generator's are.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.utils import parameters_to_vector

from stegfield.jobs.parents import ended_with_launcher


@dataclass(frozen=True)
class Processes:
    """How many processes there are, and which one this is."""

    count: int = 1
    rank: int = 0
    device: str = "cpu"

    @property
    def first(self) -> bool:
        """Whether this one writes the files."""
        return self.rank == 0

    def share(self, batch: Tensor) -> Tensor:
        """Return this process's part of a batch that all processes drew alike."""
        return batch.tensor_split(self.count)[self.rank]

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace gradients by their mean over all processes."""
        if self.count == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        together = parameters_to_vector(gradients)
        distributed.all_reduce(together)
        together /= self.count
        at = 0
        for gradient in gradients:
            gradient.copy_(together[at : at + gradient.numel()].view_as(gradient))
            at += gradient.numel()

    def mean(self, value: Tensor) -> Tensor:
        """Return the mean of a value over all processes."""
        if self.count > 1:
            distributed.all_reduce(value)
            value /= self.count
        return value

    def tell(self, facts: Any) -> Any:
        """Tell all processes what the first one says: anything that JSON holds."""
        if self.count == 1:
            return facts
        said = json.dumps(facts).encode() if self.first else b""
        length = self.same(torch.tensor(len(said), device=self.device))
        heard = torch.zeros(int(length), dtype=torch.uint8, device=self.device)
        if self.first:
            heard.copy_(torch.frombuffer(bytearray(said), dtype=torch.uint8))
        return json.loads(bytes(self.same(heard).tolist()))

    def same(self, tensor: Tensor) -> Tensor:
        """Send the tensor of the first process to all; those of the others are overwritten."""
        if self.count > 1:
            distributed.broadcast(tensor, 0)
        return tensor

    def any(self, asked: bool) -> bool:
        """Tell whether any process says so."""
        return bool(self.mean(torch.tensor(float(asked), device=self.device)) > 0)


ALONE = Processes()


@contextmanager
def joined() -> Iterator[Processes]:
    """Join the processes that the launcher started, if it did; they end where it dies."""
    count, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    device = "cpu"
    if torch.cuda.is_available():
        device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
    if count == 1:
        yield Processes(device=device)
        return
    if device != "cpu":
        torch.cuda.set_device(device)  # what nccl takes where no tensor tells it
    with ended_with_launcher():
        distributed.init_process_group("gloo" if device == "cpu" else "nccl")
        try:
            yield Processes(count, rank, device)
            # a thread of the group may still hold the last tensor, which must not outlive Python
            distributed.barrier()
        finally:
            distributed.destroy_process_group()
