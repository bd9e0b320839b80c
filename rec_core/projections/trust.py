"""How far a map may be believed, and how far two views agree: always about neighbours in the original space.

In a view's original space neighbours go by cosine, as retrieval does; on a map by distance. Every number has
one row per item where it can, so that a page can shade the items whose position says little.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from rec_core.projections.neighbours import map_neighbours, space_neighbours, unit_rows
from rec_core.types import InputError

_CHUNK_CELLS = 4_000_000  # similarities held at once: 32 MB
_TIE = 1e-9


def trustworthiness(values: np.ndarray, points: np.ndarray, k: int = 10) -> float:
    """Return the trustworthiness of a map (0..1, 1: no false neighbours), the mean over its items."""
    return float(trustworthiness_per_item(values, points, k).mean())


def trustworthiness_per_item(values: np.ndarray, points: np.ndarray, k: int = 10) -> np.ndarray:
    """Return how far each item's neighbours on the map can be believed (I,), 0..1.

    A map neighbour that is not among the k nearest in the original space costs as much as its rank there
    exceeds k; 1 means none is false, 0 that all are the farthest items there are.

    Paper: Venna and Kaski (2001), written per item: the mean over items is their M1.

    Args:
        values: (I, D), the original space.
        points: (I, 2), the map.
        k: neighbours looked at, cut to less than half of the items.
    """
    n_items = len(values)
    k = min(k, (n_items - 1) // 2)
    if k == 0:
        return np.ones(n_items)
    near = map_neighbours(points, k)
    excess = np.zeros(n_items)
    for rows, similarity in _similarity_chunks(values):
        own = np.arange(len(similarity))
        similarity[own, rows] = -np.inf
        for column in near[rows].T:
            rank = 1 + (similarity > similarity[own, column][:, None] + _TIE).sum(axis=1)
            excess[rows] += np.maximum(rank - k, 0)
    return 1.0 - 2.0 * excess / (k * (2 * n_items - 3 * k - 1))


def neighbour_overlap(values: np.ndarray, points: np.ndarray, k: int = 10) -> np.ndarray:
    """Return the share of each item's k map neighbours that are near in the original space too (I,), 0..1."""
    return _shared(space_neighbours(values, k), map_neighbours(points, k))


def seed_stability(maps: Sequence[np.ndarray], k: int = 10) -> np.ndarray:
    """Return the share of each item's k map neighbours that stay from one map to another (I,), 0..1.

    The mean over all pairs of maps, which were made of the same items under different seeds; turning or
    mirroring a map changes nothing.

    Raises:
        InputError: fewer than two maps.
    """
    if len(maps) < 2:
        raise InputError(
            f"Seed stability compares at least 2 maps, not {len(maps)}; project under another seed too."
        )
    nearest = [map_neighbours(points, k) for points in maps]
    return np.mean([_shared(a, b) for a, b in combinations(nearest, 2)], axis=0)


def knn_overlap(values_a: np.ndarray, values_b: np.ndarray, k: int = 10) -> np.ndarray:
    """Return the share of each item's k nearest neighbours that two views have in common (I,), 0..1.

    By chance it is k / (I - 1). The views may differ in dimensions, not in items.
    """
    _check_same_items(values_a, values_b)
    return _shared(space_neighbours(values_a, k), space_neighbours(values_b, k))


def cka(values_a: np.ndarray, values_b: np.ndarray) -> float:
    """Return linear centred kernel alignment of two views (0..1, 1: equal up to rotation and scale).

    NaN when a view is the same for all items. With few items and many dimensions it is high by chance.

    Paper: Kornblith et al. (2019), section 3: ||B'A||^2 / (||A'A|| ||B'B||) with centred columns.
    """
    _check_same_items(values_a, values_b)
    a, b = (
        values - values.mean(axis=0) for values in (values_a.astype(np.float64), values_b.astype(np.float64))
    )
    scale = np.linalg.norm(a.T @ a) * np.linalg.norm(b.T @ b)
    return float(np.linalg.norm(b.T @ a) ** 2 / scale) if scale > 0 else float("nan")


def partner_rank(values_a: np.ndarray, values_b: np.ndarray) -> np.ndarray:
    """Return the rank of each item's own row of b among all of b, by cosine to its row of a (I,), 1 is best.

    Ties share the middle rank, so that a view that says nothing scores (I + 1) / 2, the same as chance.

    Raises:
        InputError: the views have different items or dimensions.
    """
    _check_same_space(values_a, values_b)
    ranks = np.empty(len(values_a))
    for rows, similarity in _similarity_chunks(values_a, values_b):
        own = similarity[np.arange(len(similarity)), rows][:, None]
        above, level = similarity > own + _TIE, np.abs(similarity - own) <= _TIE
        ranks[rows] = 1 + above.sum(axis=1) + (level.sum(axis=1) - 1) / 2
    return ranks


def modality_gap(values_a: np.ndarray, values_b: np.ndarray) -> float:
    """Return the distance between the centres of two clouds of unit vectors (0..2, 0: one centre).

    Paper: Liang et al. (2022), "Mind the gap", section 2.

    Raises:
        InputError: the views have different items or dimensions.
    """
    _check_same_space(values_a, values_b)
    centres = [unit_rows(values, np.float64).mean(axis=0) for values in (values_a, values_b)]
    return float(np.linalg.norm(centres[0] - centres[1]))


def uniformity(values: np.ndarray) -> float:
    """Return how evenly directions are spread: log mean exp(-2 d^2) over pairs (-8..0, lower is more even).

    0 means that all items point one way. NaN with fewer than two items.

    Paper: Wang and Isola (2020), equation 2 with t = 2.
    """
    n_items = len(values)
    if n_items < 2:
        return float("nan")
    rows = unit_rows(values, np.float64)
    squares = (rows**2).sum(axis=1)
    total = 0.0
    for chunk, similarity in _similarity_chunks(values):
        distance = np.maximum(squares[chunk][:, None] + squares[None, :] - 2 * similarity, 0.0)
        total += float(np.exp(-2 * distance).sum())
    return float(np.log((total - n_items) / (n_items * (n_items - 1))))


def _similarity_chunks(
    values: np.ndarray, others: np.ndarray | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give row numbers and their cosines (rows, I) to all rows of `others`, a block at a time."""
    rows = unit_rows(values, np.float64)
    columns = rows if others is None else unit_rows(others, np.float64)
    size = max(1, _CHUNK_CELLS // max(1, len(columns)))
    for start in range(0, len(rows), size):
        yield np.arange(start, min(start + size, len(rows))), rows[start : start + size] @ columns.T


def _shared(near_a: np.ndarray, near_b: np.ndarray) -> np.ndarray:
    k = near_a.shape[1]
    return (near_a[:, :, None] == near_b[:, None, :]).sum(axis=(1, 2)) / k if k else np.ones(len(near_a))


def _check_same_items(values_a: np.ndarray, values_b: np.ndarray) -> None:
    if len(values_a) != len(values_b):
        raise InputError(
            f"The two views have {len(values_a)} and {len(values_b)} items; compare views of the same items."
        )


def _check_same_space(values_a: np.ndarray, values_b: np.ndarray) -> None:
    if values_a.shape != values_b.shape:
        raise InputError(
            f"The two views have shapes {values_a.shape} and {values_b.shape}; only views of the same "
            "items and dimensions lie in one space."
        )
