"""What a popularity audit is held against: lists that need no model.

Each gives user number -> item numbers, as `popularity.run` takes them.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from rec_core.seeding import numpy_generator
from rec_core.types import InputError, Interactions

UserLists = dict[int, list[int]]


def profile_lists(interactions: Interactions, user_nums: Iterable[int]) -> UserLists:
    """Return what each user has interacted with, oldest first: the training data as if recommended."""
    order = np.argsort(interactions.user_nums, kind="stable")
    starts = np.searchsorted(interactions.user_nums[order], np.arange(interactions.n_users + 1))
    items = interactions.item_nums[order]
    return {
        user: items[starts[user] : starts[user + 1]].tolist() for user in _checked(interactions, user_nums)
    }


def random_lists(
    interactions: Interactions,
    user_nums: Iterable[int],
    list_length: int,
    seed: int,
    exclude_seen: bool = True,
) -> UserLists:
    """Return distinct items for each user, every item equally likely.

    A user's list depends on the seed and the user alone. Users who have seen nearly everything get shorter
    lists.

    Raises:
        InputError: an unknown user number.
    """
    profiles = profile_lists(interactions, user_nums)
    lists = {}
    for user, seen in profiles.items():
        pool = np.setdiff1d(np.arange(interactions.n_items), seen if exclude_seen else [])
        rng = numpy_generator(seed, "random_lists", user)
        lists[user] = rng.choice(pool, size=min(list_length, len(pool)), replace=False).tolist()
    return lists


def popular_lists(
    interactions: Interactions, user_nums: Iterable[int], list_length: int, exclude_seen: bool = True
) -> UserLists:
    """Return the items with most interactions for each user, best first; ties go to the lower item number.

    Users who have seen nearly everything get shorter lists.

    Raises:
        InputError: an unknown user number.
    """
    counts = np.bincount(interactions.item_nums, minlength=interactions.n_items)
    ranked = np.argsort(-counts, kind="stable")
    lists = {}
    for user, seen in profile_lists(interactions, user_nums).items():
        new = ranked[~np.isin(ranked, seen)] if exclude_seen else ranked
        lists[user] = new[:list_length].tolist()
    return lists


def _checked(interactions: Interactions, user_nums: Iterable[int]) -> list[int]:
    users = [int(user) for user in user_nums]
    for user in users:
        if not 0 <= user < interactions.n_users:
            raise InputError(
                f"There is no user number {user}; numbers go from 0 to {interactions.n_users - 1}."
            )
    return users
