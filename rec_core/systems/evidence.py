"""The records of what a prompt shows of a history: chosen by a retriever, put in another order, measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rec_core.prompts.like import Order
from rec_core.retrieval.rerank import Ranked
from rec_core.systems.retrievers import Retriever
from rec_core.types import EvidenceItem, ScoreRequest


def select_evidence(
    requests: Sequence[ScoreRequest], retriever: Retriever, top_k: int
) -> list[tuple[EvidenceItem, ...]]:
    """Return for each request at most `top_k` history items in prompt order."""
    found = retriever.find(requests, top_k)
    return [
        tuple(evidence_item(request, ranked) for ranked in rows)
        for request, rows in zip(requests, found, strict=True)
    ]


def reordered(evidence: tuple[EvidenceItem, ...], order: Order) -> tuple[EvidenceItem, ...]:
    """Return the same evidence oldest first ("chronological") or by its rank ("relevance")."""
    key = (lambda e: e.position) if order == "chronological" else (lambda e: e.rank)
    return tuple(sorted(evidence, key=key))


def with_similarities(
    evidence: tuple[EvidenceItem, ...], cosines: dict[str, np.ndarray]
) -> tuple[EvidenceItem, ...]:
    """Return the evidence with its cosines to the target, given as one array (len(evidence),) per view."""
    return tuple(
        replace(item, similarities={view: float(values[i]) for view, values in cosines.items()})
        for i, item in enumerate(evidence)
    )


def evidence_item(request: ScoreRequest, ranked: Ranked) -> EvidenceItem:
    """Return the record of one chosen history row."""
    history = request.history
    return EvidenceItem(
        item_num=int(history.item_nums[ranked.position]),
        rating=float(history.ratings[ranked.position]),
        position=ranked.position,
        channel=ranked.channel,
        rank=ranked.rank,
        score=ranked.score,
    )
