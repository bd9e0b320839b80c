"""Sampled softmax: the item that came next against a few drawn items, shared by the whole batch."""

from __future__ import annotations

import math

import torch


def sampled_softmax(
    states: torch.Tensor,
    item_vectors: torch.Tensor,
    targets: torch.Tensor,
    negatives: torch.Tensor,
    log_q: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return the mean of log(exp(s_target) + sum over negatives of exp(s_j)) - s_target, lower is better.

    A negative that is the row's own target does not count. With `log_q` every negative's score is lessened by
    the logarithm of how often it is expected among the draws, log(S q_j): the sum then estimates the full
    softmax's denominator without bias, however the items were drawn. The target, which is always there, is
    not corrected. Memory: B x S logits and as many gradients.
    Paper: Jean et al. (ACL 2015), section 3, and Bengio and Senecal (2008) for the weights of the draws.

    Args:
        states: (B, D) what was read so far.
        item_vectors: (I, D) the catalogue.
        targets: (B,) int64 item that came next.
        negatives: (S,) int64 drawn items, repeats allowed.
        log_q: (S,) log probability that one draw gives this item; None leaves the scores as they are.
    """
    own = (states * item_vectors.index_select(0, targets)).sum(dim=1, keepdim=True)
    others = states @ item_vectors.index_select(0, negatives).T
    if log_q is not None:
        others = others - (log_q + math.log(len(negatives)))
    others = others.masked_fill(negatives == targets.unsqueeze(1), -torch.inf)
    return (torch.cat([own, others], dim=1).logsumexp(dim=1) - own.squeeze(1)).mean()
