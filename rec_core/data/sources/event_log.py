"""Interactions as they stream by: ids become numbers at once, rows lie in compact arrays.

A row costs 21 bytes; only the distinct ids are held as text.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from rec_core.data.interactions import make_interactions, time_order
from rec_core.data.vocab import Vocab
from rec_core.types import InputError, Interactions

MIN_ROWS = 10  # fewer cannot be split into training, validation and test
PARTS = ("train", "valid", "test")


class EventLog:
    """Rows of who, what, how much and when, in the order in which they are added."""

    def __init__(self, items: Iterable[str] = (), users: Iterable[str] = ()) -> None:
        """Begin with the items and users that are numbered already, if any; others follow as they come."""
        self._users = {user: number for number, user in enumerate(users)}
        self._items = {item: number for number, item in enumerate(items)}
        self._user_nums, self._item_nums = array("i"), array("i")
        self._ratings, self._seconds, self._parts = array("f"), array("q"), array("b")

    def __len__(self) -> int:
        """Return how many rows were added."""
        return len(self._user_nums)

    @property
    def users(self) -> dict[str, int]:
        """Return the number of each user id seen so far."""
        return self._users

    @property
    def items(self) -> dict[str, int]:
        """Return the number of each item id known so far."""
        return self._items

    def add(self, user: str, item: str, rating: float = np.nan, seconds: int = 0, part: int = 0) -> None:
        """Add a row; `part` counts 0 train, 1 valid, 2 test."""
        self._user_nums.append(self._users.setdefault(user, len(self._users)))
        self._item_nums.append(self._items.setdefault(item, len(self._items)))
        self._ratings.append(rating)
        self._seconds.append(seconds)
        self._parts.append(part)

    def add_block(
        self,
        users: np.ndarray,
        items: np.ndarray,
        ratings: np.ndarray | None = None,
        seconds: np.ndarray | None = None,
        part: int = 0,
    ) -> None:
        """Add many rows at once: ids (M,) of any kind, ratings (M,) and seconds (M,) where there are any."""
        self.add_numbers(_numbers(users, self._users), _numbers(items, self._items), ratings, seconds, part)

    def add_numbers(
        self,
        user_nums: np.ndarray,
        item_nums: np.ndarray,
        ratings: np.ndarray | None = None,
        seconds: np.ndarray | None = None,
        part: int = 0,
    ) -> None:
        """Add many rows whose users and items (M,) are numbers that are known already."""
        n_rows = len(user_nums)
        columns: tuple[tuple[array, np.ndarray], ...] = (
            (self._user_nums, user_nums),
            (self._item_nums, item_nums),
            (self._ratings, np.full(n_rows, np.nan) if ratings is None else ratings),
            (self._seconds, np.zeros(n_rows) if seconds is None else seconds),
            (self._parts, np.full(n_rows, part)),
        )
        for column, values in columns:
            column.frombytes(values.astype(column.typecode).tobytes())

    def check_size(self, place: object) -> None:
        """Refuse a log that is too short to be cut into parts.

        Raises:
            InputError: naming the place the rows came from.
        """
        check_size(len(self), place)

    def interactions(self, has_time: bool) -> tuple[Interactions, np.ndarray]:
        """Return the rows in global time order, and the part of each (N,) int8.

        Without time, the order in which they were added stands.
        """
        users, items = np.asarray(self._user_nums), np.asarray(self._item_nums)
        seconds, parts = np.asarray(self._seconds), np.asarray(self._parts)
        order = time_order(users, items, seconds) if has_time else slice(None)
        made = make_interactions(
            users[order],
            items[order],
            np.asarray(self._ratings)[order],
            seconds[order] if has_time else None,
            users=_numbered(len(self._users)),
            items=_numbered(len(self._items)),
        )
        named = replace(made, user_ids=_ids(self._users), item_ids=_ids(self._items))
        return named, parts[order].astype(np.int8)

    def repeated_pairs(self) -> int:
        """Return how many rows repeat a user-item pair of an earlier row."""
        pairs = np.asarray(self._user_nums).astype(np.int64) * max(len(self._items), 1)
        return len(self) - len(np.unique(pairs + np.asarray(self._item_nums)))


def check_size(n_rows: int, place: object) -> None:
    """Refuse rows that are too few to be cut into parts.

    Raises:
        InputError: naming the place they came from.
    """
    if n_rows < MIN_ROWS:
        raise InputError(f"{place} has {n_rows} rows; a dataset needs at least {MIN_ROWS}, so add more.")


def _numbers(ids: np.ndarray, known: dict[str, int]) -> np.ndarray:
    places, distinct = pd.factorize(ids)
    return np.array([known.setdefault(str(value), len(known)) for value in distinct], dtype=np.int64)[places]


def _numbered(n: int) -> Vocab:
    return Vocab(np.arange(n))


def _ids(known: dict[str, int]) -> np.ndarray:
    return np.array(list(known), dtype=str) if known else np.empty(0, dtype="<U1")
