"""The only way between a dataset's own identifiers and contiguous numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from rec_core.types import InputError


class Vocab:
    """A bijection of identifiers (strings) and numbers 0 .. n-1.

    Never replace it by arithmetic: MovieLens ids start at 1 and have gaps, so a row number is not an id.

    """

    def __init__(self, ids: ArrayLike) -> None:
        """Number the ids by their position.

        Args:
            ids: (n,) identifiers; anything that is not a string is written as one.

        Raises:
            InputError: an identifier is missing or comes twice.
        """
        self._ids = as_ids(ids)
        self._index = pd.Index(self._ids.astype(object))
        if not self._index.is_unique:
            twice = self._index[self._index.duplicated()][0]
            raise InputError(f"The id {twice!r} comes twice; every id must be listed once.")

    @classmethod
    def from_values(cls, values: ArrayLike) -> Vocab:
        """Number the distinct values in the order in which they first appear."""
        return cls(_distinct(values)[1])

    def __len__(self) -> int:
        """Return how many ids there are."""
        return len(self._ids)

    @property
    def all_ids(self) -> np.ndarray:
        """Return every id, by number: (n,) str."""
        return self._ids

    def nums(self, ids: ArrayLike) -> np.ndarray:
        """Return the number of each id.

        Args:
            ids: (N,) identifiers, repeated as often as you like; looked up once per distinct value.

        Returns:
            (N,) int32.

        Raises:
            InputError: an id is not in the vocabulary (the first such id and its position are named).
        """
        places, distinct = _distinct(ids)
        numbers = self._index.get_indexer(pd.Index(distinct.astype(object)))
        if (numbers < 0).any():
            unknown = distinct[np.flatnonzero(numbers < 0)[0]]
            row = int(np.flatnonzero(numbers[places] < 0)[0])
            raise InputError(
                f"The id {str(unknown)!r} at position {row} is none of the {len(self):,} known ids; "
                "check the spelling."
            )
        return numbers.astype(np.int32)[places]

    def ids(self, nums: ArrayLike) -> np.ndarray:
        """Return the id of each number, str, in the shape of `nums`.

        Raises:
            InputError: a number lies outside 0 .. n-1 (negative numbers never count from the end).
        """
        nums = np.asarray(nums, dtype=np.int64)
        outside = (nums < 0) | (nums >= len(self))
        if outside.any():
            raise InputError(
                f"The number {int(nums[outside][0])} belongs to no id; numbers go from 0 to {len(self) - 1}."
            )
        return self._ids[nums]

    def contains(self, id: object) -> bool:
        """Tell whether the id is known."""
        return str(id) in self._index


def as_ids(values: ArrayLike) -> np.ndarray:
    """Return identifiers as a numpy array of str.

    Raises:
        InputError: one is missing (None, NaN or an empty string).
    """
    raw = np.asarray(values)
    _refuse_missing(raw, np.arange(len(raw)))
    return raw.astype(object).astype(str) if len(raw) else np.empty(0, dtype="<U1")


def _distinct(values: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return each value's place among the distinct ones (N,), and the distinct ids by first appearance."""
    raw = np.asarray(values)
    raw = raw.astype(object) if raw.dtype.kind in "US" else raw
    places, distinct = pd.factorize(raw, use_na_sentinel=False)
    _refuse_missing(np.asarray(distinct), places)
    return places, as_ids(distinct)


def _refuse_missing(distinct: np.ndarray, places: np.ndarray) -> None:
    missing = np.asarray(pd.isna(distinct))
    if distinct.dtype.kind in "OUS":
        missing = missing | (distinct.astype(str) == "")
    if missing.any():
        row = int(np.flatnonzero(missing[places])[0])
        raise InputError(f"The id at position {row} is empty; every row needs an id.")
