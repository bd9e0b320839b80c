"""The only epoch loop: objectives in, trained net out, with checkpoints, exact resume and early stopping."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from pydantic import Field

from rec_core.config import Config
from rec_core.seeding import numpy_generator
from rec_core.training.checkpoint import Progressed, load_checkpoint, save_checkpoint
from rec_core.types import Progress, ProgressEvent


class LoopConfig(Config):
    """Duration and optimiser of an epoch loop."""

    epochs: int = Field(50, ge=1, le=10_000, description="Passes over the training data.")
    learning_rate: float = Field(1e-3, gt=0, le=1, description="Learning rate of Adam.")
    weight_decay: float = Field(0.0, ge=0, le=1, description="Decoupled weight decay (AdamW).")
    evaluate_every: int = Field(5, ge=1, description="Epochs between two looks at the validation metric.")
    patience: int = Field(5, ge=1, description="Looks without a better validation metric before stopping.")


class Objective(Protocol):
    """A net bound to a loss and to the batches it eats."""

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

    Every epoch draws from its own generator (seed, stage, epoch), so that an epoch can be repeated after a
    kill and gives the same steps: a resumed run equals an uninterrupted one bit for bit on CPU.

    Args:
        objective: net, loss and batches.
        config: duration and optimiser.
        folder: where the checkpoint lives; one found there is continued.
        seed: the run's seed.
        stage: the name progress events carry.
        progress: called after every step; may raise `Cancelled`.
        validate: a metric on validation data, higher is better; None trains all epochs.
    """
    net: torch.nn.Module = objective.net
    optimiser = torch.optim.AdamW(net.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    state = load_checkpoint(folder, net, optimiser)
    while state.epoch < config.epochs and not state.stopped:
        rng = numpy_generator(seed, stage, "epoch", state.epoch)
        net.train()
        losses = []
        for batch in objective.batches(rng):
            optimiser.zero_grad(set_to_none=True)
            loss = objective.loss(batch)
            loss.backward()
            optimiser.step()
            losses.append(float(loss.detach()))
            step = state.epoch * objective.n_batches + len(losses)
            total = config.epochs * objective.n_batches
            progress(ProgressEvent(stage, step, total, f"epoch {state.epoch + 1} of {config.epochs}"))
        state.epoch += 1
        state.losses.append(float(np.mean(losses)))
        if validate and state.epoch % config.evaluate_every == 0:
            net.eval()
            with torch.no_grad():
                state.look(validate(), net, config.patience)
        save_checkpoint(folder, net, optimiser, state)
        done = config.epochs if state.stopped else state.epoch
        metrics = {"loss": state.losses[-1]} | ({"validation": state.values[-1]} if state.values else {})
        progress(
            ProgressEvent(
                stage,
                done * objective.n_batches,
                config.epochs * objective.n_batches,
                f"epoch {state.epoch} of {config.epochs}",
                metrics,
            )
        )
    if state.best is not None:
        net.load_state_dict(state.best)
    net.eval()
    return state
