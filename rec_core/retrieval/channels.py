"""Two ways into a user's past: what resembles the target, and what is recent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rec_core.retrieval.similarity import Similarity
from rec_core.types import History


def recency_channel(history: History, top_k: int, target_num: int | None = None) -> np.ndarray:
    """Return at most `top_k` positions in the history, newest first; of a repeated item the latest row.

    The target itself, when one is given, is never returned.
    """
    rows = _latest_rows(history)[::-1]
    return rows[history.item_nums[rows] != target_num][:top_k] if target_num is not None else rows[:top_k]


def semantic_channel(
    similarity: Similarity, target_nums: np.ndarray, histories: Sequence[History], top_k: int
) -> list[np.ndarray]:
    """Return for each target the positions in its history, most similar first, at most `top_k`.

    Ties go to the more recent row; of a repeated item the latest row counts; the target itself is never
    returned.

    Args:
        similarity: how like the target an item is.
        target_nums: (B,).
        histories: B histories.
        top_k: K.
    """
    chosen = []
    for target, history in zip(target_nums, histories, strict=True):
        rows = recency_channel(history, len(history), int(target))
        near = similarity.of(int(target), history.item_nums[rows])
        chosen.append(rows[np.argsort(-near, kind="stable")[:top_k]])
    return chosen


def _latest_rows(history: History) -> np.ndarray:
    _, from_end = np.unique(history.item_nums[::-1], return_index=True)
    return np.sort(len(history) - 1 - from_end)
