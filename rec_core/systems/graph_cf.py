"""Graph collaborative filtering: LightGCN, SGL and SimGCL, one field apart.

Paper: LightGCN (SIGIR 2020); SGL: Self-supervised Graph Learning for Recommendation (SIGIR 2021); SimGCL: Are
Graph Augmentations Necessary? (SIGIR 2022). The `paper` preset holds each encoder's published settings, on
RLMRec's matrices those of its base models (`graph_cf_papers`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from pydantic import Field

from rec_core.config import Between, Config, OneOf, Range
from rec_core.nets.initial_table import Initial
from rec_core.nets.lightgcn import Combination, LightGCN
from rec_core.nets.matrix_factorisation import MatrixFactorisation
from rec_core.nets.sgl import SGL, Dropout
from rec_core.nets.simgcl import SimGCL
from rec_core.objectives.graph_contrast import GraphContrast
from rec_core.objectives.pairwise_ranking import PairwiseRanking, Penalty
from rec_core.objectives.unseen_sampler import UnseenSampler
from rec_core.systems.dot_product import DotProductRanking
from rec_core.systems.graph_cf_papers import Encoder, published
from rec_core.systems.pairwise_training import learn_vectors, training_graph
from rec_core.systems.ranking_parts import RankingParts
from rec_core.systems.ranking_run import ranking_system
from rec_core.systems.ranking_task import RankingConfig
from rec_core.training.loop import LoopConfig
from rec_core.types import Dataset, Progress


class ContrastConfig(Config):
    """The self-supervised part of SGL and SimGCL.

    The defaults are gentler than the papers' (weight 0.1 and more, temperature 0.2): on a small, dense
    dataset such as MovieLens 100K those spread the vectors before BPR can order them, and training stops.
    """

    weight: float = Field(0.05, ge=0, description="Weight of the contrastive loss beside BPR.")
    temperature: float = Field(0.5, gt=0, description="Divides the cosines.")
    dropout: Dropout = Field("edge", description="SGL: what the two views lack.")
    drop_prob: float = Field(0.1, ge=0, lt=1, description="SGL: chance of an edge (or node) to be dropped.")
    eps: float = Field(0.1, ge=0, description="SimGCL: length of the noise added after every layer.")


class GraphCFConfig(RankingConfig):
    """A graph encoder and its training."""

    variant: ClassVar[str] = "encoder"
    encoder: Encoder = Field("lightgcn", description="Which encoder.")
    embedding_size: int = Field(64, ge=2, le=1024, description="Width D of user and item vectors.")
    n_layers: int = Field(2, ge=0, le=8, description="Propagation steps over the graph.")
    combination: Combination = Field("mean", description="How layers become one vector.")
    initial: Initial = Field("xavier_uniform", description="How vectors start.")
    keep_prob: float = Field(
        1.0, gt=0, le=1, description="LightGCN: chance of each directed edge to stay in a training step."
    )
    contrast: ContrastConfig = Field(ContrastConfig(), description="SGL's and SimGCL's second loss.")
    batch_size: int = Field(2048, ge=1, description="Training pairs per step.")
    reg: float = Field(1e-5, ge=0, description="L2 weight.")
    penalty: Penalty = Field(
        "rows", description="What the L2 weighs: looked-up layer-0 rows, or all of them."
    )
    loop: LoopConfig = Field(
        LoopConfig(epochs=500, learning_rate=1e-3, evaluate_every=1, patience=50),
        description="Epochs and optimiser.",
    )

    @classmethod
    def _preset_values(cls, name: str, data: str, variant: str) -> dict[str, Any]:
        if name == "tiny":
            return {"embedding_size": 16, "loop.epochs": 30, "loop.learning_rate": 1e-2, "batch_size": 512}
        if name == "paper":
            return published(variant, data)
        return {}

    @classmethod
    def search_space(cls) -> dict[str, Range]:
        """Return the ranges worth searching; each encoder has some of its own."""
        contrastive = {"encoder": ("sgl", "simgcl")}
        return {
            "embedding_size": OneOf((32, 64, 128)),
            "n_layers": Between(1, 4),
            "loop.learning_rate": Between(1e-4, 1e-2, log=True),
            "reg": Between(1e-7, 1e-2, log=True),
            "keep_prob": Between(0.5, 1.0, when={"encoder": ("lightgcn",)}),
            "contrast.weight": Between(0.005, 1.0, log=True, when=contrastive),
            "contrast.temperature": Between(0.05, 1.0, log=True, when=contrastive),
            "contrast.drop_prob": Between(0.05, 0.5, when={"encoder": ("sgl",)}),
            "contrast.eps": Between(0.01, 0.5, log=True, when={"encoder": ("simgcl",)}),
        }


def learn(parts: RankingParts, config: GraphCFConfig, folder: Path, seed: int, progress: Progress) -> None:
    """Train and write the propagated vectors."""

    def make_net(generator: torch.Generator) -> LightGCN:
        size, depth, graph = config.embedding_size, config.n_layers, training_graph(parts)
        initial, combination, contrast = config.initial, config.combination, config.contrast
        if config.encoder == "sgl":
            return SGL(
                size, depth, graph, generator, contrast.dropout, contrast.drop_prob, initial, combination
            )
        if config.encoder == "simgcl":
            return SimGCL(size, depth, graph, generator, contrast.eps, initial, combination)
        return LightGCN(size, depth, graph, generator, initial, combination, config.keep_prob)

    def make_objective(
        net: MatrixFactorisation, users: np.ndarray, items: np.ndarray, sampler: UnseenSampler
    ) -> PairwiseRanking:
        common = (users, items, sampler, config.batch_size, config.reg, config.penalty)
        if isinstance(net, SGL | SimGCL):
            return GraphContrast(net, *common, config.contrast.weight, config.contrast.temperature)
        return PairwiseRanking(net, *common)

    learn_vectors(parts, make_net, make_objective, config.loop, folder, seed, config.encoder, progress)


def load(dataset: Dataset, config: GraphCFConfig, folder: Path) -> DotProductRanking:
    """Open a trained run."""
    return DotProductRanking(dataset, folder, f"{config.encoder} on training pairs")


fit, validate = ranking_system(learn, load)
