"""Choose which history items a prompt shows: one retriever per arm of the comparison.

Paper: RALLRec sections 2.2.4 (similarity to the target) and 2.4 (reranker).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rec_core.prompts.like import Order
from rec_core.retrieval.channels import Metric, recency_channel, semantic_channel
from rec_core.retrieval.rerank import Ranked, RerankConfig, rerank
from rec_core.types import EvidenceItem, ScoreRequest


@dataclass(frozen=True)
class Retriever:
    """How evidence is found.

    `values` (I, D) is the space of the semantic channel, None for recency alone. With `reranker` both
    channels are merged by equation 8; without, the semantic order stands. `order` is how the prompt lists
    what was found. `shift` moves the rows of the similarity (1 is the published ML-1M code's off-by-one).
    `metric` is "dot" where `values` is a mixture.
    """

    values: np.ndarray | None
    order: Order
    reranker: RerankConfig | None = None
    shift: int = 0
    metric: Metric = "cosine"


def select_evidence(
    requests: Sequence[ScoreRequest], retriever: Retriever, top_k: int
) -> list[tuple[EvidenceItem, ...]]:
    """Return for each request at most `top_k` history items in prompt order."""
    if retriever.values is None:
        return [_newest(request, top_k) for request in requests]
    targets = np.array([request.item_num for request in requests])
    histories = [request.history for request in requests]
    semantic = semantic_channel(
        retriever.values, targets, histories, top_k, retriever.shift, retriever.metric
    )
    chosen = []
    for request, positions in zip(requests, semantic, strict=True):
        if retriever.reranker is None:
            ranked = [
                Ranked(int(position), "semantic", rank, 1.0 / rank, False)
                for rank, position in enumerate(positions, start=1)
            ]
            if retriever.order == "chronological":
                ranked.sort(key=lambda r: r.position)
        else:
            recent = recency_channel(request.history, top_k, request.item_num)
            ranked = rerank(positions, recent, retriever.reranker)
        chosen.append(tuple(evidence_item(request, r) for r in ranked))
    return chosen


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


def _newest(request: ScoreRequest, top_k: int) -> tuple[EvidenceItem, ...]:
    newest_first = recency_channel(request.history, top_k, request.item_num)
    rows = [
        evidence_item(request, Ranked(int(position), "recency", rank, 1.0 / rank, False))
        for rank, position in enumerate(newest_first, start=1)
    ]
    return tuple(reversed(rows))


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
