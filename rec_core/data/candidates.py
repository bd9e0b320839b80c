"""Sets of items to rank for a user when ranking the whole catalogue would cost too much."""

from __future__ import annotations

import numpy as np

from rec_core.seeding import numpy_generator
from rec_core.types import InputError, Interactions


def candidate_sets(
    interactions: Interactions,
    user_nums: np.ndarray,
    n_candidates: int,
    seed: int,
    exclude_seen: bool = True,
) -> np.ndarray:
    """Draw distinct items for each user, every item equally likely.

    A user's set depends on the seed and the user alone: it stays the same whoever else is asked about
    and in whatever order, so results for a subset of users can be compared with results for all.

    Args:
        interactions: which items each user has seen, and how many items there are.
        user_nums: (B,) users; the same user twice gets the same set twice.
        n_candidates: C, items per user.
        seed: the run's seed.
        exclude_seen: leave out what the user has any row about.

    Returns:
        (B, C) int32 item numbers in random order.

    Raises:
        InputError: a user number does not exist, or a user has fewer than C items to draw from.
    """
    user_nums = np.asarray(user_nums)
    unknown = (user_nums < 0) | (user_nums >= interactions.n_users)
    if unknown.any():
        raise InputError(
            f"There is no user number {user_nums[unknown][0]}; give numbers below {interactions.n_users}."
        )
    seen = _seen_by(interactions, user_nums) if exclude_seen else {}
    drawn = np.empty((len(user_nums), n_candidates), dtype=np.int32)
    everything = np.arange(interactions.n_items, dtype=np.int32)
    for place, user_num in enumerate(user_nums.tolist()):
        pool = np.delete(everything, seen[user_num]) if exclude_seen else everything
        if len(pool) < n_candidates:
            raise InputError(
                f"User {interactions.user_ids[user_num]!r} has only {len(pool)} items to draw from, not "
                f"{n_candidates}; ask for fewer candidates."
            )
        generator = numpy_generator(seed, "candidates", user_num)
        drawn[place] = generator.choice(pool, size=n_candidates, replace=False)
    return drawn


def _seen_by(interactions: Interactions, user_nums: np.ndarray) -> dict[int, np.ndarray]:
    order = np.argsort(interactions.user_nums, kind="stable")
    by_user = interactions.user_nums[order]
    wanted = np.unique(user_nums)
    starts, ends = np.searchsorted(by_user, wanted, "left"), np.searchsorted(by_user, wanted, "right")
    return {
        int(user): interactions.item_nums[order[start:end]]
        for user, start, end in zip(wanted, starts, ends, strict=True)
    }
