"""What the recommended lists are like apart from being right: per user, and over the catalogue."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from rec_core.data.seen import Seen
from rec_core.evaluation.full_ranking import Ranking
from rec_core.metrics import beyond_accuracy as lists_of_users
from rec_core.metrics import exposure
from rec_core.types import Catalogue, InputError


def beyond_accuracy(
    ranking: Ranking,
    popularity: np.ndarray,
    genres: np.ndarray,
    views: Mapping[str, np.ndarray],
    histories: Seen,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return measures of the lists `ranking.top`, one row per user, and measures of all lists together.

    Args:
        ranking: with lists, so made with `top_k` of at least 1.
        popularity: (I,) training interactions per item.
        genres: (I, G) 1 where an item has the genre, see `genre_matrix`; G may be 0.
        views: per name (such as "text") item vectors (I, D), zero where there is none.
        histories: compressed rows, row b is what user `ranking.users[b]` took before; `held_out.hidden`
            where the past is what is hidden.

    Returns:
        A table with user_num, novelty (bits), arp (interactions), aplt (share), popularity_lift (ratio - 1),
        miscalibration (nats, left out without genres) and diversity_<view>, NaN where undefined; and a
        dictionary with coverage (share of the catalogue shown), gini (of exposure) and n_shown (items).

    Raises:
        InputError: there are no lists, or not one history per user.
    """
    if not ranking.top.shape[1]:
        raise InputError("The ranking holds no lists to look at; rank with `top_k` of at least 1.")
    if len(histories[0]) != len(ranking.users) + 1:
        raise InputError(
            f"There are {len(histories[0]) - 1} histories for {len(ranking.users)} users; give each user one."
        )
    lists = [row[row >= 0] for row in ranking.top]
    pasts = np.split(histories[1], histories[0][1:-1]) if len(lists) else []
    counts = exposure.exposure_counts(lists, len(popularity))
    columns = {
        "user_num": ranking.users,
        "novelty": lists_of_users.novelty(lists, popularity),
        "arp": exposure.arp(lists, popularity),
        "aplt": exposure.aplt(lists, exposure.long_tail(popularity)),
        "popularity_lift": exposure.popularity_lift(lists, pasts, popularity),
    }
    if genres.shape[1]:
        columns["miscalibration"] = lists_of_users.miscalibration(lists, pasts, genres)
    for name, vectors in views.items():
        columns[f"diversity_{name}"] = lists_of_users.intra_list_diversity(lists, vectors)
    catalogue = {
        "coverage": float(exposure.coverage(counts)),
        "gini": float(exposure.gini(counts)),
        "n_shown": float((counts > 0).sum()),
    }
    return pd.DataFrame(columns), catalogue


def genre_matrix(catalogue: Catalogue) -> np.ndarray:
    """Return which item has which genre (I, G) float64 0 or 1, genres in alphabetical order; G may be 0."""
    texts = catalogue.table["genres"].fillna("").astype(str)
    kinds = [[genre for genre in text.split("|") if genre] for text in texts]
    column = {genre: place for place, genre in enumerate(sorted({genre for row in kinds for genre in row}))}
    matrix = np.zeros((len(kinds), len(column)))
    for row, genres in enumerate(kinds):
        matrix[row, [column[genre] for genre in genres]] = 1
    return matrix
