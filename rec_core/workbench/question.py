"""What the verbs on a trained run share: whose history, which question, numbers as JSON has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rec_core.data.histories import HistoryStore
from rec_core.data.item_texts import title_text
from rec_core.data.vocab import Vocab
from rec_core.types import History, InputError, Recommendation, ScoreRequest


def titles_of(system: Any) -> list[str]:
    """Return what every item of a run's dataset is called on a page (I,): "Alien (1979)"."""
    return title_text(system.dataset.catalogue)


def history_of(system: Any, user: str) -> tuple[int, History]:
    """Return the number and the whole history of a user id (`InputError` for an unknown one)."""
    interactions = system.dataset.interactions
    user_num = int(Vocab(interactions.user_ids).nums([user])[0])
    return user_num, HistoryStore(interactions).of(user_num)


def whose_history(
    system: Any, user: str | None, pairs: Sequence[tuple[str, float]] | None
) -> tuple[int | None, History]:
    """Return number and history of a user, or None and a history composed of (item id, rating) pairs.

    Raises:
        InputError: neither or both are given, or an id is unknown.
    """
    if (user is None) == (pairs is None):
        raise InputError("Give either a user or a history, not both and not none.")
    if user is not None:
        return history_of(system, user)
    composed = pairs or ()
    nums = Vocab(system.dataset.interactions.item_ids).nums([item for item, _ in composed])
    ratings = np.array([rating for _, rating in composed], dtype=np.float32)
    times = np.arange(len(composed), dtype=np.int64)
    return None, History(np.asarray(nums, dtype=np.int32), ratings, times)


def request_of(
    system: Any, user: str | None, item: str, pairs: Sequence[tuple[str, float]] | None = None
) -> ScoreRequest:
    """Return the question whether somebody would like an item; of a rated one, with the history before it."""
    user_num, history = whose_history(system, user, pairs)
    item_num = int(Vocab(system.dataset.interactions.item_ids).nums([item])[0])
    rated = np.flatnonzero(history.item_nums == item_num)
    if len(rated):
        before = slice(0, int(rated[0]))
        history = History(history.item_nums[before], history.ratings[before], history.timestamps[before])
    return ScoreRequest(user_num, history, item_num)


def as_json(system: Any, recommendation: Recommendation, titles: list[str]) -> dict[str, Any]:
    """Return a recommendation as JSON has it, items by id and title."""
    ids = system.dataset.interactions.item_ids
    return {
        "rank": recommendation.rank,
        "item_id": recommendation.item_id,
        "title": titles[recommendation.item_num],
        "score": recommendation.score,
        "parts": recommendation.parts,
        "evidence": [
            {
                "item_id": str(ids[e.item_num]),
                "title": titles[e.item_num],
                "rating": number(e.rating),
                "position": e.position,
                "channel": e.channel,
                "rank": e.rank,
                "score": e.score,
                "similarities": {view: number(value) for view, value in e.similarities.items()},
            }
            for e in recommendation.evidence
        ],
    }


def number(value: float) -> float | None:
    """Return a plain float, None for NaN."""
    return None if value != value else float(value)
