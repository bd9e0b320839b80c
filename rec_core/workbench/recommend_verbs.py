"""Verbs on a trained run: whose history, what to recommend, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from rec_core.explain.removal import removals
from rec_core.explain.verbalise import sentence
from rec_core.store import Workspace
from rec_core.types import EvidenceItem, EvidenceScorer, InputError, Recommendation, Removal, ScoreRequest
from rec_core.workbench.capability_verbs import capable, card_of
from rec_core.workbench.question import history_of, number, request_of, titles_of, whose_history
from rec_core.workbench.run_verbs import load_run

LEARNED = (
    "The changes are of the score from the history alone, {score:.4g}: what was learned of a known user does "
    "not change when a history item goes."
)
NOTHING_LEFT = "Without its only item nothing is left of the history to score from."


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
    items = [_as_json(system, r, titles) for r in system.recommend(past, top_k, user_num)]
    return {"run": run_id, "user": user, "scale": _scale(run_id, workspace), "items": items}


def explain(
    run_id: str,
    user: str | None,
    item: str,
    history: Sequence[tuple[str, float]] | None = None,
    *,
    workspace: Workspace | None = None,
) -> dict[str, Any]:
    """Return why one item scores as it does: evidence, sentence, prompt, and what each removal changes.

    A system that reads chosen evidence shows its prompt with the tokens of every part, and is asked again
    with one piece gone. Any other has no prompt ("" and {}); its evidence is the history items most related
    to the item. Such a system may score a known user by what it learned of that user, which stays as it is
    when a history item goes; so its removals are scored from the history alone, as somebody unknown, and
    where that is another score `note` says so.

    Args:
        run_id: a finished run.
        user: a user id; of an item the user has rated, only the history before it counts.
        item: the item in question.
        history: (item id, rating) pairs, oldest first, instead of a user (then None).
        workspace: where runs live.

    Raises:
        InputError: neither or both of user and history, an unknown id, or a run that scores nothing.
    """
    system = capable(run_id, "Scorer", workspace=workspace)
    request = request_of(system, user, item, history)
    titles = titles_of(system)
    answer = _read if isinstance(system, EvidenceScorer) else _scored
    recommendation, changes, more = answer(system, request, item, titles)
    ids = system.dataset.interactions.item_ids
    return {
        "run": run_id,
        "user": user,
        "scale": _scale(run_id, workspace),
        **_as_json(system, recommendation, titles),
        "sentence": sentence(recommendation, titles, system.dataset.item_noun),
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
        **more,
    }


Answer = tuple[Recommendation, Sequence[Removal], dict[str, Any]]


def _read(system: Any, request: ScoreRequest, item: str, titles: list[str]) -> Answer:
    """Explain by the prompt: what was read, the logits of the answer, and what each removal makes of them."""
    evidence = system.select_evidence(request)
    prompt = system.prompt(request, evidence)
    logits = system.logits([prompt.text])
    score = float(system.score_evidence([request], [evidence])[0])
    parts = {"yes_logit": float(logits[0, 0]), "no_logit": float(logits[0, 1])}
    changes = removals(system, request, [e.position for e in evidence], titles)
    tokenizer = system.backbone.tokenizer
    tokens = {part: len(tokenizer.encode(text)) for part, text in prompt.parts.items()}
    found = Recommendation(1, request.item_num, item, titles[request.item_num], score, parts, evidence)
    return found, changes, {"prompt": prompt.text, "tokens": tokens, "note": ""}


def _scored(system: Any, request: ScoreRequest, item: str, titles: list[str]) -> Answer:
    """Explain by the score: related history items, and what each removal makes of the history's score."""
    num, history = request.item_num, request.history
    evidence: tuple[EvidenceItem, ...] = system.evidence(history, num) if hasattr(system, "evidence") else ()
    from_history = ScoreRequest(None, history, num)
    score, alone = (float(system.score([asked])[0]) for asked in (request, from_history))
    several = len(np.unique(history.item_nums)) > 1
    changes = removals(system, from_history, [e.position for e in evidence] if several else [], titles)
    note = LEARNED.format(score=alone) if changes and not np.isclose(score, alone, rtol=1e-5) else ""
    if evidence and not several:
        note = NOTHING_LEFT
    parts = system.parts(history, num, request.user_num, score) if hasattr(system, "parts") else {}
    found = Recommendation(1, num, item, titles[num], score, parts, evidence)
    return found, changes, {"prompt": "", "tokens": {}, "note": note}


def _scale(run_id: str, workspace: Workspace | None) -> str:
    """Return what scores mean: a system judged by like questions answers with probabilities."""
    headline = card_of(workspace or Workspace.from_environment(), run_id).headline
    return "probability" if headline == "auc" else "order"


def _as_json(system: Any, recommendation: Recommendation, titles: list[str]) -> dict[str, Any]:
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
