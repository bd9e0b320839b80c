"""Raw columns in, `Interactions` in global time order out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rec_core.data.vocab import Vocab
from rec_core.types import InputError, Interactions


def make_interactions(
    user_ids: ArrayLike,
    item_ids: ArrayLike,
    ratings: ArrayLike | None = None,
    timestamps: ArrayLike | None = None,
    users: Vocab | None = None,
    items: Vocab | None = None,
) -> Interactions:
    """Number the ids and put the rows in global time order: timestamp, then user number, then item number.

    Rows equal in all three keep the order they came in.

    Args:
        user_ids: (N,) the source's own user ids (strings or integers).
        item_ids: (N,) the source's own item ids.
        ratings: (N,) numbers; None = the source has none (all NaN).
        timestamps: (N,) whole seconds since 1970; None = the source has no time, the given order stands.
        users: the known users in the order of their numbers; None = those in `user_ids`, by first appearance.
        items: the known items in the order of their numbers (the catalogue's); None = as for users.

    Returns:
        N rows; `n_users` and `n_items` count the vocabularies, also members without a row.

    Raises:
        InputError: columns of different lengths, an unknown or empty id, or a missing timestamp.
    """
    n_rows = np.size(user_ids)
    for name, column in (("item_ids", item_ids), ("ratings", ratings), ("timestamps", timestamps)):
        if column is not None and np.size(column) != n_rows:
            raise InputError(
                f"The column {name} has {np.size(column)} rows, user_ids has {n_rows}; give one per row."
            )
    users = Vocab.from_values(user_ids) if users is None else users
    items = Vocab.from_values(item_ids) if items is None else items
    user_nums, item_nums = users.nums(user_ids), items.nums(item_ids)
    rating_values = np.full(n_rows, np.nan) if ratings is None else np.asarray(ratings)
    if timestamps is None:
        order, times = np.arange(n_rows), np.arange(n_rows, dtype=np.int64)
    else:
        times = _whole_seconds(timestamps)
        order = time_order(user_nums, item_nums, times)
        times = times[order]
    return Interactions(
        user_ids=users.all_ids,
        item_ids=items.all_ids,
        user_nums=user_nums[order],
        item_nums=item_nums[order],
        ratings=rating_values[order].astype(np.float32),
        timestamps=times,
    )


def time_order(user_nums: np.ndarray, item_nums: np.ndarray, timestamps: np.ndarray) -> np.ndarray:
    """Return the positions (N,) that put rows in global time order; ties in all three keep their order."""
    return np.lexsort((item_nums, user_nums, timestamps))


def subset(interactions: Interactions, rows: np.ndarray) -> Interactions:
    """Return the rows (positions or a mask), with users and items still numbered as before.

    The rows keep time order whatever order `rows` names them in.
    """
    kept = np.asarray(rows)
    kept = np.flatnonzero(kept) if kept.dtype == bool else np.sort(kept.astype(np.int64))
    return Interactions(
        user_ids=interactions.user_ids,
        item_ids=interactions.item_ids,
        user_nums=interactions.user_nums[kept],
        item_nums=interactions.item_nums[kept],
        ratings=interactions.ratings[kept],
        timestamps=interactions.timestamps[kept],
    )


def reordered(interactions: Interactions, order: np.ndarray) -> Interactions:
    """Return rows of a source without times in another order, which their numbers as timestamps follow.

    Args:
        interactions: N rows.
        order: (M,) positions, those left out are dropped.
    """
    return Interactions(
        user_ids=interactions.user_ids,
        item_ids=interactions.item_ids,
        user_nums=interactions.user_nums[order],
        item_nums=interactions.item_nums[order],
        ratings=interactions.ratings[order],
        timestamps=np.arange(len(order), dtype=np.int64),
    )


def _whole_seconds(timestamps: ArrayLike) -> np.ndarray:
    raw = np.asarray(timestamps)
    if raw.dtype.kind in "iu":
        return raw.astype(np.int64)
    numbers = raw.astype(np.float64)
    bad = ~np.isfinite(numbers)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise InputError(
            f"The timestamp at position {row} is {raw[row]}; give seconds since 1970 in all rows or in none."
        )
    return np.floor(numbers).astype(np.int64)
