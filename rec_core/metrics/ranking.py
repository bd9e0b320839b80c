"""Metrics of ranked lists, one value per user, so that every mean can carry an interval over users.

All take the same three things: `hits` (B, K) bool, True where the list's item at that rank (best first) is
relevant; `n_relevant` (B,), how many relevant items the user has in all; `k`, how much of the list counts.
Each returns (B,) float64 in 0..1, higher is better, NaN for users without a relevant item. A list shorter
than k counts as filled up with misses.
"""

from __future__ import annotations

import numpy as np

from rec_core.types import InputError


def recall_at_k(hits: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    """Return the share of the user's relevant items that are among the first k (B,)."""
    top, relevant = _checked(hits, n_relevant, k)
    return top.sum(axis=1) / relevant


def hit_at_k(hits: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    """Return 1.0 where any relevant item is among the first k, else 0.0 (B,)."""
    top, relevant = _checked(hits, n_relevant, k)
    return np.where(np.isnan(relevant), np.nan, top.any(axis=1))


def ndcg_at_k(hits: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    """Return normalised discounted cumulative gain with gains of 1 and discount 1 / log2(rank + 1) (B,).

    The ideal list has all relevant items first, at most k of them.
    """
    top, relevant = _checked(hits, n_relevant, k)
    discounts = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discounts)[_ideal_hits(relevant, k) - 1]
    return np.where(np.isnan(relevant), np.nan, top @ discounts[: top.shape[1]] / ideal)


def mrr_at_k(hits: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    """Return 1 / rank of the first relevant item, 0 when none is among the first k (B,)."""
    top, relevant = _checked(hits, n_relevant, k)
    if not top.shape[1]:
        return np.where(np.isnan(relevant), np.nan, 0.0)
    reciprocal = np.where(top.any(axis=1), 1 / (top.argmax(axis=1) + 1), 0.0)
    return np.where(np.isnan(relevant), np.nan, reciprocal)


def map_at_k(hits: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    """Return average precision within the first k (B,); its mean over users is MAP.

    Precision is summed at each hit and divided by min(number of relevant items, k), so a perfect list gets 1.
    """
    top, relevant = _checked(hits, n_relevant, k)
    precision = np.cumsum(top, axis=1) / np.arange(1, top.shape[1] + 1)
    return np.where(np.isnan(relevant), np.nan, (precision * top).sum(axis=1) / _ideal_hits(relevant, k))


def _checked(hits: np.ndarray, n_relevant: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    hits, n_relevant = np.asarray(hits, dtype=bool), np.asarray(n_relevant)
    if hits.ndim != 2 or n_relevant.shape != hits.shape[:1]:
        raise InputError(
            f"Hits {hits.shape} and relevant counts {n_relevant.shape} do not pair up; give (B, K) and (B,)."
        )
    if k < 1:
        raise InputError(f"A list cannot be cut at {k}; choose k of at least 1.")
    if (hits.sum(axis=1) > n_relevant).any():
        row = int(np.argmax(hits.sum(axis=1) > n_relevant))
        raise InputError(
            f"List {row} has more hits than the user has relevant items; check for repeated items."
        )
    return hits[:, :k], np.where(n_relevant > 0, n_relevant, np.nan)


def _ideal_hits(relevant: np.ndarray, k: int) -> np.ndarray:
    return np.minimum(np.nan_to_num(relevant, nan=1), k).astype(int)
