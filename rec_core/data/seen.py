"""Who has seen what, in compressed rows: what no negative may be drawn from and no list may show."""

from __future__ import annotations

import numpy as np

Seen = tuple[np.ndarray, np.ndarray]  # indptr (U+1,) int64; item_nums sorted and distinct inside each user


def seen_items(user_nums: np.ndarray, item_nums: np.ndarray, n_users: int, n_items: int) -> Seen:
    """Return who has seen what in compressed rows: user u has seen `item_nums[indptr[u] : indptr[u + 1]]`.

    Args:
        user_nums: (N,) int, in any order, repeats allowed.
        item_nums: (N,) int.
        n_users: U; users without rows have an empty stretch.
        n_items: I.
    """
    pairs = distinct(np.asarray(user_nums, dtype=np.int64) * n_items + np.asarray(item_nums, np.int64))
    counts = np.bincount(pairs // n_items, minlength=n_users)
    return np.concatenate(([0], np.cumsum(counts))), (pairs % n_items).astype(np.int32)


def distinct(numbers: np.ndarray) -> np.ndarray:
    """Return the distinct values of an integer array, ascending.

    By sorting: numpy's own `unique` hashes integers, which takes 50 seconds for 20 million spread-out ones
    where the sort takes one.
    """
    ordered = np.sort(numbers)
    keep = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=keep[1:])
    return ordered[keep]
