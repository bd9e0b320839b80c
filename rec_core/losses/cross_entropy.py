"""Full softmax cross-entropy: the item that came next against the whole catalogue."""

from __future__ import annotations

import torch


def cross_entropy(states: torch.Tensor, item_vectors: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the mean of log sum_j exp(s . v_j) - s . v_target, lower is better, log I at chance.

    Memory: B x I logits and as many gradients.
    Paper: the softmax of GRU4Rec (ICLR 2016) section 3 without sampling; what RecBole 1.2.1 calls "CE".

    Args:
        states: (B, D) what was read so far.
        item_vectors: (I, D) the catalogue.
        targets: (B,) int64 item that came next.
    """
    return torch.nn.functional.cross_entropy(states @ item_vectors.T, targets)
