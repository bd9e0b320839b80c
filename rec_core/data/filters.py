"""Keep the part of the interactions where everybody has enough of them."""

from __future__ import annotations

import numpy as np

from rec_core.types import InputError, Interactions


def k_core(interactions: Interactions, user_core: int, item_core: int) -> np.ndarray:
    """Return the rows of the largest part in which every user and every item has enough rows.

    Dropping a user's rows can make an item rare, which can make another user short, and so on; the filter
    goes on until nothing changes. The result does not depend on the order of dropping.

    Args:
        interactions: N rows.
        user_core: a kept user has at least this many kept rows (repeats count).
        item_core: a kept item has at least this many kept rows.

    Returns:
        The kept rows, ascending; possibly none.

    Raises:
        InputError: a core is negative.
    """
    if user_core < 0 or item_core < 0:
        raise InputError(f"The cores {user_core} and {item_core} cannot be; give two numbers of 0 or more.")
    rows = np.arange(len(interactions))
    while True:
        users, items = interactions.user_nums[rows], interactions.item_nums[rows]
        enough = (np.bincount(users)[users] >= user_core) & (np.bincount(items)[items] >= item_core)
        if enough.all():
            return rows
        rows = rows[enough]
