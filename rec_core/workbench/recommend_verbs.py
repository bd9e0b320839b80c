"""Verbs on a trained run: whose history, what to recommend, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from rec_core.explain.removal import removals
from rec_core.explain.verbalise import sentence
from rec_core.store import Workspace
from rec_core.types import InputError, Recommendation
from rec_core.workbench.question import history_of, number, request_of, whose_history
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
    return pd.DataFrame(
        {
            "position": np.arange(len(history)),
            "item_id": system.dataset.interactions.item_ids[history.item_nums].astype(str),
            "title": [system.prompter.titles[i] for i in history.item_nums],
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

    Args:
        run_id: a finished run.
        user: a user id of the dataset.
        history: (item id, rating) pairs, oldest first, instead of a user.
        top_k: how many.
        workspace: where runs live.

    Raises:
        InputError: neither or both of user and history, an unknown id, or `top_k` below 1.
    """
    if top_k < 1:
        raise InputError(f"The number of recommendations must be at least 1, not {top_k}.")
    system = load_run(run_id, workspace=workspace)
    user_num, past = whose_history(system, user, history)
    items = [_as_json(system, r) for r in system.recommend(past, top_k, user_num)]
    return {"run": run_id, "user": user, "items": items}


def explain(
    run_id: str,
    user: str | None,
    item: str,
    history: Sequence[tuple[str, float]] | None = None,
    *,
    workspace: Workspace | None = None,
) -> dict[str, Any]:
    """Return why one item scores as it does: evidence, sentence, prompt, and what each removal changes.

    Args:
        run_id: a finished run.
        user: a user id; of an item the user has rated, only the history before it counts.
        item: the item in question.
        history: (item id, rating) pairs, oldest first, instead of a user (then None).
        workspace: where runs live.

    Raises:
        InputError: neither or both of user and history, or an unknown id.
    """
    system = load_run(run_id, workspace=workspace)
    request = request_of(system, user, item, history)
    evidence = system.select_evidence(request)
    prompt = system.prompt(request, evidence)
    logits = system.logits([prompt.text])
    recommendation = Recommendation(
        rank=1,
        item_num=request.item_num,
        item_id=item,
        title=system.prompter.titles[request.item_num],
        score=float(system.score_evidence([request], [evidence])[0]),
        parts={"yes_logit": float(logits[0, 0]), "no_logit": float(logits[0, 1])},
        evidence=evidence,
    )
    changes = removals(system, request, [e.position for e in evidence], system.prompter.titles)
    ids = system.dataset.interactions.item_ids
    tokenizer = system.backbone.tokenizer
    return {
        "run": run_id,
        "user": user,
        **_as_json(system, recommendation),
        "sentence": sentence(recommendation, system.prompter.titles, system.dataset.item_noun),
        "removals": [
            {
                "item_id": str(ids[change.item_num]),
                "title": change.title,
                "position": change.position,
                "score_without": change.score_without,
                "change": change.change,
            }
            for change in changes
        ],
        "prompt": prompt.text,
        "tokens": {part: len(tokenizer.encode(text)) for part, text in prompt.parts.items()},
    }


def _as_json(system: Any, recommendation: Recommendation) -> dict[str, Any]:
    ids = system.dataset.interactions.item_ids
    return {
        "rank": recommendation.rank,
        "item_id": recommendation.item_id,
        "title": recommendation.title,
        "score": recommendation.score,
        "parts": recommendation.parts,
        "evidence": [
            {
                "item_id": str(ids[e.item_num]),
                "title": system.prompter.titles[e.item_num],
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
