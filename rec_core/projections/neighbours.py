"""The nearest other rows of every row: by direction in an embedding space, by distance on a map."""

from __future__ import annotations

import numpy as np


def unit_rows(values: np.ndarray, dtype: type = np.float32) -> np.ndarray:
    """Return the rows divided by their length (I, D); a row of zeros stays zero."""
    rows: np.ndarray = np.ascontiguousarray(values, dtype=dtype)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0)


def space_neighbours(values: np.ndarray, k: int) -> np.ndarray:
    """Return for each row the numbers of its nearest other rows by cosine, best first (I, min(k, I - 1)).

    Args:
        values: (I, D), I at least 1.
        k: neighbours per row.
    """
    import faiss

    rows = unit_rows(values)
    k = min(k, len(rows) - 1)
    index = faiss.IndexFlatIP(rows.shape[1])
    index.add(rows)
    _, found = index.search(rows, k + 1)
    own = found == np.arange(len(rows))[:, None]
    own[~own.any(axis=1), -1] = True  # among many equal rows one may not find itself: drop the last instead
    return found[~own].reshape(len(rows), k)


def map_neighbours(points: np.ndarray, k: int) -> np.ndarray:
    """Return for each point its nearest other points by distance, nearest first (I, min(k, I - 1))."""
    from sklearn.neighbors import NearestNeighbors

    k = min(k, len(points) - 1)
    if k == 0:
        return np.zeros((len(points), 0), dtype=np.int64)
    return NearestNeighbors(n_neighbors=k, algorithm="kd_tree").fit(points).kneighbors(return_distance=False)
