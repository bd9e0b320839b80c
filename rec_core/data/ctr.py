"""Like / not-like questions out of interactions."""

from __future__ import annotations

import numpy as np

from rec_core.data.histories import positions_in_history
from rec_core.types import CTRSamples, InputError, Interactions, Questions, Split


def make_ctr_samples(
    interactions: Interactions,
    like_threshold: float,
    min_history: int = 5,
    questions: Questions = "every_rating",
) -> CTRSamples:
    """Make one question per interaction whose user already has at least `min_history` earlier ones.

    The history counts every earlier row, liked or not. Rows without a rating are part of histories but are
    never asked about.

    Paper: ReLLa and RALLRec, ML-1M: a rating above 3 is a like, five earlier ratings are required. On
    BookCrossing one rating per user is asked about, of users with more than five.

    Args:
        interactions: N rows in global time order.
        like_threshold: a rating strictly above it is a like (label 1).
        min_history: how many earlier rows the user must have (0 or more).
        questions: the dataset's; "last_of_user" asks about nothing but each user's last row.

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
    asked = (positions >= min_history) & rated
    if questions == "last_of_user":
        lengths = np.bincount(interactions.user_nums, minlength=interactions.n_users)
        asked &= positions == lengths[interactions.user_nums] - 1
    rows = np.flatnonzero(asked)
    return CTRSamples(
        rows=rows,
        user_nums=interactions.user_nums[rows],
        item_nums=interactions.item_nums[rows],
        labels=(interactions.ratings[rows] > like_threshold).astype(np.int8),
        history_lengths=positions[rows].astype(np.int32),
    )


def rows_around(
    samples: CTRSamples, split: Split, n_rows: int, questions: Questions
) -> tuple[np.ndarray, np.ndarray]:
    """Return the interactions that may be learned from, and those that decide when to stop.

    Args:
        samples: the like questions.
        split: of the samples; validation and test are not empty.
        n_rows: N, interactions there are.
        questions: the dataset's.

    Returns:
        Rows, ascending, none of which is the target of a test question. "every_rating": what stands before
        the first validation target, and from there to the first test target. "last_of_user": everything but
        the targets of validation and test, so all histories, and the targets of validation.
    """
    valid, test = samples.rows[split.valid], samples.rows[split.test]
    if questions == "last_of_user":
        return np.delete(np.arange(n_rows), np.concatenate([valid, test])), valid
    return np.arange(valid[0]), np.arange(valid[0], test[0])
