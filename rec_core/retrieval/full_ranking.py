"""Rank the whole catalogue for users, seen items left out, a chunk of users at a time."""

from __future__ import annotations

import numpy as np


def top_unseen(
    user_vectors: np.ndarray,
    item_vectors: np.ndarray,
    seen: list[np.ndarray],
    top_k: int,
    chunk: int = 1024,
) -> np.ndarray:
    """Return the best unseen items of each user by dot product, best first; ties go to the lower item number.

    Args:
        user_vectors: (B, D).
        item_vectors: (I, D).
        seen: per user the item numbers that must not appear.
        top_k: K, at most I.
        chunk: users per block; memory is chunk x I floats.

    Returns:
        (B, K) int64; -1 fills rows of users with fewer than K unseen items.
    """
    result = np.full((len(user_vectors), top_k), -1, dtype=np.int64)
    for start in range(0, len(user_vectors), chunk):
        scores = user_vectors[start : start + chunk] @ item_vectors.T
        for row, items in enumerate(seen[start : start + chunk]):
            scores[row, items] = -np.inf
        order = np.argsort(-scores, axis=1, kind="stable")[:, :top_k]
        kept = np.isfinite(np.take_along_axis(scores, order, axis=1))
        result[start : start + len(scores)] = np.where(kept, order, -1)
    return result
