"""What a training tells while it runs, and what sets its processes apart."""

from __future__ import annotations

from typing import Any

import torch

from rec_core.processes import is_main, rank, share
from rec_core.seeding import derive_seed
from rec_core.types import Cancelled, Progress, ProgressEvent


def reporter(stage: str, progress: Progress) -> Any:
    """Return a callback that passes on the Trainer's losses; a `Cancelled` raised there ends all."""
    from transformers import TrainerCallback

    class Reporter(TrainerCallback):
        """See `reporter`."""

        def on_log(
            self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any
        ) -> None:
            metrics = _metrics(logs or {})
            if metrics:
                event = ProgressEvent(stage, state.global_step, state.max_steps, metrics=metrics)
                _report_together(event, progress)

    return Reporter()


def _metrics(logs: dict[str, float]) -> dict[str, float]:
    if "eval_loss" in logs:
        return {"validation_loss": float(logs["eval_loss"])}
    if "loss" in logs:
        return {"loss": float(logs["loss"]), "learning_rate": float(logs.get("learning_rate", 0.0))}
    return {}


def _report_together(event: ProgressEvent, progress: Progress) -> None:
    """Report from the main process; what it raises to end the work is raised by all, at the same step."""
    wish: Cancelled | None = None
    if is_main():
        try:
            progress(event)
        except Cancelled as cancelled:
            wish = cancelled
    reason = share(None if wish is None else str(wish))
    if reason is not None:
        raise wish or Cancelled(reason)


def dropout_of_its_own(seed: int) -> Any:
    """Return a callback that lets every process but the main one drop positions of its own.

    A resumed process goes on from the random state its checkpoint holds.
    """
    from transformers import TrainerCallback

    class Seeder(TrainerCallback):
        """See `dropout_of_its_own`."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if not is_main():
                torch.manual_seed(derive_seed(seed, "dropout", rank()))

    return Seeder()
