"""Systems whose score is a sum over the history: how much each item there speaks for another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from pydantic import Field
from scipy import sparse

from rec_core.data.seen import Seen
from rec_core.systems.ranking_parts import Phase, RankingParts
from rec_core.systems.ranking_system import CatalogueScores, RankingSystem
from rec_core.systems.ranking_task import RankingConfig
from rec_core.types import Dataset, History

Gram = Callable[[np.ndarray], np.ndarray]  # item numbers (C,) -> users shared with every item (C, I)


class ItemWeightConfig(RankingConfig):
    """What systems that sum over the history share."""

    read_valid_at_test: bool = Field(
        False, description="Let the test read each user's validation items too, as a running service would."
    )


class ItemWeightRanking(RankingSystem):
    """Score of item j = sum of weights[i, j] over the distinct items i of the history.

    Nothing is learned of users: known and unknown ones are scored by the history given, and the weights that
    were added up are the exact evidence. A known user with an empty history gets the order of popularity.

    Args:
        dataset: what it was trained on.
        popularity: (I,) training rows of each item.
        weights: (I, I) float32, rows speak for columns; sparse or dense.
        read_valid_at_test: whether `user_scores` reads validation items in the test.
    """

    def __init__(
        self, dataset: Dataset, popularity: np.ndarray, weights: Any, read_valid_at_test: bool = False
    ) -> None:
        super().__init__(dataset, popularity)
        self.weights = weights
        self._read_valid_at_test = read_valid_at_test

    def user_scores(self, parts: RankingParts, phase: Phase) -> CatalogueScores:
        """Return scores from the users' training items."""
        rows = parts.histories(phase if self._read_valid_at_test else "valid")
        taken = interaction_matrix((rows.indptr, rows.items), parts.n_items)

        def scores(user_nums: np.ndarray) -> torch.Tensor:
            return torch.from_numpy(self._sums(taken[np.asarray(user_nums)]))

        return scores

    def history_scores(self, history: History, user_num: int | None) -> np.ndarray:
        """Return the sum of the history's weights for every item (I,)."""
        if not len(history):
            return np.log1p(self.popularity)
        ends = np.array([0, len(history)])
        return self._sums(interaction_matrix((ends, history.item_nums), len(self.popularity)))[0]

    def relatedness(self, history: History, item_num: int) -> np.ndarray:
        """Return what each history item adds to the score (T,); a repeated item adds it once in all."""
        column = self.weights[:, [item_num]]
        values = column.toarray() if sparse.issparse(column) else column
        return values[history.item_nums, 0].astype(np.float64)

    def _sums(self, taken: sparse.csr_array) -> np.ndarray:
        total = taken @ self.weights
        return total.toarray() if sparse.issparse(total) else np.asarray(total)


def interaction_matrix(rows: Seen, n_items: int) -> sparse.csr_array:
    """Return who took what as ones (U, I) float32; repeats count once."""
    indptr, items = rows
    ones = np.ones(len(items), dtype=np.float32)
    matrix = sparse.csr_array((ones, items, indptr), shape=(len(indptr) - 1, n_items))
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix


def shared_users(parts: RankingParts) -> Gram:
    """Return the function that counts, for some items, the training users they share with every item."""
    taken = interaction_matrix(parts.seen, parts.n_items)
    by_item = taken.T.tocsr()

    def gram(item_nums: np.ndarray) -> np.ndarray:
        return (by_item[item_nums] @ taken).toarray()

    return gram
