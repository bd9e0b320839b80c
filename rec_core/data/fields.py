"""The fields of a like question: who asks, about what, and what the asker did just before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rec_core.types import CTRSamples, Dataset, InputError, Interactions

_TEXTS = ("item_id", "title", "description", "genres")  # columns of a catalogue that are no category
_FEWEST_SHARING = 2  # users, or items, per category on average; a rarer one says no more than who it is
_MOST_RATINGS = 20  # rating values kept apart; a finer scale is cut into so many levels
UNKNOWN = 0  # the first code of every block: a category that no training row has


@dataclass(frozen=True)
class Fields:
    """Every category as a number: what a CTR net looks up.

    Single-valued fields share one range of codes, block behind block, so that one table holds them all; the
    first code of a block is its "unknown". Genres and ratings are counted, history items have codes of their
    own (0: unknown, which also fills short histories). Categories are those of the training questions.
    """

    names: tuple[str, ...]  # of the single-valued fields, the user's first
    sizes: tuple[int, ...]  # codes of each of them, the unknown one included
    user_codes: np.ndarray  # (U + 1, fields of a user) int64; the last row is a user without a profile
    item_codes: np.ndarray  # (I, fields of an item) int64
    genres: tuple[str, ...]
    item_genres: np.ndarray  # (I, genres) float32, 1 where an item has the genre
    rating_values: np.ndarray  # (R,) float32, ascending
    history_codes: np.ndarray  # (I,) int32: the code of an item inside a history
    n_history_codes: int
    known_items: np.ndarray  # (I,) bool: items some training question is about


@dataclass(frozen=True)
class HistoryLog:
    """Rows one behind the other, every history a stretch of them: a window is its end and its length.

    Memory is linear in the rows: no history is written out.
    """

    item_codes: np.ndarray  # (N + 1,) int32; one empty row closes the log
    rating_counts: np.ndarray  # (N + 1, R) int32: how often each rating value comes before row n


@dataclass(frozen=True)
class Windows:
    """Where in a log the history before each question lies: rows `ends - lengths` to `ends - 1`."""

    ends: np.ndarray  # (S,) int64: the target's own row, never part of the window
    lengths: np.ndarray  # (S,) int64


def by_user(interactions: Interactions) -> np.ndarray:
    """Return the rows sorted by user, each user's oldest first: (N,) int64, the order of a dataset's log."""
    return np.argsort(interactions.user_nums, kind="stable")


def windows_of(interactions: Interactions, samples: CTRSamples, history_length: int) -> Windows:
    """Return the last `history_length` rows before each target, as stretches of the sorted rows."""
    counts = np.bincount(interactions.user_nums, minlength=interactions.n_users)
    starts = np.cumsum(counts) - counts
    ends = starts[samples.user_nums] + samples.history_lengths
    return Windows(ends, np.minimum(samples.history_lengths, history_length).astype(np.int64))


def make_fields(
    dataset: Dataset, train: CTRSamples, history_length: int, leave_out: Sequence[str] = ()
) -> Fields:
    """Number the categories that occur in the training questions; whatever else comes is "unknown".

    The single-valued fields are the user, every attribute of users whose categories two of them share on
    average (no zip code, then), the item, its year and every such attribute of items; the genres of the
    target, the rating values and the items of the windows are bags.

    Args:
        dataset: interactions, users and items.
        train: the questions that are trained on; nothing later has a say.
        history_length: rows of history before a target that a question shows; 0 shows none.
        leave_out: names of fields to do without ("user", "genres" or a column).

    Raises:
        InputError: a name to leave out is no field, or the item or the last field of the user would go.
    """
    interactions = dataset.interactions
    users = _columns(dataset.users, interactions.n_users, "user", ("user_id",), leave_out)
    items = _columns(dataset.catalogue.table, interactions.n_items, "item", _TEXTS, leave_out)
    _check_names(leave_out, dataset)
    if not users or "item" not in items:
        raise InputError("A CTR net needs the item and a field of the user; leave out fewer fields.")
    sizes: list[int] = []
    user_codes = _coded(users, np.unique(train.user_nums), sizes)
    item_codes = _coded(items, np.unique(train.item_nums), sizes)
    nobody = _offsets(sizes)[: len(users)]
    genres, item_genres = _genres(dataset, np.unique(train.item_nums), "genres" in leave_out)
    shown = _shown_rows(interactions, train, history_length)
    history_codes, n_history_codes = _numbered(interactions.item_nums[shown], interactions.n_items)
    return Fields(
        names=(*users, *items),
        sizes=tuple(sizes),
        user_codes=np.vstack([user_codes, nobody]),
        item_codes=item_codes,
        genres=genres,
        item_genres=item_genres,
        rating_values=_levels(interactions.ratings[shown]),
        history_codes=history_codes,
        n_history_codes=n_history_codes,
        known_items=np.isin(np.arange(interactions.n_items), train.item_nums),
    )


def make_log(fields: Fields, item_nums: np.ndarray, ratings: np.ndarray) -> HistoryLog:
    """Lay out rows for windows.

    A rating counts for the nearest value known from training; rows without one count for none.

    Args:
        fields: what the codes mean.
        item_nums: (N,) the rows' items, histories one behind the other.
        ratings: (N,) float32, NaN where there is none.
    """
    counts = np.zeros((len(item_nums) + 1, len(fields.rating_values)), dtype=np.int32)
    rated = np.flatnonzero(~np.isnan(ratings))
    if len(fields.rating_values):
        counts[rated + 1, _nearest(fields.rating_values, ratings[rated])] = 1
        np.cumsum(counts, axis=0, out=counts)
    codes = np.append(fields.history_codes[item_nums], UNKNOWN).astype(np.int32)
    return HistoryLog(codes, counts)


def _columns(
    table: pd.DataFrame, n: int, name: str, no_category: Sequence[str], leave_out: Sequence[str]
) -> dict[str, np.ndarray]:
    """Return the fields of users or items as words: the number itself, and what several share."""
    columns = {} if name in leave_out else {name: np.arange(n).astype(str)}
    for column in table.columns:
        if column in no_category or column in leave_out or pd.api.types.is_float_dtype(table[column]):
            continue
        words = table[column].astype("string").fillna("").to_numpy(dtype=str)
        if 1 < len(np.unique(words)) <= n / _FEWEST_SHARING:
            columns[str(column)] = words
    return columns


def _check_names(leave_out: Sequence[str], dataset: Dataset) -> None:
    names = {"user", "item", "genres", *dataset.users.columns, *dataset.catalogue.table.columns}
    wrong = sorted(set(leave_out) - names)
    if wrong:
        raise InputError(
            f"There is no field {wrong[0]!r} to leave out; fields are {', '.join(sorted(names))}."
        )


def _offsets(sizes: Sequence[int]) -> np.ndarray:
    return np.concatenate(([0], np.cumsum(sizes)))[:-1].astype(np.int64)


def _coded(columns: dict[str, np.ndarray], trained: np.ndarray, sizes: list[int]) -> np.ndarray:
    """Return the codes of every user or item (n, fields), and append each field's size to `sizes`."""
    codes = []
    for words in columns.values():
        known, places = np.unique(words[trained]), sum(sizes)
        found = np.searchsorted(known, words).clip(max=max(len(known) - 1, 0))
        codes.append(places + np.where(known[found] == words, found + 1, UNKNOWN))
        sizes.append(len(known) + 1)
    return np.stack(codes, axis=1).astype(np.int64)


