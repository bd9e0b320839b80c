"""Popularity: everybody is shown what most people took.

Paper: none; the yardstick below which a recommender has learned nothing about its users.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from rec_core.processes import is_main
from rec_core.store import read_tensors, write_tensors
from rec_core.systems.ranking_parts import Phase, RankingParts
from rec_core.systems.ranking_run import ranking_system
from rec_core.systems.ranking_system import CatalogueScores, RankingSystem
from rec_core.systems.ranking_task import RankingConfig
from rec_core.types import Dataset, EvidenceItem, History, Progress, ProgressEvent

_FILE = "popularity.safetensors"


class PopularityConfig(RankingConfig):
    """Nothing to set beside the task."""


class Popularity(RankingSystem):
    """Score = log(1 + training rows of the item), the same for everybody: no history item is evidence."""

    def __init__(self, dataset: Dataset, popularity: np.ndarray) -> None:
        super().__init__(dataset, popularity)
        self._scores = np.log1p(popularity).astype(np.float32)

    def user_scores(self, parts: RankingParts, phase: Phase) -> CatalogueScores:
        """Return the popularity in a row per user."""
        row = torch.from_numpy(self._scores)
        return lambda user_nums: row.repeat(len(user_nums), 1)

    def history_scores(self, history: History, user_num: int | None) -> np.ndarray:
        """Return the popularity (I,)."""
        return self._scores

    def relatedness(self, history: History, item_num: int) -> np.ndarray:
        """Return zeros (T,): the history has no say."""
        return np.zeros(len(history))

    def evidence(self, history: History, item_num: int) -> tuple[EvidenceItem, ...]:
        """Return nothing."""
        return ()


def learn(parts: RankingParts, config: PopularityConfig, folder: Path, seed: int, progress: Progress) -> None:
    """Count and write the training rows of each item."""
    if is_main():
        write_tensors(folder / _FILE, {"popularity": parts.popularity.astype(np.int64)})
    progress(ProgressEvent("popularity", 1, 1))


def load(dataset: Dataset, config: PopularityConfig, folder: Path) -> Popularity:
    """Open a trained run."""
    return Popularity(dataset, read_tensors(folder / _FILE)["popularity"])


fit, validate = ranking_system(learn, load)
