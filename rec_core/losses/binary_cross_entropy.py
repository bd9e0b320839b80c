"""Binary cross-entropy of logits: how surprising the yes or no is."""

from __future__ import annotations

import torch


def binary_cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the mean of -y log sigmoid(s) - (1 - y) log(1 - sigmoid(s)), lower is better, log 2 at chance.

    Paper: DeepFM (IJCAI 2017) and its kin train on it; stable at any size of the logit.

    Args:
        logits: (B,) scores s before the sigmoid.
        labels: (B,) float, 0 or 1.
    """
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)


def pair_cross_entropy(positive_logits: torch.Tensor, negative_logits: torch.Tensor) -> torch.Tensor:
    """Return the mean over rows of the cross-entropies of "yes" to what happened and "no" to each negative.

    2 log 2 at chance with one negative; lower is better.
    Paper: SASRec (ICDM 2018), section III-E, the sum over a position's target and its negatives.

    Args:
        positive_logits: (B,) scores of what happened.
        negative_logits: (B, S) scores of sampled items for the same rows.
    """
    softplus = torch.nn.functional.softplus
    return (softplus(-positive_logits) + softplus(negative_logits).sum(dim=1)).mean()
