"""RALLRec: retrieval-augmented recommendation with a language model and learned representations.

Paper: RALLRec (WWW 2025 companion, arXiv 2502.06101). The functions below follow its section 2:
representations (2.2), prompts and instruction tuning (2.3), reranker (2.4).
Differs from paper: descriptions are the dataset's own text unless a description step filled them; the paper's
8B backbone is replaced by whatever `backbone.name` says, by default a small model trained on the dataset;
candidates for a recommendation come from the mixture space, since the paper only scores given pairs.
Differs from authors' code: the reranker is equation 8, not a fixed split; ids are looked up, so that movie m
is compared by its own row; the behaviour graph ends before the validation period; all of which `quirks` bring
back.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from rec_core.device import set_threads
from rec_core.retrieval.channels import recency_channel, semantic_channel
from rec_core.retrieval.mixture import mix
from rec_core.retrieval.rerank import RerankConfig
from rec_core.retrieval.similarity import CosineSimilarity, DotSimilarity, Similarity
from rec_core.store import Workspace
from rec_core.systems.aligned_view import AlignedViewConfig
from rec_core.systems.behaviour_view import BehaviourViewConfig
from rec_core.systems.like_papers import published
from rec_core.systems.like_questions import Parts
from rec_core.systems.like_tuning import tuning_retrievers
from rec_core.systems.quirks import WHAT_IT_DOES, Quirk, encoder_with, shifted
from rec_core.systems.reader import Arm, Reader
from rec_core.systems.reader_config import (
    PAPER_MODEL,
    PAPER_STEPS,
    SMALL_MODEL,
    TINY_MODEL,
    TunedReaderConfig,
)
from rec_core.systems.reader_training import train_reader
from rec_core.systems.reader_views import ViewLearner, has_views, load_views
from rec_core.systems.retrievers import FixedSplit, Halves, Recent, Reranked, Retriever, Similar
from rec_core.types import Dataset, EmbeddingTable, History, Progress, ScoreRequest


class RALLRecConfig(TunedReaderConfig):
    """Everything RALLRec can be told."""

    own_quirks: ClassVar[tuple[Quirk, ...]] = tuple(WHAT_IT_DOES)

    behaviour: BehaviourViewConfig = Field(BehaviourViewConfig(), description="The ID view.")
    alignment: AlignedViewConfig = Field(AlignedViewConfig(), description="The aligned view.")
    reranker: RerankConfig = Field(
        RerankConfig(), description="Equation 8 and the number K of history items shown."
    )

    @property
    def n_shown(self) -> int:
        """Return K, the reranker's."""
        return self.reranker.top_k

    @classmethod
    def _preset_values(cls, name: str, data: str, variant: str) -> dict[str, Any]:
        if name == "paper":
            settings = published("rallrec", data)
            return (
                PAPER_MODEL
                | PAPER_STEPS
                | {
                    "behaviour.loop.epochs": 200,
                    "alignment.temperature": 1.0,
                    "encoder.name": PAPER_MODEL["backbone.name"],
                    "reranker.top_k": settings.top_k,
                    "tuning.n_shots": settings.n_shots,
                    "tuning.training.learning_rate": 5e-4,
                    "tuning.training.epochs": 20,
                    "tuning.training.early_stopping_patience": 5,
                    "tuning.training.checkpoint_steps": settings.n_shots // 128,  # an epoch: 2 n / 256
                    "tuning.n_validation": 1000,
                }
            )
        if name == "tiny":
            return TINY_MODEL | {
                "behaviour.embedding_size": 32,
                "behaviour.loop.epochs": 30,
                "alignment.loop.epochs": 100,
                "reranker.top_k": 15,
                "tuning.n_shots": 2048,
            }
        return SMALL_MODEL


