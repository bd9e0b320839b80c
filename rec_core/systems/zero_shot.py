"""Zero-shot: an untuned language model reads the most recent ratings and answers yes or no.

Paper: the "Llama3.1" row of RALLRec's table 1 and the Vicuna rows of ReLLa's table 2.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from rec_core.store import Workspace
from rec_core.systems.like_questions import Parts
from rec_core.systems.reader import Arm, Reader
from rec_core.systems.reader_config import PAPER_MODEL, SMALL_MODEL, TINY_MODEL, ListedReaderConfig
from rec_core.systems.reader_training import train_reader
from rec_core.systems.reader_views import ViewLearner, has_views, load_views
from rec_core.systems.retrievers import Recent, Retriever
from rec_core.types import Dataset, History, Progress


class ZeroShotConfig(ListedReaderConfig):
    """The language model and how many recent items it is shown."""

    @classmethod
    def _preset_values(cls, name: str, data: str, variant: str) -> dict[str, Any]:
        if name == "paper":
            return PAPER_MODEL
        return TINY_MODEL | {"top_k": 15} if name == "tiny" else SMALL_MODEL


class ZeroShot(Reader):
    """A language model as it comes, with the last K ratings in its prompt."""

    main_arm = "zero_shot"
    config: ZeroShotConfig

    @property
    def retriever(self) -> Retriever:
        """Return recency: nothing is retrieved."""
        return Recent()

    def tuning_shows(self) -> list[Retriever]:
        """Return nothing: the model stays as it is."""
        return []

    def arms(self) -> dict[str, Arm]:
        """Return the one way there is."""
        return {"zero_shot": Arm(self.retriever, tuned=False)}

    def closeness(self, history: History) -> np.ndarray:
        """Return the popularity of every item (I,): without vectors nothing else tells candidates apart."""
        return self.popularity.astype(np.float64)


def fit(
    dataset: Dataset,
    config: ZeroShotConfig,
    folder: Path,
    workspace: Workspace,
    seed: int,
    progress: Progress,
) -> dict[str, Any]:
    """Score the test questions and return the metrics; arguments and result as `rallrec.fit`."""
    parts = Parts.of(dataset, config.min_history)
    if not has_views(folder):
        ViewLearner(dataset, parts, folder, workspace, seed, progress).keep()
    return train_reader(lambda: load(dataset, config, folder), parts, folder, workspace, seed, progress)


def load(dataset: Dataset, config: ZeroShotConfig, folder: Path) -> ZeroShot:
    """Open a run; the language model itself is read at its first use."""
    return ZeroShot(dataset, config, folder, *load_views(folder))
