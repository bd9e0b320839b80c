"""Two ways into a user's past: what resembles the target, and what is recent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from rec_core.types import History

Metric = Literal["cosine", "dot"]


def recency_channel(history: History, top_k: int, target_num: int | None = None) -> np.ndarray:
    """Return at most `top_k` positions in the history, newest first; of a repeated item the latest row.

    The target itself, when one is given, is never returned.
    """
    rows = _latest_rows(history)[::-1]
    return rows[history.item_nums[rows] != target_num][:top_k] if target_num is not None else rows[:top_k]


def semantic_channel(
    values: np.ndarray,
    target_nums: np.ndarray,
    histories: Sequence[History],
    top_k: int,
    shift: int = 0,
    metric: Metric = "cosine",
) -> list[np.ndarray]:
    """Return for each target the positions in its history, most similar first, at most `top_k`.

    Similarity is the cosine of rows of `values`, or their dot product for a mixture, whose blocks are
    normalised already (equation 7): a row that lacks a block must not be scaled up for it. Ties go to the
    more recent row; of a repeated item the latest row counts; the target itself is never returned.

    Args:
        values: (I, D).
        target_nums: (B,).
        histories: B histories.
        top_k: K.
        shift: 1 ranks item m by the similarities of row m + 1 (the last wraps to the first), the off-by-one
            of the published ML-1M code of ReLLa and RALLRec.
        metric: "cosine" for one view, "dot" for a mixture.
    """
    if metric == "cosine":
        norms = np.linalg.norm(values, axis=1, keepdims=True)
        unit = np.divide(values, norms, out=np.zeros_like(values), where=norms > 0)
    else:
        unit = values
    chosen = []
    for target, history in zip(target_nums, histories, strict=True):
        rows = _latest_rows(history)[::-1]
        rows = rows[history.item_nums[rows] != target]
        items = (history.item_nums[rows] + shift) % len(unit)
        similarity = np.einsum("td,d->t", unit[items], unit[target])  # unlike "@", equal rows give equal sums
        chosen.append(rows[np.argsort(-similarity, kind="stable")[:top_k]])
    return chosen


def _latest_rows(history: History) -> np.ndarray:
    _, from_end = np.unique(history.item_nums[::-1], return_index=True)
    return np.sort(len(history) - 1 - from_end)