def _genres(dataset: Dataset, trained: np.ndarray, without: bool) -> tuple[tuple[str, ...], np.ndarray]:
    lists = [[g for g in text.split("|") if g] for text in dataset.catalogue.table["genres"].astype(str)]
    names = sorted({genre for item in trained for genre in lists[item]}) if not without else []
    place = {name: i for i, name in enumerate(names)}
    table = np.zeros((len(lists), len(names)), dtype=np.float32)
    for item, genres in enumerate(lists):
        table[item, [place[genre] for genre in genres if genre in place]] = 1
    return tuple(names), table


def _shown_rows(interactions: Interactions, train: CTRSamples, history_length: int) -> np.ndarray:
    """Return the rows that lie in the window of some training question."""
    windows = windows_of(interactions, train, history_length)
    edges = np.zeros(len(interactions) + 1, dtype=np.int64)
    np.add.at(edges, windows.ends - windows.lengths, 1)
    np.add.at(edges, windows.ends, -1)
    return by_user(interactions)[np.cumsum(edges)[:-1] > 0]


def _numbered(item_nums: np.ndarray, n_items: int) -> tuple[np.ndarray, int]:
    codes = np.zeros(n_items, dtype=np.int32)
    known = np.unique(item_nums)
    codes[known] = np.arange(1, len(known) + 1)
    return codes, len(known) + 1


def _levels(ratings: np.ndarray) -> np.ndarray:
    values = np.unique(ratings[~np.isnan(ratings)]).astype(np.float32)
    if len(values) <= _MOST_RATINGS:
        return values
    return np.unique(np.quantile(values, np.linspace(0, 1, _MOST_RATINGS)).astype(np.float32))


def _nearest(values: np.ndarray, ratings: np.ndarray) -> np.ndarray:
    return np.searchsorted((values[1:] + values[:-1]) / 2, ratings)
