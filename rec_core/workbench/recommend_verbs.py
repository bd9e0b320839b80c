"""Verbs on a trained run: whose history, and what to recommend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from rec_core.store import Workspace
from rec_core.types import InputError
from rec_core.workbench.capability_verbs import capable, scale_of
from rec_core.workbench.question import as_json, history_of, titles_of, whose_history
from rec_core.workbench.run_verbs import load_run


def users(run_id: str, *, workspace: Workspace | None = None) -> list[str]:
    """Return the user ids of a run's dataset, those with the most recent activity first."""
    interactions = load_run(run_id, workspace=workspace).dataset.interactions
    newest_first = interactions.user_nums[::-1]
    _, first = np.unique(newest_first, return_index=True)
    return [str(interactions.user_ids[u]) for u in newest_first[np.sort(first)]]


def user_history(run_id: str, user: str, *, workspace: Workspace | None = None) -> pd.DataFrame:
    """Return a user's whole history, oldest first: position, item_id, title, rating, timestamp."""
    system = load_run(run_id, workspace=workspace)
    _, history = history_of(system, user)
    titles = titles_of(system)
    return pd.DataFrame(
        {
            "position": np.arange(len(history)),
            "item_id": system.dataset.interactions.item_ids[history.item_nums].astype(str),
            "title": [titles[i] for i in history.item_nums],
            "rating": history.ratings.astype(float),
            "timestamp": history.timestamps,
        }
    )


def recommend(
    run_id: str,
    user: str | None = None,
    history: Sequence[tuple[str, float]] | None = None,
    top_k: int = 10,
    *,
    workspace: Workspace | None = None,
) -> dict[str, Any]:
    """Return unseen items for a user, or for a history composed by hand, with score parts and evidence.

    `scale` is "probability" where a score is the probability of a like, else "order": then only the order of
    scores means anything.

    Args:
        run_id: a finished run.
        user: a user id of the dataset.
        history: (item id, rating) pairs, oldest first, instead of a user.
        top_k: how many.
        workspace: where runs live.

    Raises:
        InputError: neither or both of user and history, an unknown id, `top_k` below 1, or a run that does
            not recommend.
    """
    if top_k < 1:
        raise InputError(f"The number of recommendations must be at least 1, not {top_k}.")
    system = capable(run_id, "Recommender", workspace=workspace)
    user_num, past = whose_history(system, user, history)
    titles = titles_of(system)
    items = [as_json(system, r, titles) for r in system.recommend(past, top_k, user_num)]
    return {"run": run_id, "user": user, "scale": scale_of(run_id, workspace=workspace), "items": items}
