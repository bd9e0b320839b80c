"""AMP-CF: attentive multi-persona collaborative filtering.

A user is several personas; for each candidate an attention decides who of them speaks, and the persona with
the largest say is the explanation of the recommendation.

Paper: Barkan, Fuchs, Caciularu and Koenigstein, Explainable Recommendations via Attentive Multi-Persona
Collaborative Filtering (RecSys 2020). The equations follow public re-implementations (see `nets.amp_cf`).
Differs from paper: users unknown in training, of whom the paper does not speak, get one persona for each
group of like items in their history (`systems.persona_fold_in`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field

from rec_core.config import Between, OneOf, Range
from rec_core.metrics.taste_distance import taste_distance
from rec_core.nets.amp_cf import AMPCF, Attention
from rec_core.nets.initial_table import Initial
from rec_core.objectives.persona_choice import PersonaChoice
from rec_core.objectives.unseen_sampler import UnseenSampler
from rec_core.processes import is_main
from rec_core.seeding import torch_generator
from rec_core.store import read_tensors, write_tensors
from rec_core.systems.pairwise_training import training_device
from rec_core.systems.persona_fold_in import fold_in_personas
from rec_core.systems.ranking_parts import Phase, RankingParts
from rec_core.systems.ranking_run import ranking_system, watch
from rec_core.systems.ranking_system import CatalogueScores, EmbeddingRankingSystem
from rec_core.systems.ranking_task import RankingConfig
from rec_core.training.loop import LoopConfig, run_epochs
from rec_core.types import Dataset, History, Progress

_STAGE = "amp_cf"
_FILE = "personas.safetensors"


class AMPCFConfig(RankingConfig):
    """AMP-CF and its training."""

    n_personas: int = Field(4, ge=1, le=32, description="Personas K of every user.")
    embedding_size: int = Field(64, ge=2, le=1024, description="Width D of persona and item vectors.")
    attention: Attention = Field(
        "dot", description="What makes a persona speak for a candidate: p . q, or a cosine of projections."
    )
    temperature: float = Field(1.0, gt=0, le=10, description="Divides the cosines of the attention.")
    positive_entropy_weight: float = Field(
        0.0, ge=0, description="Push towards one persona for what was taken."
    )
    negative_entropy_weight: float = Field(
        0.0, ge=0, description="Push towards an even mix for what was drawn."
    )
    n_negatives: int = Field(4, ge=1, le=1000, description="Drawn items beside each training pair.")
    initial: Initial = Field("normal", description="How vectors start.")
    batch_size: int = Field(2048, ge=1, description="Training pairs per step.")
    reg: float = Field(1e-3, ge=0, description="L2 weight of the looked-up rows.")
    loop: LoopConfig = Field(
        LoopConfig(epochs=100, learning_rate=3e-3, evaluate_every=2, patience=5),
        description="Epochs and optimiser.",
    )

    @classmethod
    def _preset_values(cls, name: str, data: str, variant: str) -> dict[str, Any]:
        if name == "tiny":
            return {"embedding_size": 16, "loop.epochs": 30, "loop.learning_rate": 1e-2, "batch_size": 512}
        if name == "paper":
            return {"attention": "cosine"}
        return {}

    @classmethod
    def search_space(cls) -> dict[str, Range]:
        """Return the ranges worth searching."""
        return {
            "n_personas": Between(2, 8),
            "embedding_size": OneOf((32, 64, 128)),
            "temperature": Between(0.05, 1.0, log=True, when={"attention": ("cosine",)}),
            "positive_entropy_weight": Between(1e-4, 1.0, log=True),
            "negative_entropy_weight": Between(1e-4, 1.0, log=True),
            "n_negatives": Between(1, 8),
            "loop.learning_rate": Between(1e-4, 1e-2, log=True),
            "reg": Between(1e-7, 1e-2, log=True),
        }


class AMPCFRanking(EmbeddingRankingSystem):
    """Score = mixture of personas . item + bias; every recommendation names the persona that carried it.

    Args:
        dataset: what it was trained on.
        config: shape of the net.
        folder: where `learn` wrote.
    """

    def __init__(self, dataset: Dataset, config: AMPCFConfig, folder: Path) -> None:
        tensors = read_tensors(folder / _FILE)
        popularity, self._known_user = tensors.pop("popularity"), tensors.pop("known_users").astype(bool)
        super().__init__(dataset, popularity, tensors["items"], "AMP-CF on training pairs")
        self.net = _net(config, len(self._known_user), len(popularity), torch.Generator())
        self.net.eval().requires_grad_(False)
        self.net.load_state_dict({name: torch.from_numpy(value) for name, value in tensors.items()})
        learned = self.net.personas[torch.from_numpy(self._known_user)]
        self._length = float(learned.unflatten(1, (self.net.n_personas, -1)).norm(dim=-1).mean())

    def user_scores(self, parts: RankingParts, phase: Phase) -> CatalogueScores:
        """Return scores from the learned personas."""
        return persona_scores(self.net)

    def history_scores(self, history: History, user_num: int | None) -> np.ndarray:
        """Return scores from the learned personas of a user seen in training, else of the history's."""
        if self._is_nobody(history, user_num):
            return np.log1p(self.popularity)
        return self.net.catalogue(self._personas_of(history, user_num)[None])[0][0].numpy()

    def personas(self, history: History, item_num: int, user_num: int | None = None) -> np.ndarray:
        """Return how much each persona speaks for an item (K,) float64, summing to 1."""
        return self._weights(history, np.array([item_num]), user_num)[0]

    def taste_distance(self, history: History, item_nums: np.ndarray, user_num: int | None = None) -> float:
        """Return how far the personas that speak for a list are from those of the history, 0..1."""
        sides = (self._weights(history, nums, user_num) for nums in (history.item_nums, item_nums))
        return taste_distance(*sides)

    def parts(self, history: History, item_num: int, user_num: int | None, score: float) -> dict[str, float]:
        """Return the score, the persona that carried it (from 0), its weight and the item's bias."""
        if self._is_nobody(history, user_num):
            return {"score": score}
        weights = self.personas(history, item_num, user_num)
        carrier = int(weights.argmax())
        return {
            "score": score,
            "persona": float(carrier),
            "persona_weight": float(weights[carrier]),
            "bias": float(self.net.bias[item_num]),
        }

    def _weights(self, history: History, item_nums: np.ndarray, user_num: int | None) -> np.ndarray:
        """Return persona weights (C, K) of items."""
        _, weights = self.net.catalogue(self._personas_of(history, user_num)[None])
        return weights[0].double().numpy()[:, item_nums].T

    def _is_nobody(self, history: History, user_num: int | None) -> bool:
        return not len(history) and (user_num is None or not self._known_user[user_num])

    def _personas_of(self, history: History, user_num: int | None) -> torch.Tensor:
        """Return personas (K, D)."""
        if user_num is not None and self._known_user[user_num]:
            return self.net.personas_of(torch.tensor([user_num]))[0]
        vectors = self.view.values[np.unique(history.item_nums)]
        return torch.from_numpy(fold_in_personas(vectors, self.net.n_personas, self._length))


