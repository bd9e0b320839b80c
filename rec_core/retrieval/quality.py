"""How close retrieved history is to its target, against random picks from the same history."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rec_core.retrieval.cosine import cosines
from rec_core.seeding import numpy_generator
from rec_core.types import History


def retrieval_quality(
    values: np.ndarray, target_nums: np.ndarray, chosen: Sequence[np.ndarray]
) -> np.ndarray:
    """Return the mean cosine between each target and its chosen items (B,); NaN where nothing was chosen.

    Args:
        values: (I, D).
        target_nums: (B,).
        chosen: per target the item numbers of its evidence.
    """
    return np.array(
        [
            cosines(values, int(target), items).mean() if len(items) else np.nan
            for target, items in zip(target_nums, chosen, strict=True)
        ]
    )


def random_quality(
    values: np.ndarray, target_nums: np.ndarray, histories: Sequence[History], top_k: int, seed: int
) -> np.ndarray:
    """Return `retrieval_quality` of `top_k` random distinct items of each history (all of a shorter one)."""
    rng = numpy_generator(seed, "random quality")
    chosen = []
    for target, history in zip(target_nums, histories, strict=True):
        items = np.setdiff1d(history.item_nums, [target])
        chosen.append(rng.choice(items, min(top_k, len(items)), replace=False))
    return retrieval_quality(values, target_nums, chosen)
