"""Deep & Cross Network: bounded-degree products of inputs by rank-one layers, beside dense layers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from rec_core.nets.field_embedding import FieldBatch, FieldEmbedding, FieldNet, FieldSizes
from rec_core.nets.mlp import MLP, linear


class DCN(FieldNet):
    """Cross layers and an MLP over the same vectors, side by side under one linear map.

    Paper: DCN (ADKDD 2017), equations 1-3 and 5; batch normalisation in the deep part as in its section 4.2.

    Args:
        sizes: codes of the fields.
        embedding_size: D.
        hidden_sizes: layers of the deep part.
        n_cross_layers: L.
        dropout: probability, before every hidden layer.
        generator: draws the weights.
    """

    def __init__(
        self,
        sizes: FieldSizes,
        embedding_size: int,
        hidden_sizes: Sequence[int],
        n_cross_layers: int,
        dropout: float,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.fields = FieldEmbedding(sizes, embedding_size, generator, first_order=False)
        self.cross = RankOneCross(self.fields.width, n_cross_layers, generator)
        self.mlp = MLP(self.fields.width, hidden_sizes, dropout, generator, batch_norm=True)
        self.output = linear(self.fields.width + self.mlp.n_outputs, 1, generator)

    def forward(self, batch: FieldBatch) -> torch.Tensor:
        """Return logits (B,)."""
        inputs = self.fields(batch).flatten(1)
        crossed, deep = self.output.weight.split([self.fields.width, self.mlp.n_outputs], dim=1)
        explicit = self.cross.project(inputs, crossed.squeeze(0))
        return explicit + nn.functional.linear(self.mlp(inputs), deep, self.output.bias).squeeze(1)

    def penalised(self) -> list[torch.Tensor]:
        """Return the weights of each cross layer (RecBole 1.2.1 weighs the sum of their norms by 2)."""
        return list(self.cross.weight.unbind())


class RankOneCross(nn.Module):
    """x_{l+1} = x_0 (x_l . w_l) + b_l + x_l.

    Every x_l is a multiple of x_0 plus a constant vector: x_l = c_l x_0 + s_l with s_l = b_0 + ... + b_{l-1},
    c_0 = 1 and c_{l+1} = c_l + c_l (x_0 . w_l) + s_l . w_l. So all layers cost one product of x_0 with L
    vectors and L numbers per row, not L passes over (B, E).

    Paper: DCN, equation 3; weights start standard normal, biases at zero (as RecBole 1.2.1).

    Args:
        width: E.
        n_layers: L.
        generator: draws the weights.
    """

    def __init__(self, width: int, n_layers: int, generator: torch.Generator) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_layers, width, generator=generator))
        self.bias = nn.Parameter(torch.zeros(n_layers, width))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return x_L (B, E) from x_0 (B, E)."""
        factors = self._factors(inputs @ self.weight.T)
        return factors.unsqueeze(1) * inputs + self.bias.sum(dim=0)

    def project(self, inputs: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
        """Return x_L . direction (B,) without making x_L."""
        dots = inputs @ torch.cat([self.weight, direction.unsqueeze(0)]).T
        return self._factors(dots[:, :-1]) * dots[:, -1] + self.bias.sum(dim=0) @ direction

    def _factors(self, dots: torch.Tensor) -> torch.Tensor:
        """Return c_L (B,) from x_0 . w_l (B, L)."""
        before = self.bias.cumsum(dim=0) - self.bias  # s_l
        constants = (before * self.weight).sum(dim=1).unbind()
        factors = torch.ones_like(dots[:, 0]) if len(constants) else dots.new_ones(len(dots))
        for dot, constant in zip(dots.unbind(1), constants, strict=True):
            factors = factors + factors * dot + constant
        return factors
