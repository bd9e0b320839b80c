"""SGL: LightGCN that also sees two thinned copies of its graph, for a contrastive loss between them."""

from __future__ import annotations

from typing import Literal

import torch

from rec_core.nets.initial_table import Initial
from rec_core.nets.interaction_graph import InteractionGraph
from rec_core.nets.lightgcn import Combination, LightGCN

Dropout = Literal["edge", "node", "walk"]


class SGL(LightGCN):
    """LightGCN plus two augmented views.

    Paper: Self-supervised Graph Learning (SIGIR 2021), section 3.1: node dropout (equation 4), edge dropout
    (equation 5), random walk (equation 6: edge dropout drawn for every layer apart).

    Args:
        embedding_size: D.
        n_layers: L.
        graph: who touched what in training.
        generator: draws the initial values.
        dropout: what is dropped.
        drop_prob: chance of each edge (or node) to be dropped.
        initial: how vectors start.
        combination: "mean" or "sum" of the layers.
    """

    def __init__(
        self,
        embedding_size: int,
        n_layers: int,
        graph: InteractionGraph,
        generator: torch.Generator,
        dropout: Dropout = "edge",
        drop_prob: float = 0.1,
        initial: Initial = "normal",
        combination: Combination = "mean",
    ) -> None:
        super().__init__(embedding_size, n_layers, graph, generator, initial, combination)
        self.dropout: Dropout = dropout
        self.drop_prob = drop_prob
        self._copies: list[list[torch.Tensor | None]] = []

    def redraw(self, generator: torch.Generator) -> None:
        """Draw the two augmented graphs anew; called once per epoch (section 3.1)."""
        self._copies = [self._layers(generator) for _ in range(2)]

    def views(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the node vectors (U + I, D) seen through each of the two augmented graphs."""
        first, second = self._copies
        return self.propagate(first), self.propagate(second)

    def _layers(self, generator: torch.Generator) -> list[torch.Tensor | None]:
        if self.dropout == "walk":
            return [self._kept_edges(generator) for _ in range(self.n_layers)]
        draw = self._kept_edges if self.dropout == "edge" else self._edges_of_kept_nodes
        weights = draw(generator)
        return [weights for _ in range(self.n_layers)]

    def _kept_edges(self, generator: torch.Generator) -> torch.Tensor:
        return self.graph.normalised(self._stays(self.graph.n_edges, generator))

    def _edges_of_kept_nodes(self, generator: torch.Generator) -> torch.Tensor:
        users, items = self.graph.edges()
        stays_user = self._stays(self.graph.n_users, generator)
        stays_item = self._stays(self.graph.n_items, generator)
        return self.graph.normalised(stays_user[users] * stays_item[items])

    def _stays(self, n: int, generator: torch.Generator) -> torch.Tensor:
        draws = torch.rand(n, generator=generator, device=generator.device)
        return (draws >= self.drop_prob).to(torch.float32)
