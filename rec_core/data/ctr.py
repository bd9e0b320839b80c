"""Like / not-like questions out of interactions."""

from __future__ import annotations

import numpy as np

from rec_core.data.histories import positions_in_history
from rec_core.types import CTRSamples, InputError, Interactions


def make_ctr_samples(interactions: Interactions, like_threshold: float, min_history: int = 5) -> CTRSamples:
    """Make one question per interaction whose user already has at least `min_history` earlier ones.

    The history counts every earlier row, liked or not. Rows without a rating are part of histories but are
    never asked about.

    Paper: ReLLa and RALLRec, ML-1M: a rating above 3 is a like, five earlier ratings are required.

    Args:
        interactions: N rows in global time order.
        like_threshold: a rating strictly above it is a like (label 1).
        min_history: how many earlier rows the user must have (0 or more).

    Returns:
        S samples in global time order; `history_lengths` is the number of earlier rows of the same user.

    Raises:
        InputError: no row has a rating, so likes cannot be told from dislikes; or `min_history` is negative.
    """
    if min_history < 0:
        raise InputError(f"min_history={min_history} cannot be; give 0 or more earlier items.")
    rated = ~np.isnan(interactions.ratings)
    if len(interactions) and not rated.any():
        raise InputError(
            "No interaction has a rating, so likes cannot be told from dislikes; import a rating column."
        )
    positions = positions_in_history(interactions.user_nums)
    rows = np.flatnonzero((positions >= min_history) & rated)
    return CTRSamples(
        rows=rows,
        user_nums=interactions.user_nums[rows],
        item_nums=interactions.item_nums[rows],
        labels=(interactions.ratings[rows] > like_threshold).astype(np.int8),
        history_lengths=positions[rows].astype(np.int32),
    )
