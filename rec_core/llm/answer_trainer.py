"""transformers' Trainer with our order of rows, the head at answer positions and an exact validation loss."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch.utils.data import DataLoader

from rec_core.llm.last_block import LastBlock, narrowed_to
from rec_core.llm.length_buckets import BatchOrder
from rec_core.llm.token_rows import IGNORED, TokenRow, collate
from rec_core.processes import n_processes, rank, sum_over_processes, wait_for_everyone


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


def answer_logits(
    model: Any, inputs: dict[str, torch.Tensor], last_block: LastBlock | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the logits that predict the targets, with the labels they should predict.

    The last token of every row predicts nothing and is not even read. The head is applied to as many columns
    as the row with the most targets has, which for answers of one length is to the answer positions alone;
    so is what the last block does behind its attention.

    Args:
        model: a causal language model or a wrapper of one.
        inputs: a batch of `token_rows.collate`, (B, T).
        last_block: the model's, where it may work at some positions alone.

    Returns:
        Logits (B, A, V) and labels (B, A), -100 where a row has fewer than A targets.
    """
    mask, labels = inputs["attention_mask"][:, :-1], inputs["labels"][:, 1:]
    wanted = (labels != IGNORED).any(dim=0)
    n_columns = max(1, int(wanted.sum()))  # targets end at the last column, so these are the last ones
    n_rows, width = mask.shape
    columns = torch.arange(width - n_columns, width).expand(n_rows, n_columns)
    with narrowed_to(last_block if n_columns < width else None, columns):
        output = model(
            input_ids=inputs["input_ids"][:, :-1],
            attention_mask=mask,
            position_ids=(mask.cumsum(dim=1) - 1).clamp(min=0),
            logits_to_keep=n_columns,
            use_cache=False,
        )
    return output.logits, labels[:, -n_columns:]


def answer_trainer(
    model: Any,
    arguments: Any,
    rows: Sequence[TokenRow],
    validation: Sequence[TokenRow] | None,
    pad: int,
    order: BatchOrder,
    batch_size: int,
    callbacks: list[Any],
    last_block: LastBlock | None = None,
) -> Any:
    """Return a Trainer of `rows` in `order` whose evaluation is the loss per target of `validation`.

    Args:
        model: what to train.
        arguments: transformers' TrainingArguments.
        rows: training rows.
        validation: rows that are only looked at; None: it cannot evaluate.
        pad: token number used for padding.
        order: this process's batches of each epoch.
        batch_size: rows of one forward pass of the evaluation, all processes together.
        callbacks: transformers' callbacks.
        last_block: the model's, where it may work at the answer positions alone; never where activations
            are computed a second time.
    """
    from transformers.trainer_callback import PrinterCallback

    trainer = _trainer_class()(
        model=model,
        args=arguments,
        train_dataset=list(rows),
        data_collator=partial(collate, pad=pad),
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.order, trainer.look_size, trainer.last_block = order, batch_size, last_block
    trainer.looked_at = sorted(validation or [], key=lambda row: len(row.ids))
    # The loss below is divided by the targets of a whole step, whatever the model says it can take.
    trainer.model_accepts_loss_kwargs = trainer._loss_shifts_labels = True
    return trainer


class _EpochLoader(DataLoader[TokenRow]):
    """Passes the epoch on to the order of the batches; transformers asks its loader to."""

    def set_epoch(self, epoch: int) -> None:
        self.batch_sampler.set_epoch(epoch)  # type: ignore[union-attr]


def _trainer_class() -> type:
    from transformers import Trainer

    class AnswerTrainer(Trainer):
        """See `answer_trainer`."""

        order: BatchOrder
        looked_at: list[TokenRow]
        look_size: int
        last_block: LastBlock | None

        def get_train_dataloader(self) -> DataLoader:
            rows: Any = self.train_dataset
            return _EpochLoader(
                rows,
                batch_sampler=self.order,
                collate_fn=self.data_collator,
                pin_memory=torch.cuda.is_available(),
            )

        def compute_loss(
            self,
            model: Any,
            inputs: dict[str, torch.Tensor],
            return_outputs: bool = False,
            num_items_in_batch: Any = None,
        ) -> Any:
            # Targets are counted over a step's batches and processes; gradients are averaged over processes.
            logits, labels = answer_logits(model, inputs, self.last_block)
            loss = answer_loss(logits, labels, num_items_in_batch) * n_processes()
            return (loss, logits) if return_outputs else loss

        def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
            """Log and return the cross-entropy per target over all validation rows (lower is better)."""
            metrics = {"eval_loss": self._validation_loss()}
            self.log(dict(metrics))
            self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
            return metrics

        def _validation_loss(self) -> float:
            model: Any = self.model
            collated: Any = self.data_collator
            model.eval()
            total = torch.zeros(2, dtype=torch.float64, device=self.args.device)  # cross-entropy, targets
            for start in range(0, len(self.looked_at), self.look_size):
                share = self.looked_at[start : start + self.look_size][rank() :: n_processes()]
                inputs = self._prepare_inputs(collated(share))
                with torch.no_grad():
                    logits, labels = answer_logits(model, inputs, self.last_block)
                    count = (labels != IGNORED).sum()
                    total += torch.stack([answer_loss(logits, labels, torch.ones_like(count)), count])
            loss, count = sum_over_processes(total).tolist()
            return loss / count

        def _save_rng_state(self, output_dir: str) -> None:
            super()._save_rng_state(output_dir)
            wait_for_everyone()  # the state of the training, written next, says that the checkpoint is whole

    return AnswerTrainer