class RALLRec(Reader):
    """A trained RALLRec: three views, language model with adapter, and everything that can be asked of it."""

    main_arm = "rallrec"
    config: RALLRecConfig

    def __init__(
        self,
        dataset: Dataset,
        config: RALLRecConfig,
        folder: Path,
        views: dict[str, EmbeddingTable],
        popularity: np.ndarray,
    ) -> None:
        super().__init__(dataset, config, folder, views, popularity)
        self.mixture = self._mixed("text", "id", "aligned")

    @property
    def reranker(self) -> RerankConfig:
        """Return the settings of equation 8 that this run was trained with."""
        return self.config.reranker

    @property
    def retriever(self) -> Retriever:
        """Return how evidence is found: the mixture of equation 7 merged with recency by equation 8."""
        similarity = self.similarity(self.mixture)
        if "fixed_split_reranker" in self.config.quirks:
            return FixedSplit(similarity)
        return Reranked(similarity, self.config.reranker)

    def similarity(self, values: np.ndarray, mixed: bool = True) -> Similarity:
        """Return how like items are in a space (I, D): by dot product in a mixture, by cosine in one view."""
        by_dot = mixed and "table_max_normalisation" not in self.config.quirks
        found = DotSimilarity(values) if by_dot else CosineSimilarity(values)
        return shifted(found, self.config.quirks)

    def tuning_shows(self) -> list[Retriever]:
        """Return what tuning samples are shown with: retrieval in the text view."""
        text = self.similarity(self.views["text"].values, mixed=False)
        return tuning_retrievers(text, self.config.tuning.augmentation)

    def arms(self) -> dict[str, Arm]:
        """Return the ways of table 4 and the rows of table 1 and 3 that differ in evidence alone.

        Differs from paper: table 1 tunes a model per method; here one tuned model reads every arm's
        prompts, as in the paper's table 4 (`study rallrec.table1` tunes one each).
        """
        text, ids = (self.similarity(self.views[view].values, mixed=False) for view in ("text", "id"))
        return {
            "zero_shot": Arm(Recent(), tuned=False),
            "recent": Arm(Recent()),
            "text_retrieval": Arm(Similar(text, "chronological")),
            "id_retrieval": Arm(Similar(ids, "relevance")),
            "concatenation": Arm(Similar(self.similarity(self._mixed("text", "id")), "relevance")),
            "aligned_concatenation": Arm(Similar(self.similarity(self.mixture), "relevance")),
            "rallrec": Arm(self.retriever),
        }

    def more_arms(self) -> dict[str, Arm]:
        """Return RALLRec read by the untuned model (table 3), text by similarity (4), a mix (figure 4)."""
        text, ids = (self.similarity(self.views[view].values, mixed=False) for view in ("text", "id"))
        return {
            "untuned": Arm(self.retriever, tuned=False),
            "text_by_similarity": Arm(Similar(text, "relevance")),
            "retrieve_then_mix": Arm(Halves(text, ids)),
        }

    def channels(self, requests: Sequence[ScoreRequest], top_k: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return each history's positions by likeness in the mixture and by recency, best first."""
        targets = np.array([request.item_num for request in requests])
        near = semantic_channel(self.similarity(self.mixture), targets, [r.history for r in requests], top_k)
        return [
            (positions, recency_channel(request.history, top_k, request.item_num))
            for request, positions in zip(requests, near, strict=True)
        ]

    def likeness(self, request: ScoreRequest) -> np.ndarray:
        """Return each history item's cosine to the target, mean over the views (T,); 0 where unknown."""
        products = self.mixture[request.history.item_nums] @ self.mixture[request.item_num]
        return products / len(self.views)

    def closeness(self, history: History) -> np.ndarray:
        """Return the dot product of every item with the mean mixture vector of what was liked (I,)."""
        query = self.mixture[self.liked(history)].mean(axis=0)
        return (self.mixture @ query).astype(np.float64)

    def embeddings(self) -> dict[str, EmbeddingTable]:
        """Return the three views."""
        return self.views

    def _mixed(self, *names: str) -> np.ndarray:
        way: Literal["row", "table_max"] = (
            "table_max" if "table_max_normalisation" in self.config.quirks else "row"
        )
        return mix([self.views[name] for name in names], normalisation=way).values


def fit(
    dataset: Dataset, config: RALLRecConfig, folder: Path, workspace: Workspace, seed: int, progress: Progress
) -> dict[str, Any]:
    """Train into `folder` and return the metrics, also written to metrics.json.

    Args:
        dataset: what to learn from.
        config: how.
        folder: the run's folder; what is already there is kept and continued.
        workspace: holds the cache.
        seed: the run's seed.
        progress: called at every step; may raise `Cancelled`.

    Returns:
        What `reader_training.train_reader` says.
    """
    set_threads(1)  # small nets: a second thread gains nothing and collapses beside another busy process
    parts = Parts.of(dataset, config.min_history)
    if not has_views(folder):
        learner = ViewLearner(dataset, parts, folder, workspace, seed, progress)
        text = learner.text(encoder_with(config.encoder, config.quirks), config.descriptions)
        behaviour = learner.behaviour(config.behaviour, leaky="leaky_graph" in config.quirks)
        learner.keep(text, learner.aligned(text, behaviour, config.alignment))
    return train_reader(lambda: load(dataset, config, folder), parts, folder, workspace, seed, progress)


def load(dataset: Dataset, config: RALLRecConfig, folder: Path) -> RALLRec:
    """Open a trained run; the language model itself is read at its first use."""
    return RALLRec(dataset, config, folder, *load_views(folder))
