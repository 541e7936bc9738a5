"""Settings of a field's training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from stegfield.config.settings import SEED, Range, Settings
from stegfield.errors import ConfigError, Wording


@dataclass(frozen=True, kw_only=True)
class FitConfig(Settings):
    """How a field is trained.

    Steps and seconds plan the end of the decay, whichever comes first. A target PSNR ends the run
    when every signal has reached it. Without any of them, the plan is that of the architecture
    (`stegfield.fields.choosing`): some passes over the largest signal.
    """

    steps: Annotated[int | None, Range(1)] = None
    """Training steps to plan for."""

    max_seconds: Annotated[float | None, Range(0, above=True)] = None
    """Seconds that all of it may take, reading and writing too; L-BFGS at the end gets a fifth."""

    target_db: Annotated[float | None, Range(0, above=True)] = None
    """PSNR in dB at which to stop; without steps or seconds, longer and longer runs try for it."""

    optimizer: Literal["muon", "adam"] = "muon"
    """Optimiser of the matrices; Adam trains everything else in any case."""

    learning_rate: Annotated[float | None, Range(0, above=True)] = None
    """First step length [default: the architecture's for muon, 0.001 for adam]."""

    batch: Annotated[int | None, Range(0)] = None
    """Points of each signal in a step; 0 takes all of them [default: the architecture's]."""

    decay: Annotated[float, Range(0)] = 3.0
    """How far the step length falls: by exp(-decay), then to zero; 0 keeps it constant."""

    warm_up: Annotated[int | None, Range(0)] = None
    """Steps over which the step length rises at first [default: the architecture's]."""

    loss: Literal["l2", "l1"] = "l2"
    """Squared or absolute error."""

    polish: Annotated[int, Range(0)] = 0
    """L-BFGS iterations on all points at the end."""

    robust: bool = False
    """Train under pruning and noise, so that the field survives them and rounding."""

    seed: Annotated[int | None, SEED] = None
    """Makes a run repeatable on one machine. Do not publish two fields of one cover with one seed:
    they would have the same salt."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.robust and self.polish:
            raise ConfigError(
                Wording("{polish} has no meaning with {robust:True}"),
                hint="leave one of them out: L-BFGS cannot follow a noisy loss",
            )
