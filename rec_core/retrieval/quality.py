"""How close retrieved history is to its target, against random picks from the same history."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rec_core.retrieval.cosine import cosines
from rec_core.seeding import numpy_generator
from rec_core.types import EvidenceItem, History


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


def label_agreement(
    evidence: Sequence[Sequence[EvidenceItem]], labels: np.ndarray, like_threshold: float
) -> np.ndarray:
    """Return the share of shown items that were liked as the target was (B,); NaN where none has a rating.

    A user's similar items tell more of the answer the more often their ratings fall on the target's side.

    Args:
        evidence: what each question shows.
        labels: (B,) 1 = the target was liked.
        like_threshold: a rating above this is a like; items without a rating do not count.
    """
    shares = np.full(len(labels), np.nan)
    for place, (items, label) in enumerate(zip(evidence, labels, strict=True)):
        ratings = np.array([item.rating for item in items])
        ratings = ratings[~np.isnan(ratings)]
        if len(ratings):
            shares[place] = np.mean((ratings > like_threshold) == bool(label))
    return shares
