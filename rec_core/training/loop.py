"""The only epoch loop: objectives in, trained net out, with checkpoints, exact resume and early stopping."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from pydantic import Field

from rec_core.config import Config
from rec_core.processes import is_main
from rec_core.seeding import numpy_generator, seeded_torch
from rec_core.training.checkpoint import Progressed, load_checkpoint, save_checkpoint
from rec_core.training.step import Arithmetic, Stepper
from rec_core.types import InputError, Progress, ProgressEvent


class LoopConfig(Config):
    """Duration and optimiser of an epoch loop."""

    epochs: int = Field(50, ge=1, le=10_000, description="Passes over the training data.")
    learning_rate: float = Field(1e-3, gt=0, le=1, description="Learning rate of Adam.")
    weight_decay: float = Field(0.0, ge=0, le=1, description="Decoupled weight decay (AdamW).")
    evaluate_every: int = Field(5, ge=1, description="Epochs between two looks at the validation metric.")
    patience: int = Field(5, ge=1, description="Looks without a better validation metric before stopping.")
    precision: Arithmetic = Field(
        "auto",
        description="Arithmetic of the forward pass: auto is bf16 on CUDA and fp32 on a CPU, fast is bf16 "
        "also on a CPU that multiplies it in hardware.",
    )
    checkpoint_seconds: float = Field(
        10.0, ge=0, description="Seconds between two checkpoints, written at the end of an epoch."
    )


class Objective(Protocol):
    """A net bound to a loss and to the batches it eats.

    An objective that also has `weight(batch)`, the number of rows its loss is a mean over, lets several
    processes share a batch by rows; every process computes the whole batch of one that has not.
    """

    net: Any

    @property
    def n_batches(self) -> int:
        """Return the batches of one epoch."""
        ...

    def batches(self, rng: np.random.Generator) -> Iterator[Any]:
        """Yield one epoch's batches."""
        ...

    def loss(self, batch: Any) -> torch.Tensor:
        """Return a scalar to minimise."""
        ...


def run_epochs(
    objective: Objective,
    config: LoopConfig,
    folder: Path,
    seed: int,
    stage: str,
    progress: Progress,
    validate: Callable[[], float] | None = None,
) -> Progressed:
    """Train `objective.net` in place and return how it went.

    With `validate`, the weights of the best epoch are restored at the end.

    Every epoch draws from its own generators (seed, stage, epoch), so that an epoch can be repeated after a
    kill and gives the same steps: a resumed run equals an uninterrupted one bit for bit on CPU. Several
    processes take the same steps on shards of the same batches.

    Args:
        objective: net, loss and batches.
        config: duration and optimiser.
        folder: where the checkpoint lives; one found there is continued.
        seed: the run's seed.
        stage: the name progress events carry.
        progress: called after every step; may raise `Cancelled`.
        validate: a metric on validation data, higher is better; None trains all epochs.

    Raises:
        InputError: the loss or the validation metric is no longer a finite number.
    """
    net: torch.nn.Module = objective.net
    stepper = Stepper(objective, config.learning_rate, config.weight_decay, config.precision)
    state = load_checkpoint(folder, net, stepper.optimiser)
    written = time.monotonic()
    while state.epoch < config.epochs and not state.stopped:
        state.losses.append(_epoch(objective, stepper, config, state.epoch, seed, stage, progress))
        state.epoch += 1
        if validate and state.epoch % config.evaluate_every == 0:
            net.eval()
            with torch.no_grad():
                state.look(_finite(validate(), "validation metric", state.epoch), net, config.patience)
        finished = state.stopped or state.epoch == config.epochs
        if is_main() and (finished or time.monotonic() - written >= config.checkpoint_seconds):
            save_checkpoint(folder, net, stepper.optimiser, state)
            written = time.monotonic()
        progress(_end_of_epoch(objective.n_batches, config, state, stage))
    if state.best is not None:
        net.load_state_dict(state.best)
    net.eval()
    return state


def _epoch(
    objective: Objective,
    stepper: Stepper,
    config: LoopConfig,
    epoch: int,
    seed: int,
    stage: str,
    progress: Progress,
) -> float:
    """Take every step of one epoch and return its mean loss."""
    rng = numpy_generator(seed, stage, "epoch", epoch)
    n_batches, message = objective.n_batches, f"epoch {epoch + 1} of {config.epochs}"
    objective.net.train()
    losses = []
    with seeded_torch(seed, stage, "epoch", epoch):
        for batch in objective.batches(rng):
            losses.append(stepper.step(batch))
            step = epoch * n_batches + len(losses)
            progress(ProgressEvent(stage, step, config.epochs * n_batches, message))
    return _finite(stepper.mean_loss(losses), "loss", epoch + 1)


def _finite(value: float, what: str, epoch: int) -> float:
    if not math.isfinite(value):
        raise InputError(f"The {what} of epoch {epoch} is {value}; lower the learning rate and train anew.")
    return value


def _end_of_epoch(n_batches: int, config: LoopConfig, state: Progressed, stage: str) -> ProgressEvent:
    last = state.epoch if state.stopped else config.epochs  # who stops early is done, and no step was skipped
    metrics = {"loss": state.losses[-1]} | ({"validation": state.values[-1]} if state.values else {})
    message = f"epoch {state.epoch} of {config.epochs}"
    return ProgressEvent(stage, state.epoch * n_batches, last * n_batches, message, metrics)
