"""LightGCN: user and item vectors smoothed over the interaction graph, nothing else."""

from __future__ import annotations

from typing import Literal

import torch

from rec_core.nets.initial_table import Initial
from rec_core.nets.interaction_graph import InteractionGraph
from rec_core.nets.matrix_factorisation import MatrixFactorisation

Combination = Literal["mean", "sum"]


class LightGCN(MatrixFactorisation):
    """Vectors propagated over the normalised bipartite graph; the output is the mean (or sum) over layers.

    Paper: LightGCN (SIGIR 2020), equations 3-4 and 8 with alpha_k = 1 / (L + 1); named by RALLRec section 3.2
    as the source of its collaborative embeddings. RLMRec's base model sums the layers and drops entries of
    the adjacency at every step without rescaling the rest: `combination="sum"`, `keep_prob=0.8`.

    Args:
        embedding_size: D.
        n_layers: L; 0 is plain matrix factorisation.
        graph: who touched what in training.
        generator: draws the initial values.
        initial: how.
        combination: "mean" or "sum" of layers 0..L.
        keep_prob: chance of each directed entry to stay, drawn anew at every training step; the two
            directions of an edge are drawn apart. 1 keeps all.
    """

    def __init__(
        self,
        embedding_size: int,
        n_layers: int,
        graph: InteractionGraph,
        generator: torch.Generator,
        initial: Initial = "normal",
        combination: Combination = "mean",
        keep_prob: float = 1.0,
    ) -> None:
        super().__init__(graph.n_users, graph.n_items, embedding_size, generator, initial)
        self.graph = graph
        self.n_layers = n_layers
        self.keep_prob = keep_prob
        self._divisor = n_layers + 1 if combination == "mean" else 1

    def forward(self) -> torch.Tensor:
        """Return propagated node vectors (U + I, D), users first."""
        weights = self._thinned() if self.training and self.keep_prob < 1 else None
        return self.propagate([weights] * self.n_layers)

    def propagate(self, weights: list[torch.Tensor | None]) -> torch.Tensor:
        """Return node vectors (U + I, D) after one layer per entry of `weights` (None: the whole graph)."""
        layer: torch.Tensor = self.embedding
        total = layer
        for entry_weights in weights:
            layer = self.graph.product(layer, entry_weights)
            total = total + layer
        return total / self._divisor if self._divisor > 1 else total

    def _thinned(self) -> torch.Tensor:
        weights = self.graph.weights
        return weights * (torch.rand_like(weights) < self.keep_prob)
