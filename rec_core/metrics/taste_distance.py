"""How far the tastes of a list are from those of a history."""

from __future__ import annotations

import numpy as np


def taste_distance(history_weights: np.ndarray, list_weights: np.ndarray) -> float:
    """Return the distance between the mix of tastes in a history and in a list, 0..1, lower is closer.

    Every item spreads one unit of weight over K tastes (AMP-CF: the attention over a user's personas). The
    mix of a set of items is the mean over them; the distance is the square root of the Jensen-Shannon
    divergence in bits. 0: the same mix; 1: no taste in common.

    Paper: our reading of the taste distribution distance of AMP-CF (RecSys 2020), whose definition was not at
    hand.

    Args:
        history_weights: (T, K) rows that sum to 1.
        list_weights: (C, K) rows that sum to 1.

    Returns:
        NaN when either side is empty.
    """
    if not len(history_weights) or not len(list_weights):
        return float("nan")
    mixes = [np.asarray(weights, np.float64).mean(axis=0) for weights in (history_weights, list_weights)]
    middle = (mixes[0] + mixes[1]) / 2
    divergence = sum(_relative_entropy(mix, middle) for mix in mixes) / 2
    return float(np.sqrt(np.clip(divergence, 0, 1)))


def _relative_entropy(mix: np.ndarray, reference: np.ndarray) -> float:
    """Return the sum of m log2(m / r) over the tastes with m > 0."""
    present = mix > 0
    return float((mix[present] * np.log2(mix[present] / reference[present])).sum())
