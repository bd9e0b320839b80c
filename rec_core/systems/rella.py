"""ReLLa: history items like the target in meaning, in time order, read by a model tuned on mixed data.

Paper: ReLLa (WWW 2024, arXiv 2308.11131), sections 4.1 (semantic user behaviour retrieval: mean of the last
hidden states, PCA, cosine) and 4.2 (retrieval-enhanced instruction tuning: recent and retrieved data, mixed).
Differs from paper: the text view is RALLRec's (title || description) by whatever encoder is set; set
`encoder.pca` for the paper's 512 dimensions.
Differs from authors' code: vectors are means over the text, ids are looked up, and the test rows decide
nothing; `quirks` bring each back. On BookCrossing its neighbours are those of the largest dot product of
whole vectors, here of the largest cosine as elsewhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from rec_core.device import set_threads
from rec_core.retrieval.similarity import CosineSimilarity, Similarity, mean_similarity
from rec_core.store import Workspace
from rec_core.systems.like_papers import published
from rec_core.systems.like_questions import Parts
from rec_core.systems.like_tuning import TuningConfig, tuning_retrievers
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


class ReLLaConfig(TunedReaderConfig, ListedReaderConfig):
    """The text view, K, and tuning on mixed data."""

    own_quirks: ClassVar[tuple[Quirk, ...]] = (
        "shifted_neighbours",
        "last_generated_token_embedding",
        "double_softmax",
        "double_bos",
        "test_set_selection",
        "first_10000_rows",
    )

    tuning: TuningConfig = Field(TuningConfig(augmentation="mixed"), description="Instruction tuning.")

    @classmethod
    def _preset_values(cls, name: str, data: str, variant: str) -> dict[str, Any]:
        if name == "paper":
            settings = published("rella", data)
            return (
                PAPER_MODEL
                | PAPER_STEPS
                | {
                    "backbone.name": "lmsys/vicuna-13b-v1.5",
                    "encoder.name": "lmsys/vicuna-13b-v1.5",
                    "top_k": settings.top_k,
                    "tuning.n_shots": settings.n_shots,
                    "tuning.training.learning_rate": 1e-3,
                }
            )
        if name == "tiny":
            return TINY_MODEL | {"top_k": 15, "tuning.n_shots": 2048}
        return SMALL_MODEL


class ReLLa(Reader):
    """A trained ReLLa: the text view and a tuned language model."""

    main_arm = "rella"
    config: ReLLaConfig

    @property
    def similarity(self) -> Similarity:
        """Return the cosine in the text view."""
        return shifted(CosineSimilarity(self.views["text"].values), self.config.quirks)

    @property
    def retriever(self) -> Retriever:
        """Return the similar items in time order."""
        return Similar(self.similarity, "chronological")

    def tuning_shows(self) -> list[Retriever]:
        """Return recent and retrieved items, both in time order."""
        return tuning_retrievers(self.similarity, self.config.tuning.augmentation)

    def arms(self) -> dict[str, Arm]:
        """Return ReLLa, the same model with recent items, and the untuned model."""
        return {
            "zero_shot": Arm(Recent(), tuned=False),
            "recent": Arm(Recent()),
            "rella": Arm(self.retriever),
        }

    def closeness(self, history: History) -> np.ndarray:
        """Return the mean cosine of every item to what was liked, in the text view (I,)."""
        return mean_similarity(CosineSimilarity(self.views["text"].values), self.liked(history))

    def embeddings(self) -> dict[str, EmbeddingTable]:
        """Return the text view."""
        return self.views


def fit(
    dataset: Dataset, config: ReLLaConfig, folder: Path, workspace: Workspace, seed: int, progress: Progress
) -> dict[str, Any]:
    """Train into `folder` and return the metrics; arguments and result as `rallrec.fit`."""
    set_threads(1)
    parts = Parts.of(dataset, config.min_history)
    if not has_views(folder):
        learner = ViewLearner(dataset, parts, folder, workspace, seed, progress)
        learner.keep(learner.text(encoder_with(config.encoder, config.quirks), config.descriptions))
    return train_reader(lambda: load(dataset, config, folder), parts, folder, workspace, seed, progress)


def load(dataset: Dataset, config: ReLLaConfig, folder: Path) -> ReLLa:
    """Open a trained run; the language model itself is read at its first use."""
    return ReLLa(dataset, config, folder, *load_views(folder))
