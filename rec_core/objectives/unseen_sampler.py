"""Items a user has not seen, drawn on the training device for a whole epoch at once."""

from __future__ import annotations

import numpy as np
import torch

from rec_core.types import InputError

_SLOTS_PER_PAIR = 8
_CELLS_PER_PAIR = 32  # up to here (one pair in 32 seen) a mark for every possible pair is worth its memory
_MIXER = -7046029254386353131  # odd 64-bit constant: spreads neighbouring keys over the slots


class UnseenSampler:
    """Draw and reject, with a table of marks in front of the exact look-up.

    Every seen pair marks one of at least 8 slots per pair. An unmarked slot proves a drawn pair unseen; only
    draws that meet a mark (about one in eight, beside the really seen) are looked up in the sorted pairs.
    In a dense matrix every possible pair has a slot of its own and there is nothing to look up.
    Every unseen item of the user is equally likely. What is still rejected after a few rounds (users who have
    seen nearly everything) is drawn by rank among the user's unseen items, which never fails.

    Memory: 16 to 40 bytes per seen pair.

    Args:
        seen: compressed rows (indptr (U + 1,), items sorted and distinct inside each user).
        n_items: I.
        device: where to draw.

    Raises:
        InputError: nobody has an unseen item.
    """

    def __init__(self, seen: tuple[np.ndarray, np.ndarray], n_items: int, device: torch.device) -> None:
        indptr = torch.from_numpy(np.asarray(seen[0], dtype=np.int64)).to(device)
        items = torch.from_numpy(np.asarray(seen[1], dtype=np.int64)).to(device)
        self.n_items = n_items
        self._starts, self._counts = indptr[:-1], indptr.diff()
        if not bool((self._counts < n_items).any()):
            raise InputError(
                "Every user has every item in training, so there is nothing to prefer; import more items."
            )
        users = torch.repeat_interleave(torch.arange(len(self._counts), device=device), self._counts)
        self._pairs = users * n_items + items  # ascending
        self._bits = max(int(_SLOTS_PER_PAIR * len(self._pairs)).bit_length(), 8)
        n_cells = len(self._counts) * n_items
        self._one_each = n_cells <= _CELLS_PER_PAIR * len(self._pairs)
        n_slots = n_cells if self._one_each else 1 << self._bits
        self._marked = torch.zeros(n_slots, dtype=torch.bool, device=device)
        self._marked[self._slot(self._pairs)] = True

    def can_lose(self, user_nums: torch.Tensor) -> torch.Tensor:
        """Tell which of the users (B,) have an unseen item at all."""
        return self._counts[user_nums] < self.n_items

    def draw(self, user_nums: torch.Tensor, generator: torch.Generator, rounds: int = 4) -> torch.Tensor:
        """Return one unseen item per entry (B,) int64; repeated users give independent draws.

        Args:
            user_nums: (B,) int64 users who have an unseen item.
            generator: on the same device.
            rounds: draws before the ranked way.
        """
        drawn = self._uniform(len(user_nums), generator)
        open_ = self._seen(user_nums, drawn).nonzero()[:, 0]
        for _ in range(rounds):
            if not len(open_):
                return drawn
            again = self._uniform(len(open_), generator)
            drawn.index_copy_(0, open_, again)
            open_ = open_[self._seen(user_nums.index_select(0, open_), again)]
        drawn[open_] = self._by_rank(user_nums[open_], generator)
        return drawn

    def _uniform(self, n: int, generator: torch.Generator) -> torch.Tensor:
        return torch.randint(self.n_items, (n,), generator=generator, device=self._pairs.device)

    def _seen(self, user_nums: torch.Tensor, item_nums: torch.Tensor) -> torch.Tensor:
        pairs = user_nums * self.n_items + item_nums
        met = self._marked.index_select(0, self._slot(pairs))
        if self._one_each:
            return met
        suspects = pairs[met]
        places = torch.searchsorted(self._pairs, suspects).clamp(max=len(self._pairs) - 1)
        met[met.clone()] = self._pairs[places] == suspects
        return met

    def _slot(self, pairs: torch.Tensor) -> torch.Tensor:
        if self._one_each:
            return pairs
        return (pairs * _MIXER) >> (64 - self._bits) & ((1 << self._bits) - 1)

    def _by_rank(self, user_nums: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Draw the rank r among the unseen: the r-th is r plus the number of seen s_j with s_j - j <= r."""
        counts, starts = self._counts[user_nums], self._starts[user_nums]
        draws = torch.rand(len(user_nums), generator=generator, device=user_nums.device, dtype=torch.float64)
        ranks = (draws * (self.n_items - counts)).long()
        low, high = torch.zeros_like(counts), counts.clone()
        while bool((searching := low < high).any()):
            middle = (low + high) // 2
            seen = self._pairs[torch.where(searching, starts + middle, 0)] - user_nums * self.n_items
            below = searching & (seen - middle <= ranks)
            low = torch.where(below, middle + 1, low)
            high = torch.where(searching & ~below, middle, high)
        return ranks + low
