"""Systems whose score is user vector . item vector: learned users, and users folded in from a history."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from rec_core.store import read_tensors, write_tensors
from rec_core.systems.ranking_parts import Phase, RankingParts
from rec_core.systems.ranking_system import CatalogueScores, EmbeddingRankingSystem
from rec_core.types import Dataset, History

_FILE = "vectors.safetensors"
_UNSEEN_WEIGHT = 0.1  # how much an untouched item pulls a folded-in user towards a score of 0
_RIDGE = 0.1


class DotProductRanking(EmbeddingRankingSystem):
    """Score = user vector . item vector.

    A history without a known user becomes a vector by weighted ridge regression on the fixed item vectors:
    history items should score 1, all others 0 with a tenth of the weight.

    Paper: Hu, Koren and Volinsky (ICDM 2008), equation 4, the user step of implicit ALS; our choice for
    matrix factorisation and graph encoders, which have no way of their own for users unknown in training.

    Args:
        dataset: what it was trained on.
        folder: where `save_vectors` wrote.
        source: what made the vectors, for people.
    """

    def __init__(self, dataset: Dataset, folder: Path, source: str) -> None:
        tensors = read_tensors(folder / _FILE)
        super().__init__(dataset, tensors["popularity"], tensors["items"], source)
        self.users = tensors["users"]
        self._items = tensors["items"]
        self._known_user = tensors["known_users"].astype(bool)
        values = self._items.astype(np.float64)
        self._gram = _UNSEEN_WEIGHT * values.T @ values
        self._ridge = _RIDGE * max(float(np.trace(values.T @ values)) / values.shape[1], 1e-12)

    def user_scores(self, parts: RankingParts, phase: Phase) -> CatalogueScores:
        """Return scores from the learned user vectors."""
        return dot_product_scores(torch.from_numpy(self.users), torch.from_numpy(self._items))

    def history_scores(self, history: History, user_num: int | None) -> np.ndarray:
        """Return scores from the learned vector of a user seen in training, else of the folded-in history."""
        learned = user_num is not None and self._known_user[user_num]
        vector = self.users[user_num] if learned else self.fold_in(history)
        return self._items @ vector

    def fold_in(self, history: History) -> np.ndarray:
        """Return the vector (D,) of somebody with this history; zero for an empty one."""
        rows = self._items[np.unique(history.item_nums)].astype(np.float64)
        matrix = self._gram + (1 - _UNSEEN_WEIGHT) * rows.T @ rows + self._ridge * np.eye(rows.shape[1])
        return np.linalg.solve(matrix, rows.sum(axis=0)).astype(np.float32)


def save_vectors(folder: Path, users: torch.Tensor, items: torch.Tensor, parts: RankingParts) -> None:
    """Write user vectors (U, D), item vectors (I, D) and who and what was seen in training."""
    write_tensors(
        folder / _FILE,
        {
            "users": users.cpu().numpy().astype(np.float32),
            "items": items.cpu().numpy().astype(np.float32),
            "popularity": parts.popularity.astype(np.int64),
            "known_users": (np.diff(parts.seen[0]) > 0).astype(np.uint8),
        },
    )


def has_vectors(folder: Path) -> bool:
    """Tell whether `save_vectors` has written."""
    return (folder / _FILE).exists()


def dot_product_scores(users: torch.Tensor, items: torch.Tensor) -> CatalogueScores:
    """Return the function users (C,) -> users' vectors @ items' vectors, (C, I)."""

    def scores(user_nums: np.ndarray) -> torch.Tensor:
        return users[torch.from_numpy(np.asarray(user_nums, dtype=np.int64)).to(users.device)] @ items.T

    return scores
