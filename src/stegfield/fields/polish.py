"""Polishing: the end of a run, by L-BFGS on all points."""

from __future__ import annotations

import math
from contextlib import suppress

import torch
from torch import Tensor

from stegfield.fields.run import FitWatch, Run


class _EnoughError(Exception):
    """An exception that ends L-BFGS within an evaluation; torch offers no other way."""


def polish(run: Run, watch: FitWatch | None) -> None:
    """Run L-BFGS on all points until iterations or time run out, or the watch asks for the end.

    The field keeps the best weights seen, wherever the search ends; these may be the first ones.
    """
    planned, limit, begun = run.config.polish, run.limit, run.seconds
    best = math.inf
    kept: dict[str, Tensor] = {}
    optimizer = torch.optim.LBFGS(
        list(run.field.parameters()),
        max_iter=planned,
        history_size=20,
        line_search_fn="strong_wolfe",
    )

    def loss() -> float:
        nonlocal best, kept
        started = run.seconds
        value, errors = _full_loss(run)
        lasted = run.seconds - started  # as long as the next one will
        if value < best:
            best, run.errors = value, errors
            kept = {name: p.detach().clone() for name, p in run.field.named_parameters()}
        done = next(iter(optimizer.state.values()))["n_iter"] / planned
        if limit is not None:
            done = max(done, (run.seconds - begun) / max(limit - lasted - begun, 1e-9))
        if watch is not None and watch(run.progress(min(done, 1.0))):
            run.schedule.wind_down(run.step, 0.0)
        if run.schedule.stopped or done > 1:
            raise _EnoughError
        return value

    with suppress(_EnoughError):
        optimizer.step(loss)  # type: ignore[no-untyped-call]
    run.field.load_state_dict(kept, strict=False)


def _full_loss(run: Run) -> tuple[float, Tensor]:
    for parameter in run.field.parameters():
        parameter.grad = None
    errors = torch.zeros_like(run.errors)
    loss = sum(
        group.backward(run.weights, torch.arange(group.points), errors) for group in run.groups
    )
    return loss, errors
