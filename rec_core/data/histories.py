"""Every user's past, sliced out of one sorted copy of the interactions."""

from __future__ import annotations

import numpy as np

from rec_core.types import History, InputError, Interactions


class HistoryStore:
    """Answer "what did this user do, oldest first?" in constant time.

    One stable sort by user keeps the global time order inside each user, so a history is a slice (a view: do
    not write into it). One million rows take well under a second.
    """

    def __init__(self, interactions: Interactions) -> None:
        """Sort the rows (in global time order) by user."""
        self._order = np.argsort(interactions.user_nums, kind="stable")
        counts = np.bincount(interactions.user_nums, minlength=interactions.n_users)
        self._starts = np.concatenate(([0], np.cumsum(counts)))
        self._item_nums = interactions.item_nums[self._order]
        self._ratings = interactions.ratings[self._order]
        self._timestamps = interactions.timestamps[self._order]

    @property
    def lengths(self) -> np.ndarray:
        """Return the number of rows of each user: (U,) int64, 0 for users without any."""
        return np.diff(self._starts)

    def rows(self, user_num: int) -> np.ndarray:
        """Return the user's rows in the `Interactions`, oldest first: (T,) int64."""
        return self._order[self._slice(user_num, None)]

    def of(self, user_num: int, length: int | None = None) -> History:
        """Return the user's history, oldest first.

        Args:
            user_num: the user's number; a user without rows has an empty history.
            length: only the first `length` rows (what was known before row `length`); None = all.

        Raises:
            InputError: there is no such user number, or `length` is negative.
        """
        part = self._slice(user_num, length)
        return History(self._item_nums[part], self._ratings[part], self._timestamps[part])

    def _slice(self, user_num: int, length: int | None) -> slice:
        n_users = len(self._starts) - 1
        if not 0 <= user_num < n_users:
            raise InputError(f"There is no user number {user_num}; numbers go from 0 to {n_users - 1}.")
        start, end = int(self._starts[user_num]), int(self._starts[user_num + 1])
        if length is None:
            return slice(start, end)
        if length < 0:
            raise InputError(f"A history of length {length} cannot be; give 0 or more.")
        return slice(start, min(start + length, end))


def positions_in_history(user_nums: np.ndarray) -> np.ndarray:
    """Return for each time-ordered row how many earlier rows its user has: (N,) int64."""
    order = np.argsort(user_nums, kind="stable")
    counts = np.bincount(user_nums)
    starts = np.cumsum(counts) - counts
    positions = np.empty(len(user_nums), dtype=np.int64)
    positions[order] = np.arange(len(user_nums)) - np.repeat(starts, counts)
    return positions
