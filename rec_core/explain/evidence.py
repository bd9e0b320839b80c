"""How alike a target and its evidence are, in every view a system has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rec_core.types import EmbeddingTable


def similarities(
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
