"""BPR-MF: user and item vectors learned from pairs of a taken and an untaken item.

Paper: Rendle et al., BPR: Bayesian Personalized Ranking from Implicit Feedback (UAI 2009), sections 4.2 and
4.3.1.
Differs from paper: Adam instead of plain stochastic gradient descent, every pair once per epoch instead of
draws with replacement, no item biases; as in the libraries the field compares with.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from rec_core.config import Between, OneOf, Range
from rec_core.nets.initial_table import Initial
from rec_core.nets.matrix_factorisation import MatrixFactorisation
from rec_core.objectives.pairwise_ranking import PairwiseRanking
from rec_core.systems.dot_product import DotProductRanking
from rec_core.systems.pairwise_training import learn_vectors
from rec_core.systems.ranking_parts import RankingParts
from rec_core.systems.ranking_run import ranking_system
from rec_core.systems.ranking_task import RankingConfig
from rec_core.training.loop import LoopConfig
from rec_core.types import Dataset, Progress

_STAGE = "matrix factorisation"


class MatrixFactorisationConfig(RankingConfig):
    """BPR-MF and its training."""

    embedding_size: int = Field(64, ge=2, le=1024, description="Width D of user and item vectors.")
    initial: Initial = Field("xavier_normal", description="How vectors start.")
    batch_size: int = Field(2048, ge=1, description="Training pairs per step.")
    reg: float = Field(0.0, ge=0, description="L2 weight of the looked-up rows.")
    loop: LoopConfig = Field(
        LoopConfig(epochs=300, learning_rate=1e-3, evaluate_every=1, patience=30),
        description="Epochs and optimiser.",
    )

    @classmethod
    def _preset_values(cls, name: str, data: str, variant: str) -> dict[str, Any]:
        if name == "tiny":
            return {"embedding_size": 16, "loop.epochs": 30, "loop.learning_rate": 1e-2, "batch_size": 512}
        return {}

    @classmethod
    def search_space(cls) -> dict[str, Range]:
        """Return the ranges worth searching."""
        return {
            "embedding_size": OneOf((32, 64, 128, 256)),
            "loop.learning_rate": Between(1e-4, 1e-2, log=True),
            "reg": Between(1e-7, 1e-2, log=True),
            "batch_size": OneOf((512, 1024, 2048, 4096)),
        }


def learn(
    parts: RankingParts, config: MatrixFactorisationConfig, folder: Path, seed: int, progress: Progress
) -> None:
    """Train and write the vectors."""
    learn_vectors(
        parts,
        lambda generator: MatrixFactorisation(
            parts.n_users, parts.n_items, config.embedding_size, generator, config.initial
        ),
        lambda net, users, items, sampler: PairwiseRanking(
            net, users, items, sampler, config.batch_size, config.reg
        ),
        config.loop,
        folder,
        seed,
        _STAGE,
        progress,
    )


def load(dataset: Dataset, config: MatrixFactorisationConfig, folder: Path) -> DotProductRanking:
    """Open a trained run."""
    return DotProductRanking(dataset, folder, "BPR matrix factorisation on training pairs")


fit, validate = ranking_system(learn, load)
