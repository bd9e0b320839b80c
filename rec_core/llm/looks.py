"""Looks at validation rows while a language model trains: when to stop, and which weights were the best."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any


class Exhausted(Exception):
    """Raised where a training that had stopped early would be continued; its last checkpoint is loaded."""


def patience_is_over(losses: Sequence[float], patience: int) -> bool:
    """Tell whether the last `patience` looks brought no loss below the best before them.

    Args:
        losses: validation losses, oldest first.
        patience: looks without a better loss; 0: it is never over.
    """
    best = min(range(len(losses)), key=losses.__getitem__, default=0)
    return patience > 0 and len(losses) - 1 - best >= patience


def look_callback(patience: int) -> Any:
    """Return a callback that evaluates wherever a checkpoint is written and stops when patience is over.

    Patience is counted from the logged losses, which a checkpoint carries, so that a resumed training knows
    what the uninterrupted one knew.
    """
    from transformers import TrainerCallback

    class Looker(TrainerCallback):
        """See `look_callback`."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if patience_is_over(_losses(state), patience):
                raise Exhausted

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            control.should_evaluate = control.should_save

        def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if patience_is_over(_losses(state), patience):
                control.should_training_stop = True

    return Looker()


def restore_best(trainer: Any, folder: Path) -> None:
    """Give the model the weights of the look with the lowest loss (the first of equals)."""
    best = trainer.state.best_global_step
    if best != trainer.state.global_step:
        trainer._load_from_checkpoint(str(folder / f"checkpoint-{best}"))


def _losses(state: Any) -> list[float]:
    return [entry["eval_loss"] for entry in state.log_history if "eval_loss" in entry]
