"""iALS: weighted matrix factorisation of who took what, by alternating exact regressions.

Every pair counts: taken ones should score 1 with confidence `alpha`, all others 0 with confidence 1. Held
fixed, either side's vectors are small ridge regressions, and the sum over all untaken items is one D x D
matrix for everybody, so no negatives are sampled.

Paper: Hu, Koren and Volinsky, Collaborative Filtering for Implicit Feedback Datasets (ICDM 2008), equations
3 to 5; solved with conjugate gradients (Takacs, Pilaszy and Tikk, RecSys 2011) by the library `implicit`.
Differs from paper: a taken item has confidence `alpha`, not 1 + alpha (the library's definition), and repeats
count once. After the last round the user vectors are solved once more, exactly, from the final item vectors:
so a known user is scored as somebody unknown with the same history.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from pydantic import Field
from scipy import sparse

from rec_core.config import Between, OneOf, Range
from rec_core.processes import is_main
from rec_core.seeding import numpy_generator
from rec_core.systems.dot_product import DotProductRanking, has_vectors, save_vectors
from rec_core.systems.item_weights import interaction_matrix
from rec_core.systems.ranking_parts import RankingParts
from rec_core.systems.ranking_run import ranking_system
from rec_core.systems.ranking_task import RankingConfig
from rec_core.types import Dataset, History, Progress, ProgressEvent


class IALSConfig(RankingConfig):
    """The factorisation and its weights."""

    embedding_size: int = Field(64, ge=1, le=1024, description="Factors D of user and item vectors.")
    reg: float = Field(10.0, gt=0, le=1e6, description="L2 weight of every vector.")
    alpha: float = Field(1.0, ge=1, le=1e6, description="Confidence of a taken item; an untaken one has 1.")
    iterations: int = Field(15, ge=1, le=1000, description="Rounds over users and items.")

    @classmethod
    def search_space(cls) -> dict[str, Range]:
        """Return the ranges worth searching."""
        return {
            "embedding_size": OneOf((16, 32, 64, 128)),
            "reg": Between(0.1, 1000.0, log=True),
            "alpha": Between(1.0, 100.0, log=True),
            "iterations": Between(5, 30),
        }


class IALS(DotProductRanking):
    """Score = user vector . item vector; anybody's vector is the exact regression on their history."""

    def __init__(self, dataset: Dataset, config: IALSConfig, folder: Path) -> None:
        super().__init__(dataset, folder, "iALS on training pairs")
        self._alpha, self._reg = config.alpha, config.reg
        self._products = _products(self._items)

    def fold_in(self, history: History) -> np.ndarray:
        """Return the vector (D,) of somebody with this history: equation 4; zero for an empty one."""
        return solve_user(self._items[np.unique(history.item_nums)], self._products, self._alpha, self._reg)


def solve_user(taken: np.ndarray, products: np.ndarray, alpha: float, reg: float) -> np.ndarray:
    """Return x = (Y'Y + (alpha - 1) Y_t'Y_t + reg I)^-1 alpha Y_t'1 as (D,) float32, in float64.

    Args:
        taken: (T, D) Y_t, vectors of the distinct items taken.
        products: (D, D) float64 Y'Y of the whole catalogue.
        alpha: confidence of a taken item.
        reg: L2 weight, above 0.
    """
    rows = taken.astype(np.float64)
    matrix = products + (alpha - 1) * rows.T @ rows + reg * np.eye(len(products))
    return np.linalg.solve(matrix, alpha * rows.sum(axis=0)).astype(np.float32)


def learn(parts: RankingParts, config: IALSConfig, folder: Path, seed: int, progress: Progress) -> None:
    """Factorise and write the vectors, unless they are there already."""
    if has_vectors(folder) or not is_main():
        return
    users, items = _factorise(parts, config, seed, progress)
    save_vectors(folder, torch.from_numpy(users), torch.from_numpy(items), parts)


def load(dataset: Dataset, config: IALSConfig, folder: Path) -> IALS:
    """Open a trained run."""
    return IALS(dataset, config, folder)


fit, validate = ranking_system(learn, load)


def _factorise(
    parts: RankingParts, config: IALSConfig, seed: int, progress: Progress
) -> tuple[np.ndarray, np.ndarray]:
    """Return user (U, D) and item vectors (I, D) float32, the same for a seed at any number of threads."""
    from implicit.cpu.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    def report(done: int, _seconds: float, _loss: float | None) -> None:
        progress(ProgressEvent("ials", done + 1, config.iterations))

    taken = sparse.csr_matrix(interaction_matrix(parts.seen, parts.n_items))
    with threadpool_limits(1, "blas"):  # the library's own threads solve the rows
        model = AlternatingLeastSquares(
            factors=config.embedding_size,
            regularization=config.reg,
            alpha=config.alpha,
            iterations=config.iterations,
            num_threads=config.n_threads,
            random_state=numpy_generator(seed, "ials"),
        )
        model.fit(taken, show_progress=False, callback=report)
        users = model.recalculate_user(np.arange(parts.n_users), taken)
    return users, np.asarray(model.item_factors)


def _products(items: np.ndarray) -> np.ndarray:
    values = items.astype(np.float64)
    return values.T @ values
