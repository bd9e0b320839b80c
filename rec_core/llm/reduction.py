"""Fewer columns: the principal components of a table of vectors."""

from __future__ import annotations

import numpy as np

from rec_core.types import InputError


def principal_components(values: np.ndarray, n_components: int) -> np.ndarray:
    """Return the coordinates of every row on the directions of largest variance, largest first.

    The mean is taken off, the variances are not made equal, and each direction points to where its largest
    loading is positive, so that the same table gives the same coordinates every time.

    Paper: ReLLa section 4.1 (512 components) and RALLRec section 3.1 (128), each fitted on all items.

    Args:
        values: (N, D).
        n_components: columns to keep, at most min(N, D).

    Returns:
        (N, n_components) float32.

    Raises:
        InputError: there are not as many rows or columns.
    """
    n, size = values.shape
    if n_components > min(n, size):
        raise InputError(
            f"{n_components} principal components cannot be taken of {n} vectors with {size} columns; lower "
            f"pca to {min(n, size)} or less."
        )
    from sklearn.decomposition import PCA

    solver = "covariance_eigh" if n > size else "full"  # both exact; neither draws random numbers
    reduced = PCA(n_components, svd_solver=solver).fit_transform(values.astype(np.float64))
    return np.asarray(reduced, dtype=np.float32)
