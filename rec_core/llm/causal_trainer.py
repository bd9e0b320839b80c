"""Train a causal language model on token rows with transformers' Trainer: checkpoints, resume, progress."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

import torch
from pydantic import Field

from rec_core.config import Config
from rec_core.llm.answer_trainer import answer_trainer
from rec_core.llm.last_block import proved_in
from rec_core.llm.length_buckets import BatchOrder
from rec_core.llm.looks import Exhausted, look_callback, restore_best
from rec_core.llm.token_rows import TokenRow
from rec_core.llm.trainer_callbacks import dropout_of_its_own, reporter
from rec_core.processes import n_processes, rank, share
from rec_core.store import read_json
from rec_core.types import InputError, Progress

__all__ = ["TokenRow", "TrainerConfig", "fit_causal"]

StepPrecision = Literal["auto", "bf16", "fp32"]


class TrainerConfig(Config):
    """How long and how fast to train."""

    epochs: float = Field(1.0, gt=0, le=1000, description="Passes over the rows.")
    batch_size: int = Field(
        16, ge=1, le=4096, description="Rows per forward pass, of all processes that share the training."
    )
    accumulation: int = Field(1, ge=1, le=4096, description="Forward passes per optimiser step.")
    learning_rate: float = Field(1e-3, gt=0, le=1, description="Peak learning rate of AdamW.")
    warmup_share: float = Field(0.0, ge=0, lt=1, description="Share of steps with rising learning rate.")
    weight_decay: float = Field(0.0, ge=0, le=1, description="Decoupled weight decay.")
    schedule: str = Field(
        "linear", pattern="^(linear|cosine|constant)$", description="Learning-rate schedule."
    )
    checkpoint_steps: int = Field(
        50,
        ge=1,
        description="Optimiser steps between two checkpoints, and between two looks at validation rows.",
    )
    bucketing: bool = Field(True, description="Rows of like length share a forward pass: less padding.")
    precision: StepPrecision = Field(
        "auto",
        description="Arithmetic of a step: auto is bf16 on CUDA for weights that are bf16 or quantised, fp32 "
        "elsewhere.",
    )
    gradient_checkpointing: bool = Field(
        False,
        description="Compute activations again in the backward pass: less memory, about a third more time.",
    )
    early_stopping_patience: int = Field(
        0, ge=0, le=1000, description="Looks without a lower validation loss before stopping; 0: never."
    )


def fit_causal(
    model: Any,
    rows: Sequence[TokenRow],
    pad: int,
    config: TrainerConfig,
    folder: Path,
    seed: int,
    stage: str,
    progress: Progress,
    validation: Sequence[TokenRow] | None = None,
) -> float:
    """Train `model` in place and return the mean training loss over all steps.

    Rows are padded on the left, so that targets end every row and the language-model head is applied to the
    target positions only. A checkpoint found in `folder` is continued: data order, optimiser, schedule and
    random state are restored, and on a CPU the final weights equal those of an uninterrupted run bit for bit.
    With `validation` the loss per target of those rows is taken at every checkpoint and at the end, and the
    model ends with the weights of the lowest.

    Several processes (`torchrun`, `accelerate launch`) share the rows of every batch and end with the weights
    that one process ends with, up to rounding; dropout draws its own numbers in each. All must call this; the
    main one writes and speaks. A model that is sharded (FSDP) stays so; `lora.save_adapter` saves it whole.

    Args:
        model: a causal language model (or a PEFT wrapper of one).
        rows: training rows.
        pad: token number used for padding.
        config: duration and optimiser.
        folder: where checkpoints live.
        seed: decides data order and dropout.
        stage: the name progress events carry.
        progress: called after every step, and after every look with the metric `validation_loss`; may raise
            `Cancelled`, which ends every process.
        validation: rows that are looked at and never learned from.

    Raises:
        InputError: rows are missing or without target, or patience has no rows to look at.
    """
    _check_rows(rows, validation, config)
    looks = [look_callback(config.early_stopping_patience)] if validation is not None else []
    order = _order(rows, config, seed)
    trainer = answer_trainer(
        model,
        _arguments(model, config, folder, seed),
        rows,
        validation,
        pad,
        order,
        config.batch_size,
        [reporter(stage, progress), dropout_of_its_own(seed), *looks],
        None if config.gradient_checkpointing else proved_in(model, rows[0].ids),
    )
    try:
        with suppress(Exhausted):
            trainer.train(resume_from_checkpoint=share(_last_whole_checkpoint(folder)))
        if validation is not None:
            restore_best(trainer, folder)
    finally:
        _give_back(trainer, model, config)
    return fmean(entry["loss"] for entry in trainer.state.log_history if "loss" in entry)


def _check_rows(
    rows: Sequence[TokenRow], validation: Sequence[TokenRow] | None, config: TrainerConfig
) -> None:
    if not rows or (validation is not None and not validation):
        which = "validation" if rows else "training"
        raise InputError(f"There are no {which} rows to train a language model with; give at least one.")
    if any(len(row.ids) < 2 or row.n_targets < 1 for row in [*rows, *(validation or [])]):
        raise InputError("A row has no target that anything precedes; give rows of two tokens and more.")
    if config.early_stopping_patience and validation is None:
        raise InputError(
            f"early_stopping_patience = {config.early_stopping_patience} needs validation rows to look at; "
            "give some or set it to 0."
        )


def _order(rows: Sequence[TokenRow], config: TrainerConfig, seed: int) -> BatchOrder:
    """Return this process's batches of each epoch."""
    lengths = [len(row.ids) for row in rows]
    return BatchOrder(lengths, config.batch_size, seed, config.bucketing, n_processes(), rank())


def _arguments(model: Any, config: TrainerConfig, folder: Path, seed: int) -> Any:
    from transformers import TrainingArguments

    return TrainingArguments(
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
        metric_for_best_model="loss",
        greater_is_better=False,
        logging_steps=1,
        seed=seed % 2**31,
        data_seed=seed % 2**31,
        report_to=[],
        use_cpu=not torch.cuda.is_available(),
        bf16=_in_bf16(model, config.precision),
        activation_checkpointing=config.gradient_checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False},
        ddp_find_unused_parameters=False,
        use_cache=bool(getattr(model.config, "use_cache", True)),  # left as it is
        remove_unused_columns=False,
        disable_tqdm=True,
        dataloader_num_workers=0,
        log_level="error",
    )


def _in_bf16(model: Any, precision: StepPrecision) -> bool:
    """Tell whether steps run under bf16 autocast."""
    if precision != "auto":
        return precision == "bf16"
    coarse = getattr(model, "is_quantized", False) or any(
        p.dtype == torch.bfloat16 for p in model.parameters()
    )
    return torch.cuda.is_available() and bool(coarse)


def _give_back(trainer: Any, model: Any, config: TrainerConfig) -> None:
    """Take off the model what the training put around it: autocast, checkpointing and accelerate's mark."""
    trainer.accelerator.unwrap_model(model, keep_fp32_wrapper=False)
    vars(model).pop("_is_accelerate_prepared", None)
    if config.gradient_checkpointing:
        model.activation_checkpointing_disable()


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
