"""What objectives over training pairs have in common: an epoch's pairs, shuffled, with drawn negatives."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from rec_core.objectives.unseen_sampler import UnseenSampler

Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


class TrainingPairs:
    """Deals the training pairs anew each epoch; an objective adds its net and its loss.

    Pairs of a user who has seen every item are left out: there is no negative to lose against.

    Args:
        user_nums: (N,) users of the training pairs.
        item_nums: (N,) items of the training pairs.
        sampler: draws the negatives.
        batch_size: pairs per step.
        device: where the pairs and the draws live.
    """

    def __init__(
        self,
        user_nums: np.ndarray,
        item_nums: np.ndarray,
        sampler: UnseenSampler,
        batch_size: int,
        device: torch.device,
    ) -> None:
        self._sampler = sampler
        self._batch_size = batch_size
        self._device = device
        users = torch.from_numpy(np.asarray(user_nums, dtype=np.int64)).to(device)
        items = torch.from_numpy(np.asarray(item_nums, dtype=np.int64)).to(device)
        can_lose = sampler.can_lose(users)
        self._users, self._items = users[can_lose], items[can_lose]

    @property
    def n_batches(self) -> int:
        """Return the number of batches of one epoch."""
        return -(-len(self._users) // self._batch_size)

    def batches(self, rng: np.random.Generator) -> Iterator[Batch]:
        """Yield users (B,), items (B,) and their negatives of one epoch in random order, drawn anew."""
        generator = torch.Generator(self._device).manual_seed(int(rng.integers(2**63)))
        self.begin_epoch(generator)
        order = torch.randperm(len(self._users), generator=generator, device=self._device)
        users, items = self._users.index_select(0, order), self._items.index_select(0, order)
        negatives = self.draw_negatives(users, generator)
        size = self._batch_size
        yield from zip(users.split(size), items.split(size), negatives.split(size), strict=True)

    def begin_epoch(self, generator: torch.Generator) -> None:
        """Prepare an epoch; nothing here, for objectives that draw more than negatives."""

    def draw_negatives(self, users: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return one unseen item (N,) for each user (N,)."""
        return self._sampler.draw(users, generator)

    def weight(self, batch: Batch) -> int:
        """Return the number of pairs the loss is a mean over."""
        return len(batch[0])
