"""The largest rating and what counts as a like, where a source does not say."""

from __future__ import annotations

import numpy as np

from rec_core.types import InputError


def rating_scale(ratings: np.ndarray | None, like_threshold: float | None) -> tuple[float, float]:
    """Return the largest rating and the like threshold.

    Args:
        ratings: (N,) numbers, without NaN; None = the source has none.
        like_threshold: a rating above it is a like. None = 3 when the largest rating is at most 5 (0.5 when
            it is at most 1), else 0.6 of the largest rating.

    Returns:
        The largest rating found, at least 5 unless all are at most 1; and the threshold.

    Raises:
        InputError: the threshold is not below the largest rating.
    """
    largest = 5.0 if ratings is None else float(ratings.max())
    max_rating = largest if largest > 5 else 5.0 if largest > 1 else 1.0
    if like_threshold is None:
        return max_rating, {5.0: 3.0, 1.0: 0.5}.get(max_rating, round(0.6 * max_rating, 6))
    if not 0 <= like_threshold < max_rating:
        raise InputError(
            f"The like threshold {like_threshold:g} is no use here; choose one from 0 to below "
            f"{max_rating:g}, the largest rating."
        )
    return max_rating, float(like_threshold)
