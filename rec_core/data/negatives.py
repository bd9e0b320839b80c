"""Items a user has not seen, drawn for a whole batch at once."""

from __future__ import annotations

import numpy as np

from rec_core.types import InputError

Seen = tuple[np.ndarray, np.ndarray]  # indptr (U+1,) int64; item_nums sorted and distinct inside each user


def seen_items(user_nums: np.ndarray, item_nums: np.ndarray, n_users: int, n_items: int) -> Seen:
    """Return who has seen what in compressed rows: user u has seen `item_nums[indptr[u] : indptr[u + 1]]`.

    Args:
        user_nums: (N,) int, in any order, repeats allowed.
        item_nums: (N,) int.
        n_users: U; users without rows have an empty stretch.
        n_items: I.
    """
    pairs = np.unique(np.asarray(user_nums, dtype=np.int64) * n_items + np.asarray(item_nums, np.int64))
    counts = np.bincount(pairs // n_items, minlength=n_users)
    return np.concatenate(([0], np.cumsum(counts))), (pairs % n_items).astype(np.int32)


def sample_negatives(user_nums: np.ndarray, seen: Seen, n_items: int, rng: np.random.Generator) -> np.ndarray:
    """Draw one unseen item per entry, every unseen item of that user equally likely.

    Instead of drawing and rejecting, draw the rank r of the item among the user's unseen ones. Below the
    user's j-th seen item s_j (ascending, from 0) lie s_j - j unseen items, so the r-th unseen item is r plus
    the number of seen items with s_j - j <= r, found by one binary search for the whole batch: exact, and as
    fast for users who have seen nearly everything.

    Args:
        user_nums: (B,) users, repeats give independent draws.
        seen: what `seen_items` returns.
        n_items: I.
        rng: where the randomness comes from; advanced by one draw of B numbers.

    Returns:
        (B,) int32.

    Raises:
        InputError: a user has seen every item.
    """
    indptr, item_nums = seen
    users = np.asarray(user_nums)
    starts = indptr[users]
    counts = indptr[users + 1] - starts
    if (counts >= n_items).any():
        full = int(users[counts >= n_items][0])
        raise InputError(
            f"User number {full} has seen all {n_items} items; leave out users without unseen items."
        )
    ranks = rng.integers(0, n_items - counts)
    low, high = np.zeros_like(counts), counts.copy()
    while (searching := low < high).any():
        middle = (low + high) // 2
        place = np.where(searching, starts + middle, 0)
        below = searching & (item_nums[place] - middle <= ranks)
        low = np.where(below, middle + 1, low)
        high = np.where(searching & ~below, middle, high)
    return (ranks + low).astype(np.int32)
