"""Training rows of token numbers, and the padded batches a causal language model learns from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from rec_core.llm.yes_no import left_padded

IGNORED = -100  # label of positions that carry no loss, transformers' convention


@dataclass(frozen=True)
class TokenRow:
    """One training row; the loss is taken at the last `n_targets` tokens (all but the first when it is T)."""

    ids: list[int]
    n_targets: int


def collate(batch: Sequence[TokenRow], pad: int) -> dict[str, torch.Tensor]:
    """Return rows padded on the left, so that the targets of every row end at the last column.

    Args:
        batch: B rows; none at all (the share of a process beyond the last row) gives a row without targets.
        pad: token number used for padding.

    Returns:
        input_ids, attention_mask (1 = token) and labels (the token where it is a target, else -100): (B, T).
    """
    rows = batch or [TokenRow([pad, pad], 0)]
    ids, mask = left_padded([row.ids for row in rows], pad)
    width = ids.shape[1]
    labels = torch.full_like(ids, IGNORED)
    for i, row in enumerate(rows):
        start = width - min(row.n_targets, len(row.ids) - 1)
        labels[i, start:] = ids[i, start:]
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}
