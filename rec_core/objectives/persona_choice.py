"""AMP-CF's objective: choose the taken item among drawn ones, with one persona speaking for it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from rec_core.losses.bpr import l2_of_rows
from rec_core.losses.candidate_choice import candidate_choice
from rec_core.nets.amp_cf import AMPCF
from rec_core.objectives.unseen_sampler import UnseenSampler

Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


class PersonaChoice:
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
        self.net = net
        self._sampler = sampler
        self._n_negatives = n_negatives
        self._batch_size = batch_size
        self._reg = reg
        self._entropy_weights = (positive_entropy_weight, negative_entropy_weight)
        self._device = net.items.device
        users = torch.from_numpy(np.asarray(user_nums, dtype=np.int64)).to(self._device)
        items = torch.from_numpy(np.asarray(item_nums, dtype=np.int64)).to(self._device)
        can_lose = sampler.can_lose(users)  # who has seen all has no negative item
        self._users, self._items = users[can_lose], items[can_lose]

    @property
    def n_batches(self) -> int:
        """Return the number of batches of one epoch."""
        return -(-len(self._users) // self._batch_size)

    def batches(self, rng: np.random.Generator) -> Iterator[Batch]:
        """Yield users (B,), items (B,) and negatives (B, S) of one epoch in random order."""
        generator = torch.Generator(self._device).manual_seed(int(rng.integers(2**63)))
        order = torch.randperm(len(self._users), generator=generator, device=self._device)
        users, items = self._users[order], self._items[order]
        drawn = self._sampler.draw(users.repeat_interleave(self._n_negatives), generator)
        negatives = drawn.view(-1, self._n_negatives)
        size = self._batch_size
        yield from zip(users.split(size), items.split(size), negatives.split(size), strict=True)

    def weight(self, batch: Batch) -> int:
        """Return the number of pairs the loss is a mean over."""
        return len(batch[0])

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
