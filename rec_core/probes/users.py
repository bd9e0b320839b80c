"""Questions belong to users: the labels that resampling and permutation go by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def cluster_labels(user_nums: Sequence[int | None]) -> np.ndarray:
    """Return one label per question (B,): the user number, or a negative one of its own for no user."""
    return np.array(
        [-1 - row if user is None else user for row, user in enumerate(user_nums)], dtype=np.int64
    )


def sums_by_cluster(values: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """Return the sums of rows (B, ...) over each cluster (U, ...), clusters in ascending order of label."""
    names, index = np.unique(clusters, return_inverse=True)
    sums = np.zeros((len(names), *values.shape[1:]))
    np.add.at(sums, index, values)
    return sums
