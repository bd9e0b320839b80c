"""What is in a dataset, in numbers a page or a report can show."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from rec_core.types import Dataset


def describe(dataset: Dataset) -> dict[str, Any]:
    """Count users, items and interactions, and how they spread.

    Returns:
        JSON-able: dataset, source, licence, simulated, questions (the rows that like questions are about),
        users, items, rated_items, interactions, density (share of the user x item grid that has a row),
        history_length {min, q25, median, q75, max} over all
        users, rating_counts {"3": n, ...} (rows without a rating are not in it), popularity (rows per item,
        descending, 0 for items without any), text_coverage {title, description, genres: share of items that
        have it}, time_range [first, last] as ISO dates or None where the source has no time, notes.
    """
    interactions = dataset.interactions
    pairs = np.unique(interactions.user_nums.astype(np.int64) * interactions.n_items + interactions.item_nums)
    popularity = np.sort(np.bincount(interactions.item_nums, minlength=interactions.n_items))[::-1]
    lengths = np.bincount(interactions.user_nums, minlength=interactions.n_users)
    grid = interactions.n_users * interactions.n_items
    return {
        "dataset": dataset.name,
        "source": dataset.source,
        "licence": dataset.licence,
        "max_rating": dataset.max_rating,
        "like_threshold": dataset.like_threshold,
        "simulated": dataset.simulated,
        "questions": dataset.questions,
        "users": interactions.n_users,
        "items": interactions.n_items,
        "rated_items": int((popularity > 0).sum()),
        "interactions": len(interactions),
        "density": len(pairs) / grid if grid else 0.0,
        "history_length": _quartiles(lengths),
        "rating_counts": _rating_counts(interactions.ratings),
        "popularity": popularity.tolist(),
        "text_coverage": {name: _coverage(dataset, name) for name in ("title", "description", "genres")},
        "time_range": _time_range(dataset),
        "notes": list(dataset.notes),
    }


def _quartiles(values: np.ndarray) -> dict[str, float]:
    names = ("min", "q25", "median", "q75", "max")
    if not len(values):
        return dict.fromkeys(names, 0.0)
    return {
        name: float(value)
        for name, value in zip(names, np.quantile(values, (0, 0.25, 0.5, 0.75, 1)), strict=True)
    }


def _rating_counts(ratings: np.ndarray) -> dict[str, int]:
    values, counts = np.unique(ratings[~np.isnan(ratings)], return_counts=True)
    return {f"{value:g}": int(count) for value, count in zip(values, counts, strict=True)}


def _coverage(dataset: Dataset, column: str) -> float:
    texts = dataset.catalogue.table[column].fillna("").astype(str).str.strip()
    return float((texts != "").mean()) if len(texts) else 0.0


def _time_range(dataset: Dataset) -> list[str] | None:
    """Return the first and last day; rows dated 0 or before are undated and do not count."""
    times = dataset.interactions.timestamps[dataset.interactions.timestamps > 0]
    if not dataset.has_time or not len(times):
        return None
    return [datetime.fromtimestamp(int(time), UTC).date().isoformat() for time in (times.min(), times.max())]
