"""The verb that says why: what an item was scored with, and what the score would be without it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rec_core.explain.removal import removals
from rec_core.explain.verbalise import sentence
from rec_core.retrieval.cosine import cosines_by_view
from rec_core.store import Workspace
from rec_core.types import (
    EmbeddingSource,
    EvidenceItem,
    EvidenceScorer,
    Recommendation,
    Removal,
    ScoreRequest,
)
from rec_core.workbench.capability_verbs import capable, scale_of
from rec_core.workbench.question import as_json, request_of, titles_of

_N_NEAREST = 3
LEARNED = (
    "The changes are of the score from the history alone, {score:.4g}: what was learned of a known user does "
    "not change when a history item goes."
)
NOTHING_LEFT = "Without its only item nothing is left of the history to score from."

Answer = tuple[Recommendation, Sequence[Removal], dict[str, Any]]


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
        "scale": scale_of(run_id, workspace=workspace),
        **as_json(system, recommendation, titles),
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
    evidence = system.evidence(history, num) if hasattr(system, "evidence") else _nearest(system, request)
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


def _nearest(system: Any, request: ScoreRequest) -> tuple[EvidenceItem, ...]:
    """Return the history items nearest to the target in the views of a system that names none."""
    history, num = request.history, request.item_num
    if not isinstance(system, EmbeddingSource) or not len(history):
        return ()
    by_view = cosines_by_view(system.embeddings(), num, history.item_nums)
    closeness = np.mean([np.nan_to_num(values) for values in by_view.values()], axis=0)
    best = np.lexsort((-np.arange(len(history)), -closeness))[:_N_NEAREST]
    return tuple(
        EvidenceItem(
            item_num=int(history.item_nums[position]),
            rating=float(history.ratings[position]),
            position=int(position),
            channel="semantic",
            rank=rank,
            score=float(closeness[position]),
            similarities={view: float(values[position]) for view, values in by_view.items()},
        )
        for rank, position in enumerate(best, start=1)
    )
