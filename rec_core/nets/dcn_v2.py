"""DCN-v2: cross layers with a full matrix each, under or beside dense layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import nn

from rec_core.nets.field_embedding import FieldBatch, FieldEmbedding, FieldNet, FieldSizes
from rec_core.nets.mlp import MLP, linear

Structure = Literal["stacked", "parallel"]


class DCNv2(FieldNet):
    """Cross layers x_{l+1} = x_0 * (W_l x_l + b_l) + x_l and an MLP, one after the other or side by side.

    Paper: DCN-v2 (WWW 2021), equations 1 and 3-4 (figure 1).
    Differs from RecBole 1.2.1: there the matrices start standard normal, here Xavier normal.

    Args:
        sizes: codes of the fields.
        embedding_size: D.
        hidden_sizes: layers of the deep part.
        n_cross_layers: L.
        dropout: probability, before every hidden layer.
        generator: draws the weights.
        structure: "stacked" feeds x_L to the MLP; "parallel" puts both under one linear map.
    """

    def __init__(
        self,
        sizes: FieldSizes,
        embedding_size: int,
        hidden_sizes: Sequence[int],
        n_cross_layers: int,
        dropout: float,
        generator: torch.Generator,
        structure: Structure = "stacked",
    ) -> None:
        super().__init__()
        self.fields = FieldEmbedding(sizes, embedding_size, generator, first_order=False)
        width = self.fields.width
        self.cross = nn.ModuleList(linear(width, width, generator) for _ in range(n_cross_layers))
        self.mlp = MLP(width, hidden_sizes, dropout, generator, batch_norm=True)
        self._parallel = structure == "parallel"
        self.output = linear(self.mlp.n_outputs + width * self._parallel, 1, generator)

    def forward(self, batch: FieldBatch) -> torch.Tensor:
        """Return logits (B,)."""
        inputs = self.fields(batch).flatten(1)
        crossed = self.crossed(inputs)
        last = torch.cat([crossed, self.mlp(inputs)], dim=1) if self._parallel else self.mlp(crossed)
        return self.output(last).squeeze(1)

    def crossed(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return x_L (B, E) from x_0 (B, E)."""
        crossed = inputs
        for layer in self.cross:
            crossed = torch.addcmul(crossed, inputs, layer(crossed))
        return crossed
