"""AMP-CF's objective: choose the taken item among drawn ones, with one persona speaking for it."""

from __future__ import annotations

import numpy as np
import torch

from rec_core.losses.bpr import l2_of_rows
from rec_core.losses.candidate_choice import candidate_choice
from rec_core.nets.amp_cf import AMPCF
from rec_core.objectives.training_pairs import Batch, TrainingPairs
from rec_core.objectives.unseen_sampler import UnseenSampler


class PersonaChoice(TrainingPairs):
    """Binds AMP-CF to the choice among drawn candidates and to the entropy of its attention.

    Loss = choice + positive_entropy_weight H(a | taken) - negative_entropy_weight H(a | drawn): a taken item
    should be carried by one persona, a drawn one by none in particular. Without the two terms the weights are
    close to an even mix and explain little.

    Paper: AMP-CF (RecSys 2020); the entropy terms after a public follow-up implementation.
    Differs from that implementation: all three terms are means over the batch; there the entropies are sums
    beside a mean, so that their weight grows with the batch size.

    Args:
        net: the personas.
        user_nums: (N,) users of the training pairs.
        item_nums: (N,) items of the training pairs.
        sampler: draws the negatives.
        n_negatives: drawn candidates per pair.
        batch_size: pairs per step.
        reg: L2 weight of the looked-up rows.
        positive_entropy_weight: at least 0.
        negative_entropy_weight: at least 0.
    """

    def __init__(
        self,
        net: AMPCF,
        user_nums: np.ndarray,
        item_nums: np.ndarray,
        sampler: UnseenSampler,
        n_negatives: int,
        batch_size: int,
        reg: float = 0.0,
        positive_entropy_weight: float = 0.0,
        negative_entropy_weight: float = 0.0,
    ) -> None:
        super().__init__(user_nums, item_nums, sampler, batch_size, net.items.device)
        self.net = net
        self._n_negatives = n_negatives
        self._reg = reg
        self._entropy_weights = (positive_entropy_weight, negative_entropy_weight)

    def draw_negatives(self, users: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the drawn candidates (N, S) of each user (N,)."""
        drawn = super().draw_negatives(users.repeat_interleave(self._n_negatives), generator)
        return drawn.view(-1, self._n_negatives)

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return choice, entropies and L2 of one batch."""
        users, items, negatives = batch
        candidates = torch.cat([items.unsqueeze(1), negatives], dim=1)
        scores, weights = self.net(users, candidates)
        loss = candidate_choice(scores)
        for_taken, for_drawn = self._entropy_weights
        if for_taken or for_drawn:
            entropy = torch.special.entr(weights).sum(dim=1)  # (B, C)
            loss = loss + for_taken * entropy[:, 0].mean() - for_drawn * entropy[:, 1:].mean()
        if self._reg:
            personas, vectors = self.net.personas[users], self.net.items[candidates]
            loss = loss + self._reg * l2_of_rows(personas, vectors)
        return loss
