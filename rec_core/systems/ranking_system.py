"""What every ID-based ranking system can do once it can score the catalogue for a history."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import numpy as np
import torch

from rec_core.retrieval.cosine import cosines
from rec_core.systems.ranking_parts import Phase, RankingParts
from rec_core.types import (
    Dataset,
    EmbeddingTable,
    EvidenceItem,
    History,
    Recommendation,
    ScoreRequest,
)

CatalogueScores = Callable[[np.ndarray], torch.Tensor]  # users (C,) -> (C, I), may be overwritten
_N_EVIDENCE = 3


class RankingSystem(ABC):
    """A Recommender and Scorer over one method: scores of the whole catalogue for a history.

    A known user (`user_num`) is scored with what was learned of that user; `user_num` None is scored by the
    history alone. With neither user nor history the order is the popularity in training.

    Args:
        dataset: what it was trained on.
        popularity: (I,) training rows of each item.
    """

    def __init__(self, dataset: Dataset, popularity: np.ndarray) -> None:
        self.dataset = dataset
        self.popularity = popularity

    @abstractmethod
    def user_scores(self, parts: RankingParts, phase: Phase) -> CatalogueScores:
        """Return the function that scores the catalogue for users of a split, as training left them."""

    @abstractmethod
    def history_scores(self, history: History, user_num: int | None) -> np.ndarray:
        """Return the score of every item (I,) for a history of at least one item or a known user."""

    def catalogue_scores(self, history: History, user_num: int | None = None) -> np.ndarray:
        """Return the score of every item (I,) float32, higher is better."""
        if not len(history) and user_num is None:
            return np.log1p(self.popularity).astype(np.float32)
        return np.asarray(self.history_scores(history, user_num), dtype=np.float32)

    def recommend(
        self, history: History, top_k: int, user_num: int | None = None, exclude_seen: bool = True
    ) -> list[Recommendation]:
        """Return at most `top_k` items, best first, ties to the lower item number."""
        scores = self.catalogue_scores(history, user_num).astype(np.float64)
        if exclude_seen:
            scores[history.item_nums] = -np.inf
        best = np.lexsort((np.arange(len(scores)), -scores))[:top_k]
        ids, titles = self.dataset.interactions.item_ids, self.dataset.catalogue.titles
        return [
            Recommendation(
                rank=rank,
                item_num=int(item),
                item_id=str(ids[item]),
                title=titles[item],
                score=float(scores[item]),
                parts=self.parts(history, int(item), user_num, float(scores[item])),
                evidence=self.evidence(history, int(item)),
            )
            for rank, item in enumerate(best, start=1)
            if np.isfinite(scores[item])
        ]

    def score(self, requests: Sequence[ScoreRequest]) -> np.ndarray:
        """Return one score per request (B,), on the scale of the ranking; only their order means anything."""
        scores = [self.catalogue_scores(r.history, r.user_num)[r.item_num] for r in requests]
        return np.array(scores, dtype=np.float64)

    def parts(self, history: History, item_num: int, user_num: int | None, score: float) -> dict[str, float]:
        """Return what a score is made of."""
        return {"score": score}

    def evidence(self, history: History, item_num: int) -> tuple[EvidenceItem, ...]:
        """Return the history items most related to an item, most related first."""
        related = self.relatedness(history, item_num)
        best = np.lexsort((-np.arange(len(related)), -related))[:_N_EVIDENCE]
        return tuple(
            EvidenceItem(
                item_num=int(history.item_nums[position]),
                rating=float(history.ratings[position]),
                position=int(position),
                channel="semantic",
                rank=rank,
                score=float(related[position]),
                similarities=self.similarities(int(history.item_nums[position]), item_num),
            )
            for rank, position in enumerate(best, start=1)
        )

    @abstractmethod
    def relatedness(self, history: History, item_num: int) -> np.ndarray:
        """Return how much each history item has to do with an item (T,), higher is more."""

    def similarities(self, history_item: int, item_num: int) -> dict[str, float]:
        """Return cosines between two items in the views the system has."""
        return {}


class EmbeddingRankingSystem(RankingSystem):
    """A ranking system with item vectors: the "id" view, by whose cosines history items are related.

    Args:
        dataset: what it was trained on.
        popularity: (I,) training rows of each item; an item without any has no vector worth showing.
        items: (I, D) item vectors.
        source: what made them, for people.
    """

    def __init__(self, dataset: Dataset, popularity: np.ndarray, items: np.ndarray, source: str) -> None:
        super().__init__(dataset, popularity)
        known = popularity > 0
        self.view = EmbeddingTable("id", items * known[:, None].astype(items.dtype), known, source)

    def embeddings(self) -> dict[str, EmbeddingTable]:
        """Return the ID view."""
        return {"id": self.view}

    def relatedness(self, history: History, item_num: int) -> np.ndarray:
        """Return the cosine of each history item to an item in the ID view (T,)."""
        return cosines(self.view.values, item_num, history.item_nums)

    def similarities(self, history_item: int, item_num: int) -> dict[str, float]:
        """Return the cosine in the ID view."""
        return {"id": float(cosines(self.view.values, item_num, [history_item])[0])}
