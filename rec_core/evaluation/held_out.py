"""What an evaluation asks for: per user, the items to be found and the items that may not be shown."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rec_core.data.seen import Seen, distinct
from rec_core.types import InputError


@dataclass(frozen=True)
class HeldOut:
    """The questions of an evaluation: row b asks user `users[b]` for the items of row b of `wanted`.

    Both compressed rows are (indptr (B+1,) int64, items int64): row b holds
    `items[indptr[b] : indptr[b + 1]]`, sorted and distinct. No item is both wanted and hidden in a row, and
    every row wants at least one.
    """

    users: np.ndarray  # (B,) int64, distinct user numbers
    wanted: Seen  # what the user took in the held-out part
    hidden: Seen  # what cannot be recommended: the user had it before
    n_unfindable: int = 0  # wanted items left out because they are hidden

    def __len__(self) -> int:
        return len(self.users)

    @cached_property
    def wanted_places(self) -> tuple[np.ndarray, np.ndarray]:
        """Return row and item of every wanted entry (P,) twice."""
        return _row_of_entries(self.wanted[0]), self.wanted[1]

    @cached_property
    def hidden_places(self) -> tuple[np.ndarray, np.ndarray]:
        """Return row and item of every hidden entry (H,) twice."""
        return _row_of_entries(self.hidden[0]), self.hidden[1]

    @classmethod
    def of(cls, wanted_users: np.ndarray, wanted_items: np.ndarray, hidden: Seen, n_items: int) -> HeldOut:
        """Return the questions of held-out rows, ordered by user number.

        A wanted item that is hidden can never be shown, so nobody could find it: it is left out, and counted
        in `n_unfindable`. Users left without a wanted item are left out too.

        Args:
            wanted_users: (N,) int user numbers of the held-out rows, in any order, repeats allowed.
            wanted_items: (N,) int item numbers.
            hidden: compressed rows by user number, as `data.seen.seen_items` gives them.
            n_items: I, above every item number.

        Raises:
            InputError: a number lies outside the catalogue or the hidden rows.
        """
        users, items = np.asarray(wanted_users, np.int64), np.asarray(wanted_items, np.int64)
        _check_range(users, items, len(hidden[0]) - 1, n_items)
        pairs = distinct(users * n_items + items)
        askers = distinct(users)
        blocked = _pairs(_rows(hidden, askers), askers, n_items)
        findable = pairs[~_contains(blocked, pairs)]
        asked, counts = np.unique(findable // n_items, return_counts=True)
        wanted = (_indptr(counts), findable % n_items)
        return cls(asked, wanted, _rows(hidden, asked), len(pairs) - len(findable))

    def take(self, index: np.ndarray) -> HeldOut:
        """Return the questions at `index` (rows, or a mask over them), e.g. a sample of users.

        `n_unfindable` stays that of the whole, since left-out items belong to no row.
        """
        rows = np.arange(len(self))[index]
        return HeldOut(
            self.users[rows], _rows(self.wanted, rows), _rows(self.hidden, rows), self.n_unfindable
        )


def _row_of_entries(indptr: np.ndarray) -> np.ndarray:
    """Return which row each entry of compressed rows belongs to (N,) int64."""
    return np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))


def _rows(table: Seen, rows: np.ndarray) -> Seen:
    """Return some rows of compressed rows, in the order asked for."""
    indptr, items = table
    counts = indptr[rows + 1] - indptr[rows]
    fresh = _indptr(counts)
    places = np.arange(fresh[-1]) + np.repeat(indptr[rows] - fresh[:-1], counts)
    return fresh, items[places].astype(np.int64)


def _indptr(counts: np.ndarray) -> np.ndarray:
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)


def _pairs(table: Seen, users: np.ndarray, n_items: int) -> np.ndarray:
    """Return user x I + item of every entry; ascending, because users are and items inside a row are."""
    return users[_row_of_entries(table[0])] * n_items + table[1]


def _contains(ordered: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return which values occur in an ascending array, by binary search."""
    if not len(ordered):
        return np.zeros(len(values), dtype=bool)
    place = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    return ordered[place] == values


def _check_range(users: np.ndarray, items: np.ndarray, n_users: int, n_items: int) -> None:
    if users.shape != items.shape or users.ndim != 1:
        raise InputError(
            f"Held-out users {users.shape} and items {items.shape} do not pair up; give one of each per row."
        )
    for name, numbers, size in (("user", users, n_users), ("item", items, n_items)):
        outside = (numbers < 0) | (numbers >= size)
        if outside.any():
            raise InputError(
                f"Held-out {name} number {numbers[outside][0]} is outside 0..{size - 1}; number the held-out "
                "rows with the vocabulary of the training rows."
            )
