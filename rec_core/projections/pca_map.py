"""A flat map by principal components: the shadow that keeps most variance."""

from __future__ import annotations

import numpy as np

from rec_core.projections.neighbours import unit_rows


def pca_map(values: np.ndarray) -> np.ndarray:
    """Return the first two principal coordinates of the rows' directions (I, 2) float32, without chance.

    Rows are brought to length 1 first, because neighbours and retrieval go by cosine: otherwise the length
    of a behaviour vector, which grows with popularity, would be the first axis. Fewer than two dimensions
    are filled with zeros.

    Args:
        values: (I, D).
    """
    from sklearn.decomposition import PCA

    rows = unit_rows(values, np.float64)
    n_axes = min(2, *rows.shape)
    points = np.zeros((len(rows), 2), dtype=np.float32)
    if len(rows) > 1:
        points[:, :n_axes] = PCA(n_components=n_axes, svd_solver="full").fit_transform(rows)
    return points
