"""Ways of choosing which history items a prompt shows: one class per way.

Paper: RALLRec sections 2.2.4 (similarity to the target), 2.4 (reranker) and figure 4 (ways to mix channels);
ReLLa section 4.1 (similar items in time order).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rec_core.prompts.like import Order
from rec_core.retrieval.channels import recency_channel, semantic_channel
from rec_core.retrieval.fixed_split import fixed_split
from rec_core.retrieval.rerank import Ranked, RerankConfig, prompt_order, rerank
from rec_core.retrieval.similarity import Similarity
from rec_core.types import ScoreRequest


class Retriever(Protocol):
    """Chooses history rows for a request."""

    @property
    def order(self) -> Order:
        """Return how the prompt says its list is ordered."""
        ...

    def find(self, requests: Sequence[ScoreRequest], top_k: int) -> list[list[Ranked]]:
        """Return for each request at most `top_k` history rows in prompt order."""
        ...


@dataclass(frozen=True)
class Recent:
    """The newest items, oldest of them first."""

    order: Order = "chronological"

    def find(self, requests: Sequence[ScoreRequest], top_k: int) -> list[list[Ranked]]:
        """Return the newest rows of each history, no item twice."""
        return [
            [
                Ranked(int(position), "recency", rank, 1.0 / rank, False)
                for rank, position in enumerate(_newest(request, top_k), start=1)
            ][::-1]
            for request in requests
        ]


@dataclass(frozen=True)
class Similar:
    """What is most like the target: by similarity, or the same items by time (ReLLa)."""

    similarity: Similarity
    order: Order

    def find(self, requests: Sequence[ScoreRequest], top_k: int) -> list[list[Ranked]]:
        """Return the most similar rows of each history."""
        found = [_semantic(positions) for positions in _nearest(self.similarity, requests, top_k)]
        if self.order == "chronological":
            return [sorted(rows, key=lambda row: row.position) for rows in found]
        return found


@dataclass(frozen=True)
class Reranked:
    """Both channels merged by equation 8; K is what is asked for, not the config's."""

    similarity: Similarity
    config: RerankConfig

    @property
    def order(self) -> Order:
        """Return how the prompt says its list is ordered."""
        return prompt_order(self.config)

    def find(self, requests: Sequence[ScoreRequest], top_k: int) -> list[list[Ranked]]:
        """Return the best rows of both channels, each `top_k` long."""
        near = _nearest(self.similarity, requests, top_k)
        config = self.config.with_values({"top_k": top_k})
        return [
            rerank(positions, _newest(request, top_k), config)
            for request, positions in zip(requests, near, strict=True)
        ]


@dataclass(frozen=True)
class FixedSplit:
    """Both channels merged as in the published code: the newest 2K/3 of the retrieved, then recent items."""

    similarity: Similarity
    order: Order = "relevance"

    def find(self, requests: Sequence[ScoreRequest], top_k: int) -> list[list[Ranked]]:
        """Return the rows in the order of the published prompt."""
        near = _nearest(self.similarity, requests, top_k)
        return [
            fixed_split(positions.tolist(), _newest(request, len(request.history)).tolist(), top_k)
            for request, positions in zip(requests, near, strict=True)
        ]


@dataclass(frozen=True)
class Halves:
    """Retrieve, then mix (figure 4): half of the list by one similarity, the rest by another.

    Source: the `hybrid` branch of the published prompt builder: the first ceil(K / 2) of the text ranking,
    then floor(K / 2) of the ID ranking that are not in yet.
    """

    first: Similarity
    second: Similarity
    order: Order = "relevance"

    def find(self, requests: Sequence[ScoreRequest], top_k: int) -> list[list[Ranked]]:
        """Return the rows of both halves, the first half first."""
        firsts = _nearest(self.first, requests, top_k)
        seconds = _nearest(self.second, requests, top_k)
        half = -(-top_k // 2)
        found = []
        for first, second in zip(firsts, seconds, strict=True):
            start = first[:half].tolist()
            rest = [position for position in second.tolist() if position not in start][: top_k - half]
            found.append(_semantic([*start, *rest]))
        return found


def _newest(request: ScoreRequest, top_k: int) -> np.ndarray:
    return recency_channel(request.history, top_k, request.item_num)


def _nearest(similarity: Similarity, requests: Sequence[ScoreRequest], top_k: int) -> list[np.ndarray]:
    targets = np.array([request.item_num for request in requests])
    return semantic_channel(similarity, targets, [request.history for request in requests], top_k)


def _semantic(positions: Sequence[int] | np.ndarray) -> list[Ranked]:
    return [
        Ranked(int(position), "semantic", rank, 1.0 / rank, False)
        for rank, position in enumerate(positions, start=1)
    ]
