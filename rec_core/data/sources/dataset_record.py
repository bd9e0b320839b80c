"""A log of rows and a catalogue into a dataset, with the notes that every streamed source owes its reader."""

from __future__ import annotations

import numpy as np
import pandas as pd

from rec_core.data.interactions import reordered
from rec_core.data.last_of_user import SEED, last_of_user
from rec_core.data.sources.event_log import EventLog
from rec_core.data.sources.rating_scale import rating_scale
from rec_core.store import check_name, content_hash
from rec_core.types import Catalogue, Dataset, Interactions, Questions

_DAY = 86_400


def make_dataset(
    log: EventLog,
    catalogue: Catalogue,
    *,
    name: str,
    source: str,
    licence: str,
    item_noun: str,
    users: pd.DataFrame | None = None,
    has_ratings: bool = True,
    has_time: bool = True,
    is_cut: bool = False,
    questions: Questions = "every_rating",
    like_threshold: float | None = None,
    notes: tuple[str, ...] = (),
) -> Dataset:
    """Assemble the record.

    Args:
        log: the rows.
        catalogue: one row per item number of the log.
        name: what the dataset is called.
        source: where it comes from, for people.
        licence: the terms in short.
        item_noun: what prompts call an item.
        users: one row per user number, first column user_id; None = nothing is known but the ids.
        has_ratings: the log's ratings mean something.
        has_time: so do its seconds; without, the order of the rows stands.
        is_cut: so do its parts.
        questions: which rows like questions are about; "last_of_user", for a source without times, puts the
            rows in the order of `data.last_of_user`.
        like_threshold: a rating above it is a like; None = by the largest rating.
        notes: what a reader should know; what the log itself shows is added.

    Raises:
        InputError: the name or the threshold is no use.
        ValueError: "last_of_user" of a source with times.
    """
    check_name(name, "dataset")
    interactions, parts = _in_order(log, has_time, questions)
    max_rating, threshold = rating_scale(interactions.ratings if has_ratings else None, like_threshold)
    user_ids = pd.DataFrame({"user_id": pd.Series(interactions.user_ids, dtype="str")})
    users = user_ids if users is None else users
    kept_parts = parts if is_cut else None
    return Dataset(
        name=name,
        interactions=interactions,
        catalogue=catalogue,
        users=users,
        source=source,
        licence=licence,
        content_hash=_hash(interactions, kept_parts, catalogue, users, threshold),
        like_threshold=threshold,
        max_rating=max_rating,
        item_noun=item_noun,
        has_time=has_time,
        questions=questions,
        notes=(*notes, *_notes(log, has_ratings, interactions.timestamps if has_time else None, questions)),
        parts=kept_parts,
    )


def _in_order(log: EventLog, has_time: bool, questions: Questions) -> tuple[Interactions, np.ndarray]:
    """Return the rows in the order that the kind of question needs, with their parts."""
    interactions, parts = log.interactions(has_time)
    if questions != "last_of_user":
        return interactions, parts
    if has_time:
        raise ValueError("rows that have times cannot stand in a shuffled order")
    order = last_of_user(interactions)
    return reordered(interactions, order), parts[order]


def _hash(
    interactions: Interactions,
    parts: np.ndarray | None,
    catalogue: Catalogue,
    users: pd.DataFrame,
    threshold: float,
) -> str:
    return content_hash(
        interactions.user_nums,
        interactions.item_nums,
        interactions.ratings,
        interactions.timestamps,
        parts,
        pd.util.hash_pandas_object(catalogue.table, index=False).to_numpy(),
        pd.util.hash_pandas_object(users, index=False).to_numpy(),
        threshold,
    )


def _notes(
    log: EventLog, has_ratings: bool, timestamps: np.ndarray | None, questions: Questions
) -> list[str]:
    found = []
    n_repeated = log.repeated_pairs()
    if n_repeated:
        found.append(f"{n_repeated:,} rows repeat a user-item pair; all are kept.")
    found += absence_notes(has_ratings, timestamps is not None, questions)
    if timestamps is not None and not (timestamps % _DAY).any():
        found.append("Times are whole days: rows of one day stand in the order of user and item numbers.")
    return found


_INSTEAD_OF_TIME: dict[Questions, str] = {
    "every_rating": "the order of the rows is taken for time.",
    "last_of_user": f"each user's rows are shuffled (seed {SEED}); like questions are about the last one.",
}


def absence_notes(has_ratings: bool, has_time: bool, questions: Questions = "every_rating") -> list[str]:
    """Return a sentence for each column that a source does not have."""
    ratings = [] if has_ratings else ["No ratings: questions about likes cannot be asked."]
    times = [] if has_time else [f"No timestamps: {_INSTEAD_OF_TIME[questions]}"]
    return ratings + times
