"""A flat map by UMAP: keeps neighbourhoods, gives up distances and directions."""

from __future__ import annotations

import warnings

import numpy as np

from rec_core.projections.neighbours import space_neighbours, unit_rows
from rec_core.seeding import derive_seed
from rec_core.types import InputError

_FEWEST_ITEMS = 5


def umap_map(values: np.ndarray, seed: int, n_neighbors: int = 15) -> np.ndarray:
    """Return UMAP coordinates of the rows' directions (I, 2) float32, the same for the same seed.

    Neighbours are exact, by cosine, found with faiss and handed over: below 4,096 rows the library would
    otherwise compute all distances itself, which takes most of its time. Call it in a worker, never in a
    page: concurrent fits can abort the process.

    Args:
        values: (I, D), at least 5 rows.
        seed: the map's seed.
        n_neighbors: how many neighbours of an item count as near, itself included; fewer than items.

    Raises:
        InputError: fewer than 5 items.
    """
    if len(values) < _FEWEST_ITEMS:
        raise InputError(
            f"A UMAP map needs at least {_FEWEST_ITEMS} items, not {len(values)}; use the PCA map instead."
        )
    from umap import UMAP

    rows = unit_rows(values)
    nearest, distances = _with_itself_first(rows, min(n_neighbors, len(rows) - 1))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*NNDescent.*")  # needed to place new rows only
        warnings.filterwarnings("ignore", message=".*n_jobs.*")
        points = UMAP(
            n_neighbors=nearest.shape[1],
            n_epochs=200,
            init="pca",
            random_state=derive_seed(seed, "umap") % 2**32,
            n_jobs=1,
            precomputed_knn=(nearest, distances, None),
        ).fit_transform(rows)
    return np.asarray(points, dtype=np.float32)


def _with_itself_first(rows: np.ndarray, n_neighbors: int) -> tuple[np.ndarray, np.ndarray]:
    """Return neighbours (I, n_neighbors) starting with the row itself, and their distances, rising."""
    others = space_neighbours(rows, n_neighbors - 1)
    nearest = np.concatenate([np.arange(len(rows))[:, None], others], axis=1)
    distances = np.stack([np.linalg.norm(rows - rows[column], axis=1) for column in nearest.T], axis=1)
    order = np.argsort(distances, axis=1, kind="stable")
    return np.take_along_axis(nearest, order, axis=1), np.take_along_axis(distances, order, axis=1)
