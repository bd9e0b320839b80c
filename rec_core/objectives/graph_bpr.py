"""LightGCN + BPR: the batch is interaction pairs with one sampled negative each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch

from rec_core.losses.bpr import bpr_loss, l2_of_rows
from rec_core.nets.lightgcn import LightGCN

NegativeSampler = Callable[[np.ndarray, np.random.Generator], np.ndarray]


class GraphBPR:
    """Binds a LightGCN to BPR.

    Args:
        net: the graph encoder.
        user_nums: (E,) users of the training edges.
        item_nums: (E,) items of the training edges.
        sample_negatives: users (B,), generator -> items (B,) those users never touched in training.
        batch_size: edges per step.
        reg: weight of the L2 of the looked-up layer-0 rows.
    """

    def __init__(
        self,
        net: LightGCN,
        user_nums: np.ndarray,
        item_nums: np.ndarray,
        sample_negatives: NegativeSampler,
        batch_size: int,
        reg: float,
    ) -> None:
        self.net = net
        self._users, self._items = user_nums, item_nums
        self._sample = sample_negatives
        self._batch_size = batch_size
        self._reg = reg

    @property
    def n_batches(self) -> int:
        """Return the number of batches of one epoch."""
        return -(-len(self._users) // self._batch_size)

    def batches(self, rng: np.random.Generator) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        """Yield users, items and negatives (B,) of one epoch in random order; negatives are drawn anew."""
        order = rng.permutation(len(self._users))
        users, items = self._users[order], self._items[order]
        negatives = self._sample(users, rng)
        device = self.net.embedding.device
        parts = [
            torch.from_numpy(np.asarray(a, dtype=np.int64)).to(device) for a in (users, items, negatives)
        ]
        for start in range(0, len(users), self._batch_size):
            chunk = slice(start, start + self._batch_size)
            yield parts[0][chunk], parts[1][chunk], parts[2][chunk]

    def loss(self, batch: tuple[torch.Tensor, torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """Return BPR plus the weighted L2 for one batch."""
        users, items, negatives = batch
        user_vectors, item_vectors = self.net()
        chosen = user_vectors[users]
        positive = (chosen * item_vectors[items]).sum(dim=1)
        negative = (chosen * item_vectors[negatives]).sum(dim=1)
        first = self.net.embedding
        n = self.net.n_users
        penalty = l2_of_rows(first[users], first[items + n], first[negatives + n])
        return bpr_loss(positive, negative) + self._reg * penalty
