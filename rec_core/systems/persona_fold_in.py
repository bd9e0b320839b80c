"""Personas for somebody unknown in training: the history in groups of like items, one persona each."""

from __future__ import annotations

import numpy as np

_ROUNDS = 20  # of regrouping; the groups of a history settle in a few


def fold_in_personas(vectors: np.ndarray, n_personas: int, length: float) -> np.ndarray:
    """Return personas (K, D) float32 that point at the middles of groups of a history; nothing is random.

    Spherical k-means: the first middle is the most typical item, each next one the item least like those
    before; then items join the nearest middle and middles move, until they stay. With fewer distinct
    directions than K, personas repeat (which leaves scores as they are); for an empty history all are zero.

    Paper: none; our choice, since AMP-CF has no users unknown in training.

    Args:
        vectors: (T, D) vectors of the distinct items of the history.
        n_personas: K.
        length: of every persona, as learned ones have on average.
    """
    directions = _unit(vectors.astype(np.float64))
    if not len(directions):
        return np.zeros((n_personas, vectors.shape[1]), dtype=np.float32)
    middles = _spread_out(directions, min(n_personas, len(directions)))
    for _ in range(_ROUNDS):
        group = (directions @ middles.T).argmax(axis=1)
        sums = np.zeros_like(middles)
        np.add.at(sums, group, directions)
        moved = np.where(np.bincount(group, minlength=len(middles))[:, None] > 0, _unit(sums), middles)
        if np.array_equal(moved, middles):
            break
        middles = moved
    return (length * middles[np.arange(n_personas) % len(middles)]).astype(np.float32)


def _spread_out(directions: np.ndarray, n: int) -> np.ndarray:
    chosen = [int((directions @ directions.sum(axis=0)).argmax())]
    nearest = directions @ directions[chosen[0]]
    while len(chosen) < n:
        chosen.append(int(nearest.argmin()))
        nearest = np.maximum(nearest, directions @ directions[chosen[-1]])
    return directions[chosen]


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
