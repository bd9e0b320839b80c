"""How far two rankings or lists agree, over one pair or many pairs at once."""

from __future__ import annotations

import numpy as np


def kendall_tau(scores_a: np.ndarray, scores_b: np.ndarray) -> np.ndarray:
    """Return Kendall's tau-b of two scorings of the same items, over the last axis: (..., C) twice -> (...).

    1: same order, -1: reversed, 0: unrelated; NaN when one side ties everything. Ranks serve as well as
    scores when both sides use them. The cost is C squared: meant for candidate lists, not for catalogues.
    """
    first, second = _pair_signs(scores_a), _pair_signs(scores_b)
    untied = np.sqrt((first != 0).sum(axis=-1) * (second != 0).sum(axis=-1))
    with np.errstate(invalid="ignore"):
        return (first * second).sum(axis=-1) / untied


def rbo(lists_a: np.ndarray, lists_b: np.ndarray, persistence: float = 0.9) -> np.ndarray:
    """Return rank-biased overlap of two top-K lists, best first: (..., K) twice -> (...), 0..1.

    A reader looks at the next rank with probability `persistence`: agreement at the top weighs most. The
    unseen rest is taken to agree as much as the lists do at depth K.

    Paper: Webber, Moffat and Zobel (2010), the extrapolated overlap of lists of equal depth.

    Args:
        lists_a: item numbers without repeats.
        lists_b: the same for the other side.
        persistence: in (0, 1).
    """
    same = np.asarray(lists_a)[..., :, None] == np.asarray(lists_b)[..., None, :]
    overlap = np.diagonal(
        same.cumsum(axis=-2).cumsum(axis=-1), axis1=-2, axis2=-1
    )  # (..., K) shared up to depth d
    depth = np.arange(1, overlap.shape[-1] + 1)
    weights = persistence**depth
    agreement = overlap / depth
    return agreement[..., -1] * weights[-1] + (1 - persistence) / persistence * (agreement @ weights)


def jaccard(lists_a: np.ndarray, lists_b: np.ndarray) -> np.ndarray:
    """Return shared items over all items of two lists without repeats: (..., K) and (..., L) -> (...).

    Two empty lists agree: 1.
    """
    first, second = np.asarray(lists_a), np.asarray(lists_b)
    shared = (first[..., :, None] == second[..., None, :]).sum(axis=(-2, -1))
    total = first.shape[-1] + second.shape[-1] - shared
    return np.where(total > 0, shared / np.maximum(total, 1), 1.0)


def top1_flip_rate(top_a: np.ndarray, top_b: np.ndarray) -> float:
    """Return the share of pairs whose first item differs: (B,) and (B,) -> 0..1, NaN without pairs."""
    top_a, top_b = np.asarray(top_a), np.asarray(top_b)
    return float((top_a != top_b).mean()) if top_a.size else float("nan")


def _pair_signs(scores: np.ndarray) -> np.ndarray:
    scores = np.asarray(scores, dtype=np.float64)
    first, second = np.triu_indices(scores.shape[-1], k=1)
    return np.sign(scores[..., second] - scores[..., first])
