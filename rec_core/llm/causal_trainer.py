"""Train a causal language model on token rows with transformers' Trainer: checkpoints, resume, progress."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from pydantic import Field

from rec_core.config import Config
from rec_core.llm.yes_no import left_padded
from rec_core.store import read_json
from rec_core.types import Progress, ProgressEvent

IGNORED = -100  # label of positions that carry no loss, transformers' convention


class TrainerConfig(Config):
    """How long and how fast to train."""

    epochs: float = Field(1.0, gt=0, le=1000, description="Passes over the rows.")
    batch_size: int = Field(16, ge=1, le=4096, description="Rows per forward pass.")
    accumulation: int = Field(1, ge=1, le=4096, description="Forward passes per optimiser step.")
    learning_rate: float = Field(1e-3, gt=0, le=1, description="Peak learning rate of AdamW.")
    warmup_share: float = Field(0.0, ge=0, lt=1, description="Share of steps with rising learning rate.")
    weight_decay: float = Field(0.0, ge=0, le=1, description="Decoupled weight decay.")
    schedule: str = Field(
        "linear", pattern="^(linear|cosine|constant)$", description="Learning-rate schedule."
    )
    checkpoint_steps: int = Field(50, ge=1, description="Optimiser steps between two checkpoints.")


@dataclass(frozen=True)
class TokenRow:
    """One training row; the loss is taken at the last `n_targets` tokens (all but the first when it is T)."""

    ids: list[int]
    n_targets: int


def fit_causal(
    model: Any,
    rows: Sequence[TokenRow],
    pad: int,
    config: TrainerConfig,
    folder: Path,
    seed: int,
    stage: str,
    progress: Progress,
) -> float:
    """Train `model` in place and return the mean training loss over all steps.

    Rows are padded on the left, so that targets end every row and the language-model head is applied to the
    target positions only. A checkpoint found in `folder` is continued: data order, optimiser, schedule and
    random state are restored, and on a CPU the final weights equal those of an uninterrupted run bit for bit.

    Args:
        model: a causal language model (or a PEFT wrapper of one).
        rows: training rows.
        pad: token number used for padding.
        config: duration and optimiser.
        folder: where checkpoints live.
        seed: decides data order and dropout.
        stage: the name progress events carry.
        progress: called after every optimiser step; may raise `Cancelled`.
    """
    from transformers import Trainer, TrainingArguments

    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=config.epochs,
        per_device_train_batch_size=config.batch_size,
        gradient_accumulation_steps=config.accumulation,
        learning_rate=config.learning_rate,
        warmup_steps=config.warmup_share,
        weight_decay=config.weight_decay,
        lr_scheduler_type=config.schedule,
        save_steps=config.checkpoint_steps,
        save_total_limit=2,
        logging_steps=1,
        seed=seed % 2**31,
        data_seed=seed % 2**31,
        report_to=[],
        use_cpu=not torch.cuda.is_available(),
        bf16=_in_bf16(model),
        remove_unused_columns=False,
        disable_tqdm=True,
        dataloader_num_workers=0,
        log_level="error",
    )
    trainer = _trainer_class(Trainer)(
        model=model,
        args=arguments,
        train_dataset=list(rows),
        data_collator=lambda batch: _collate(batch, pad),
        callbacks=[_progress_callback(stage, progress)],
    )
    trainer.remove_callback(_printer())
    trainer.train(resume_from_checkpoint=_last_whole_checkpoint(folder))
    return fmean(entry["loss"] for entry in trainer.state.log_history if "loss" in entry)


def _in_bf16(model: Any) -> bool:
    """Tell whether steps run under bf16 autocast: on CUDA, for weights that are not plain fp32."""
    return torch.cuda.is_available() and any(p.dtype == torch.bfloat16 for p in model.parameters())


def answer_loss(
    logits: torch.Tensor, labels: torch.Tensor, n_targets: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the cross-entropy summed over positions whose label is not ignored, divided by their number.

    Args:
        logits: (B, T, V), the prediction of each position for the next one.
        labels: (B, T), already shifted: the token each position should predict, or -100.
        n_targets: divide by this instead: the targets of all the batches that make up one optimiser step.
    """
    total = torch.nn.functional.cross_entropy(
        logits.float().flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="sum"
    )
    return total / ((labels != IGNORED).sum() if n_targets is None else n_targets)


def _last_whole_checkpoint(folder: Path) -> str | None:
    """Return the newest checkpoint that is whole, None without one; a kill leaves half of one behind."""
    whole = [file.parent for file in folder.glob("checkpoint-*/trainer_state.json") if _is_json(file)]
    return str(max(whole, key=lambda path: int(path.name.rpartition("-")[2]))) if whole else None


def _is_json(file: Path) -> bool:
    try:
        read_json(file)
    except ValueError:
        return False
    return True


def _collate(batch: list[TokenRow], pad: int) -> dict[str, torch.Tensor]:
    ids, mask = left_padded([row.ids for row in batch], pad)
    width = ids.shape[1]
    labels = torch.full_like(ids, IGNORED)
    for i, row in enumerate(batch):
        start = width - min(row.n_targets, len(row.ids) - 1)
        labels[i, start:] = ids[i, start:]
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def _trainer_class(base: type) -> type:
    class AnswerTrainer(base):  # type: ignore[valid-type, misc]
        """Applies the head only to the columns that carry a target somewhere in the batch."""

        def compute_loss(
            self,
            model: Any,
            inputs: dict[str, torch.Tensor],
            return_outputs: bool = False,
            num_items_in_batch: torch.Tensor | None = None,
        ) -> Any:
            # Trainer counts the targets of all the batches of a step; a loss of means would then be added up.
            mask = inputs["attention_mask"]
            labels = torch.nn.functional.pad(inputs["labels"][:, 1:], (0, 1), value=IGNORED)
            first = int((labels != IGNORED).any(dim=0).nonzero()[0])
            kept = labels.shape[1] - first
            output = model(
                input_ids=inputs["input_ids"],
                attention_mask=mask,
                position_ids=(mask.cumsum(dim=1) - 1).clamp(min=0),
                logits_to_keep=kept,
                use_cache=False,
            )
            loss = answer_loss(output.logits, labels[:, first:], num_items_in_batch)
            return (loss, output) if return_outputs else loss

    return AnswerTrainer


def _progress_callback(stage: str, progress: Progress) -> Any:
    from transformers import TrainerCallback

    class Reporter(TrainerCallback):
        """Turns the Trainer's logs into progress events; a `Cancelled` raised there ends the training."""

        def on_log(
            self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any
        ) -> None:
            if logs and "loss" in logs:
                metrics = {
                    "loss": float(logs["loss"]),
                    "learning_rate": float(logs.get("learning_rate", 0.0)),
                }
                progress(ProgressEvent(stage, state.global_step, state.max_steps, metrics=metrics))

    return Reporter()


def _printer() -> type:
    from transformers.trainer_callback import PrinterCallback

    return PrinterCallback
