"""Verbs on a trained run: whose history, what to recommend, why, and what alpha and beta do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from rec_core.data.histories import HistoryStore
from rec_core.data.vocab import Vocab
from rec_core.explain.removal import removals
from rec_core.explain.verbalise import sentence
from rec_core.retrieval.channels import recency_channel, semantic_channel
from rec_core.retrieval.cosine import cosines
from rec_core.retrieval.rerank import RerankConfig
from rec_core.retrieval.rerank import rerank as merge
from rec_core.store import Workspace
from rec_core.types import EvidenceItem, History, InputError, Recommendation, ScoreRequest
from rec_core.workbench.run_verbs import load_run

IDLE_BETA = "At alpha = 1/2 both channels weigh the same and beta changes nothing."


def users(run_id: str, *, workspace: Workspace | None = None) -> list[str]:
    """Return the user ids of a run's dataset, those with the most recent activity first."""
    interactions = load_run(run_id, workspace=workspace).dataset.interactions
    newest_first = interactions.user_nums[::-1]
    _, first = np.unique(newest_first, return_index=True)
    return [str(interactions.user_ids[u]) for u in newest_first[np.sort(first)]]


def user_history(run_id: str, user: str, *, workspace: Workspace | None = None) -> pd.DataFrame:
    """Return a user's whole history, oldest first: position, item_id, title, rating, timestamp."""
    system = load_run(run_id, workspace=workspace)
    _, history = _history_of(system, user)
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
    if (user is None) == (history is None):
        raise InputError("Give either a user or a history, not both and not none.")
    if top_k < 1:
        raise InputError(f"The number of recommendations must be at least 1, not {top_k}.")
    system = load_run(run_id, workspace=workspace)
    user_num, past = (
        _history_of(system, user) if user is not None else (None, _composed(system, history or []))
    )
    items = [_as_json(system, r) for r in system.recommend(past, top_k, user_num)]
    return {"run": run_id, "user": user, "items": items}


def explain(run_id: str, user: str, item: str, *, workspace: Workspace | None = None) -> dict[str, Any]:
    """Return why one item scores as it does for a user: evidence, sentence, prompt, and what each removal changes.

    For an item the user has rated, the history is what came before it.
    """
    system = load_run(run_id, workspace=workspace)
    request = _request(system, user, item)
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


def rerank(
    run_id: str,
    user: str,
    item: str,
    alpha: float,
    beta: float,
    top_k: int = 30,
    order: str = "score",
    *,
    workspace: Workspace | None = None,
) -> dict[str, Any]:
    """Return both channels and the merged evidence for one target at the given alpha and beta (equation 8).

    Raises:
        InputError: a setting out of bounds, or an unknown id.
    """
    system = load_run(run_id, workspace=workspace)
    request = _request(system, user, item)
    config = RerankConfig.from_values({"alpha": alpha, "beta": beta, "top_k": top_k, "order": order})
    targets = np.array([request.item_num])
    semantic = semantic_channel(system.mixture, targets, [request.history], config.top_k, shift=system.shift)[
        0
    ]
    recency = recency_channel(request.history, config.top_k, request.item_num)
    merged = merge(semantic, recency, config)
    closeness = _mixture_cosines(system, request)

    def row(position: int) -> dict[str, Any]:
        num = int(request.history.item_nums[position])
        return {
            "position": int(position),
            "item_id": str(system.dataset.interactions.item_ids[num]),
            "title": system.prompter.titles[num],
            "rating": _number(request.history.ratings[position]),
            "similarity": float(closeness[position]),
        }

    evidence = tuple(
        EvidenceItem(
            int(request.history.item_nums[r.position]),
            float(request.history.ratings[r.position]),
            r.position,
            r.channel,
            r.rank,
            r.score,
        )
        for r in merged
    )
    prompt = system.prompt(request, evidence)
    return {
        "run": run_id,
        "user": user,
        "item": item,
        "title": system.prompter.titles[request.item_num],
        "alpha": alpha,
        "beta": beta,
        "note": IDLE_BETA if alpha == 0.5 else "",
        "semantic": [{**row(p), "rank": i} for i, p in enumerate(semantic, start=1)],
        "recency": [{**row(p), "rank": i} for i, p in enumerate(recency, start=1)],
        "evidence": [
            {
                **row(r.position),
                "rank": i,
                "channel": r.channel,
                "channel_rank": r.rank,
                "score": r.score,
                "tied": r.tied,
            }
            for i, r in enumerate(merged, start=1)
        ],
        "prompt": prompt.text,
        "p_yes": float(system.score_evidence([request], [evidence])[0]),
    }


def _mixture_cosines(system: Any, request: ScoreRequest) -> np.ndarray:
    return cosines(system.mixture, request.item_num, request.history.item_nums)


def _history_of(system: Any, user: str) -> tuple[int, History]:
    interactions = system.dataset.interactions
    user_num = int(Vocab(interactions.user_ids).nums([user])[0])
    return user_num, HistoryStore(interactions).of(user_num)


def _request(system: Any, user: str, item: str) -> ScoreRequest:
    user_num, history = _history_of(system, user)
    item_num = int(Vocab(system.dataset.interactions.item_ids).nums([item])[0])
    rated = np.flatnonzero(history.item_nums == item_num)
    if len(rated):
        history = HistoryStore(system.dataset.interactions).of(user_num, int(rated[0]))
    return ScoreRequest(user_num, history, item_num)


def _composed(system: Any, pairs: Sequence[tuple[str, float]]) -> History:
    nums = Vocab(system.dataset.interactions.item_ids).nums([item for item, _ in pairs])
    ratings = np.array([rating for _, rating in pairs], dtype=np.float32)
    return History(np.asarray(nums, dtype=np.int32), ratings, np.arange(len(pairs), dtype=np.int64))


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
                "rating": _number(e.rating),
                "position": e.position,
                "channel": e.channel,
                "rank": e.rank,
                "score": e.score,
                "similarities": {view: _number(value) for view, value in e.similarities.items()},
            }
            for e in recommendation.evidence
        ],
    }


def _number(value: float) -> float | None:
    return None if value != value else float(value)
