"""Cosines between one item and others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def cosines(values: np.ndarray, item_num: int, others: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return the cosine between an item's row and each of the others' (len(others),); 0 where a row is zero.

    Args:
        values: (I, D).
        item_num: the one.
        others: the others' numbers, may be empty.
    """
    rows = values[np.asarray(others, dtype=np.int64)].astype(np.float64)
    target = values[item_num].astype(np.float64)
    norms = np.linalg.norm(rows, axis=1) * np.linalg.norm(target)
    return np.divide(rows @ target, norms, out=np.zeros(len(rows)), where=norms > 0)
