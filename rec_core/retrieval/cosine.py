"""Cosines between one item and others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rec_core.types import EmbeddingTable


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


def cosines_by_view(
    tables: Mapping[str, EmbeddingTable], target: int, nums: Sequence[int] | np.ndarray
) -> dict[str, np.ndarray]:
    """Return the cosine between the target and each item by view, (len(nums),) each, -1..1.

    NaN where the view does not know the target or the item: a missing vector is no sign of being unlike.

    Args:
        tables: the views.
        target: the target's item number.
        nums: the other items' numbers, may be empty.
    """
    others = np.asarray(nums, dtype=np.int64)
    found = {}
    for view, table in tables.items():
        row, rows = table.values[target].astype(np.float64), table.values[others].astype(np.float64)
        norms = np.linalg.norm(rows, axis=1) * np.linalg.norm(row)
        usable = table.known[others] & table.known[target] & (norms > 0)
        found[view] = np.divide(rows @ row, norms, out=np.full(len(others), np.nan), where=usable)
    return found
