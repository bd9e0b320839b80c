"""BPR over node vectors: the batch is training pairs with one sampled negative each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import torch

from rec_core.losses.bpr import bpr_of_rows
from rec_core.nets.matrix_factorisation import MatrixFactorisation
from rec_core.objectives.unseen_sampler import UnseenSampler

Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
Penalty = Literal["rows", "all"]


class PairwiseRanking:
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
        self.net = net
        self._sampler = sampler
        self._batch_size = batch_size
        self._reg = reg
        self._penalty = penalty
        self._device = net.embedding.device
        users = torch.from_numpy(np.asarray(user_nums, dtype=np.int64)).to(self._device)
        items = torch.from_numpy(np.asarray(item_nums, dtype=np.int64)).to(self._device)
        can_lose = sampler.can_lose(users)  # who has seen all has no negative item
        self._users, self._items = users[can_lose], items[can_lose]

    @property
    def n_batches(self) -> int:
        """Return the number of batches of one epoch."""
        return -(-len(self._users) // self._batch_size)

    def batches(self, rng: np.random.Generator) -> Iterator[Batch]:
        """Yield users, items and negatives (B,) of one epoch in random order; negatives are drawn anew."""
        generator = torch.Generator(self._device).manual_seed(int(rng.integers(2**63)))
        self.begin_epoch(generator)
        order = torch.randperm(len(self._users), generator=generator, device=self._device)
        users, items = self._users.index_select(0, order), self._items.index_select(0, order)
        negatives = self._sampler.draw(users, generator)
        size = self._batch_size
        yield from zip(users.split(size), items.split(size), negatives.split(size), strict=True)

    def begin_epoch(self, generator: torch.Generator) -> None:
        """Prepare an epoch; nothing here, for objectives that draw more than negatives."""

    def weight(self, batch: Batch) -> int:
        """Return the number of pairs the loss is a mean over."""
        return len(batch[0])

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
