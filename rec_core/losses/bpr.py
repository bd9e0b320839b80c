"""Bayesian personalised ranking: the liked item should score above one that was not chosen."""

from __future__ import annotations

import torch


def bpr_loss(positive_scores: torch.Tensor, negative_scores: torch.Tensor) -> torch.Tensor:
    """Return mean -log sigmoid(positive - negative), lower is better.

    Paper: BPR (UAI 2009), section 4.2 without the regulariser (`l2_of_rows`).

    Args:
        positive_scores: (B,) scores of interactions that happened.
        negative_scores: (B,) scores of sampled items for the same users.
    """
    return torch.nn.functional.softplus(negative_scores - positive_scores).mean()


def l2_of_rows(*rows: torch.Tensor) -> torch.Tensor:
    """Return half the squared norm of the looked-up rows, divided by the batch size.

    Only the rows of the batch are counted, layer-0 embeddings in LightGCN's case (LightGCN's authors' code).
    An L2 over all parameters stops LightGCN from learning.

    Args:
        rows: tensors (B, D).
    """
    return sum((row.pow(2).sum() for row in rows), start=rows[0].new_zeros(())) / (2 * len(rows[0]))
