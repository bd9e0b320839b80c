"""BPR over node vectors: the batch is training pairs with one sampled negative each."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch

from rec_core.losses.bpr import bpr_of_rows
from rec_core.nets.matrix_factorisation import MatrixFactorisation
from rec_core.objectives.training_pairs import Batch, TrainingPairs
from rec_core.objectives.unseen_sampler import UnseenSampler

Penalty = Literal["rows", "all"]


class PairwiseRanking(TrainingPairs):
    """Binds a net that gives node vectors (matrix factorisation, LightGCN and its kin) to BPR.

    Args:
        net: users first, then items.
        user_nums: (N,) users of the training pairs.
        item_nums: (N,) items of the training pairs.
        sampler: draws the negatives.
        batch_size: pairs per step.
        reg: L2 weight.
        penalty: what `reg` weighs: "rows" is half the squared norm of the looked-up rows of the table per
            pair (LightGCN's authors); "all" the squared norm of the whole table (RLMRec's base models).
    """

    def __init__(
        self,
        net: MatrixFactorisation,
        user_nums: np.ndarray,
        item_nums: np.ndarray,
        sampler: UnseenSampler,
        batch_size: int,
        reg: float,
        penalty: Penalty = "rows",
    ) -> None:
        super().__init__(user_nums, item_nums, sampler, batch_size, net.embedding.device)
        self.net = net
        self._reg = reg
        self._penalty = penalty

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return BPR plus the weighted L2 for one batch."""
        return self.ranking_loss(batch, self.net())

    def ranking_loss(self, batch: Batch, nodes: torch.Tensor) -> torch.Tensor:
        """Return BPR on given node vectors (U + I, D) plus the weighted L2 of the table."""
        users, items, negatives = batch
        n = self.net.n_users
        rows = (users, items + n, negatives + n)
        loss = bpr_of_rows(nodes, *rows)
        return loss + self._reg * self._l2(torch.cat(rows)) if self._reg else loss

    def _l2(self, index: torch.Tensor) -> torch.Tensor:
        table = self.net.embedding
        if self._penalty == "all":
            return table.square().sum()
        times = torch.bincount(index, minlength=len(table))  # cheaper than looking the rows up again
        return table.square().sum(dim=1) @ times.to(table.dtype) / (2 * (len(index) // 3))
