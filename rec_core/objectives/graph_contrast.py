"""BPR plus a contrastive loss between two views of the same nodes."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch

from rec_core.losses.info_nce import info_nce
from rec_core.nets.lightgcn import LightGCN
from rec_core.objectives.pairwise_ranking import PairwiseRanking, Penalty
from rec_core.objectives.training_pairs import Batch
from rec_core.objectives.unseen_sampler import UnseenSampler


class TwoViews(Protocol):
    """A graph encoder that can show its nodes in two augmented ways."""

    def redraw(self, generator: torch.Generator) -> None:
        """Draw the augmentations of an epoch."""
        ...

    def views(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return node vectors (U + I, D) twice."""
        ...


class GraphContrast(PairwiseRanking):
    """Binds SGL or SimGCL to BPR + weight x (InfoNCE of the batch's users + InfoNCE of its positive items).

    Paper: SGL (SIGIR 2021), equations 10-12; SimGCL (SIGIR 2022), equations 1-2. A node's other view is its
    positive, the other view of every user (or every item) is in the denominator.

    Args:
        net: SGL or SimGCL.
        user_nums: (N,) users of the training pairs.
        item_nums: (N,) items of the training pairs.
        sampler: draws the negatives.
        batch_size: pairs per step.
        reg: L2 weight.
        penalty: what `reg` weighs.
        contrast_weight: weight of the contrastive loss.
        temperature: divides its cosines.
    """

    def __init__(
        self,
        net: LightGCN,
        user_nums: np.ndarray,
        item_nums: np.ndarray,
        sampler: UnseenSampler,
        batch_size: int,
        reg: float,
        penalty: Penalty,
        contrast_weight: float,
        temperature: float,
    ) -> None:
        super().__init__(net, user_nums, item_nums, sampler, batch_size, reg, penalty)
        self._augmented: TwoViews = net  # type: ignore[assignment]
        self._weight = contrast_weight
        self._temperature = temperature

    def begin_epoch(self, generator: torch.Generator) -> None:
        """Draw the augmentations of the epoch."""
        self._augmented.redraw(generator)

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return BPR on the clean graph, its L2, and the contrast between the two views."""
        first, second = self._augmented.views()
        n = self.net.n_users
        contrast = self._between(first[:n], second[:n], batch[0]) + self._between(
            first[n:], second[n:], batch[1]
        )
        return self.ranking_loss(batch, self.net()) + self._weight * contrast

    def _between(self, first: torch.Tensor, second: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
        anchors = torch.nn.functional.embedding(own, first)
        return info_nce(anchors, second, own, self._temperature)
