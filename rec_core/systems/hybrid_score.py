"""Hybrid-Score: retrieval by a weighted sum of two softmaxes, one over text and one over ID similarities.

Paper: the Hybrid-Score row of RALLRec's table 1, after GPT-FedRec (arXiv 2403.04256), which fuses a text
and a sequential retriever as lambda softmax(cosine / 0.01) + (1 - lambda) softmax(logits), lambda 0.2.
RALLRec's paper prints no settings; its code takes 0.5 and no temperatures, the values here. Over thousands of
items such softmaxes are nearly flat, and the order is close to that of the plain sum of cosines.
Differs from authors' code: see `retrieval.similarity.FusedSimilarity`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from rec_core.config import Config
from rec_core.device import set_threads
from rec_core.retrieval.similarity import CosineSimilarity, FusedSimilarity, Similarity, mean_similarity
from rec_core.store import Workspace
from rec_core.systems.behaviour_view import BehaviourViewConfig
from rec_core.systems.like_papers import published
from rec_core.systems.like_questions import Parts
from rec_core.systems.like_tuning import tuning_retrievers
from rec_core.systems.quirks import Quirk, encoder_with, shifted
from rec_core.systems.reader import Arm, Reader
from rec_core.systems.reader_config import (
    PAPER_MODEL,
    PAPER_STEPS,
    SMALL_MODEL,
    TINY_MODEL,
    ListedReaderConfig,
    TunedReaderConfig,
)
from rec_core.systems.reader_training import train_reader
from rec_core.systems.reader_views import ViewLearner, has_views, load_views
from rec_core.systems.retrievers import Recent, Retriever, Similar
from rec_core.types import Dataset, EmbeddingTable, History, Progress


class FusionConfig(Config):
    """The weighted sum of two softmaxes."""

    text_weight: float = Field(0.5, ge=0, le=1, description="Lambda: weight of the text side.")
    text_temperature: float = Field(1.0, gt=0, le=100, description="Divides the text cosines.")
    id_temperature: float = Field(1.0, gt=0, le=100, description="Divides the ID cosines.")


class HybridScoreConfig(TunedReaderConfig, ListedReaderConfig):
    """Two views, their fusion, K, and tuning."""

    own_quirks: ClassVar[tuple[Quirk, ...]] = (
        "shifted_neighbours",
        "last_generated_token_embedding",
        "double_softmax",
        "leaky_graph",
        "double_bos",
        "test_set_selection",
        "first_10000_rows",
    )

    behaviour: BehaviourViewConfig = Field(BehaviourViewConfig(), description="The ID view.")
    fusion: FusionConfig = Field(FusionConfig(), description="How the two similarities become one.")

    @classmethod
    def _preset_values(cls, name: str, data: str, variant: str) -> dict[str, Any]:
        if name == "paper":
            settings = published("rallrec", data)
            return (
                PAPER_MODEL
                | PAPER_STEPS
                | {
                    "encoder.name": PAPER_MODEL["backbone.name"],
                    "behaviour.loop.epochs": 200,
                    "top_k": settings.top_k,
                    "tuning.n_shots": settings.n_shots,
                    "tuning.training.learning_rate": 5e-4,
                }
            )
        if name == "tiny":
            behaviour = {"behaviour.embedding_size": 32, "behaviour.loop.epochs": 30}
            return TINY_MODEL | behaviour | {"top_k": 15, "tuning.n_shots": 2048}
        return SMALL_MODEL


class HybridScore(Reader):
    """A trained Hybrid-Score: text and ID views, and a tuned language model."""

    main_arm = "hybrid_score"
    config: HybridScoreConfig

    @property
    def similarity(self) -> Similarity:
        """Return the fused similarity."""
        return shifted(self._fused(), self.config.quirks)

    @property
    def retriever(self) -> Retriever:
        """Return the items of the highest fused score first."""
        return Similar(self.similarity, "relevance")

    def tuning_shows(self) -> list[Retriever]:
        """Return what tuning samples are shown with: retrieval in the text view, as for RALLRec."""
        text = shifted(CosineSimilarity(self.views["text"].values), self.config.quirks)
        return tuning_retrievers(text, self.config.tuning.augmentation)

    def arms(self) -> dict[str, Arm]:
        """Return Hybrid-Score, the same model with recent items, and the untuned model."""
        return {
            "zero_shot": Arm(Recent(), tuned=False),
            "recent": Arm(Recent()),
            "hybrid_score": Arm(self.retriever),
        }

    def closeness(self, history: History) -> np.ndarray:
        """Return the mean fused score of every item with what was liked (I,)."""
        return mean_similarity(self._fused(), self.liked(history))

    def embeddings(self) -> dict[str, EmbeddingTable]:
        """Return both views."""
        return self.views

    def _fused(self) -> Similarity:
        fusion = self.config.fusion
        text, ids = (CosineSimilarity(self.views[view].values) for view in ("text", "id"))
        temperatures = (fusion.text_temperature, fusion.id_temperature)
        return FusedSimilarity(text, ids, fusion.text_weight, temperatures)


def fit(
    dataset: Dataset,
    config: HybridScoreConfig,
    folder: Path,
    workspace: Workspace,
    seed: int,
    progress: Progress,
) -> dict[str, Any]:
    """Train into `folder` and return the metrics; arguments and result as `rallrec.fit`."""
    set_threads(1)
    parts = Parts.of(dataset, config.min_history)
    if not has_views(folder):
        learner = ViewLearner(dataset, parts, folder, workspace, seed, progress)
        text = learner.text(encoder_with(config.encoder, config.quirks), config.descriptions)
        learner.behaviour(config.behaviour, leaky="leaky_graph" in config.quirks)
        learner.keep(text)
    return train_reader(lambda: load(dataset, config, folder), parts, folder, workspace, seed, progress)


def load(dataset: Dataset, config: HybridScoreConfig, folder: Path) -> HybridScore:
    """Open a trained run; the language model itself is read at its first use."""
    return HybridScore(dataset, config, folder, *load_views(folder))
