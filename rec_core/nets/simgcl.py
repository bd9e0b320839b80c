"""SimGCL: LightGCN with two noisy copies of its vectors instead of two thinned graphs."""

from __future__ import annotations

import torch

from rec_core.nets.initial_table import Initial
from rec_core.nets.interaction_graph import InteractionGraph
from rec_core.nets.lightgcn import Combination, LightGCN


class SimGCL(LightGCN):
    """LightGCN plus two views in which every layer's vectors are nudged by a random vector of length eps.

    Paper: SimGCL (SIGIR 2022), equations 7-9: the nudge has length eps and the signs of the vector it is
    added to.
    Differs from authors' code: layer 0 stays in the combination, as in equation 9 of LightGCN's form and in
    RLMRec's base model; the authors' code leaves it out.

    Args:
        embedding_size: D.
        n_layers: L.
        graph: who touched what in training.
        generator: draws the initial values.
        eps: length of the nudge.
        initial: how vectors start.
        combination: "mean" or "sum" of the layers.
    """

    def __init__(
        self,
        embedding_size: int,
        n_layers: int,
        graph: InteractionGraph,
        generator: torch.Generator,
        eps: float = 0.1,
        initial: Initial = "normal",
        combination: Combination = "mean",
    ) -> None:
        super().__init__(embedding_size, n_layers, graph, generator, initial, combination)
        self.eps = eps

    def redraw(self, generator: torch.Generator) -> None:
        """Keep the generator that draws the noise; called once per epoch."""
        self._generator = generator

    def views(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return two noisy versions of the node vectors (U + I, D), drawn anew at every call."""
        return self._noisy(), self._noisy()

    def _noisy(self) -> torch.Tensor:
        layer: torch.Tensor = self.embedding
        total = layer
        for _ in range(self.n_layers):
            layer = self.graph.product(layer)
            noise = torch.rand(layer.shape, generator=self._generator, device=layer.device)
            layer = layer + torch.sign(layer) * torch.nn.functional.normalize(noise, dim=1) * self.eps
            total = total + layer
        return total / self._divisor if self._divisor > 1 else total
