"""What the verbs on a trained run share: whose history, which question, numbers as JSON has them."""

from __future__ import annotations

from typing import Any

import numpy as np

from rec_core.data.histories import HistoryStore
from rec_core.data.vocab import Vocab
from rec_core.types import History, ScoreRequest


def history_of(system: Any, user: str) -> tuple[int, History]:
    """Return the number and the whole history of a user id (`InputError` for an unknown one)."""
    interactions = system.dataset.interactions
    user_num = int(Vocab(interactions.user_ids).nums([user])[0])
    return user_num, HistoryStore(interactions).of(user_num)


def request_of(system: Any, user: str, item: str) -> ScoreRequest:
    """Return the question whether a user would like an item; of a rated item, with the history before it."""
    user_num, history = history_of(system, user)
    item_num = int(Vocab(system.dataset.interactions.item_ids).nums([item])[0])
    rated = np.flatnonzero(history.item_nums == item_num)
    if len(rated):
        history = HistoryStore(system.dataset.interactions).of(user_num, int(rated[0]))
    return ScoreRequest(user_num, history, item_num)


def number(value: float) -> float | None:
    """Return a plain float, None for NaN."""
    return None if value != value else float(value)