def persona_scores(net: AMPCF) -> CatalogueScores:
    """Return the function users (C,) -> scores (C, I) of their learned personas."""

    def scores(user_nums: np.ndarray) -> torch.Tensor:
        users = torch.from_numpy(np.asarray(user_nums, dtype=np.int64)).to(net.items.device)
        with torch.no_grad():
            return net.catalogue(net.personas_of(users))[0]

    return scores


def learn(parts: RankingParts, config: AMPCFConfig, folder: Path, seed: int, progress: Progress) -> None:
    """Train and write the net, unless it is there already."""
    if (folder / _FILE).exists():
        return
    device = training_device()
    generator = torch_generator(seed, _STAGE, "weights")
    net = _net(config, parts.n_users, parts.n_items, generator).to(device)
    objective = PersonaChoice(
        net,
        *parts.train_pairs,
        UnseenSampler(parts.seen, parts.n_items, device),
        config.n_negatives,
        config.batch_size,
        config.reg,
        config.positive_entropy_weight,
        config.negative_entropy_weight,
    )
    look = watch(parts, lambda: persona_scores(net))
    run_epochs(objective, config.loop, folder / "checkpoints", seed, _STAGE, progress, look)
    if is_main():
        seen = {
            "popularity": parts.popularity.astype(np.int64),
            "known_users": (np.diff(parts.seen[0]) > 0).astype(np.uint8),
        }
        weights = {name: value.cpu().numpy() for name, value in net.state_dict().items()}
        write_tensors(folder / _FILE, weights | seen)


def load(dataset: Dataset, config: AMPCFConfig, folder: Path) -> AMPCFRanking:
    """Open a trained run."""
    return AMPCFRanking(dataset, config, folder)


fit, validate = ranking_system(learn, load)


def _net(config: AMPCFConfig, n_users: int, n_items: int, generator: torch.Generator) -> AMPCF:
    return AMPCF(
        n_users,
        n_items,
        config.n_personas,
        config.embedding_size,
        generator,
        config.attention,
        config.temperature,
        config.initial,
    )
