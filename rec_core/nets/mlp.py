"""Dense layers with dropout before and ReLU after each."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from rec_core.nets.dropout import Dropout


class MLP(nn.Module):
    """Dropout, linear map, optional batch normalisation, ReLU; as often as there are hidden sizes.

    Args:
        n_inputs: width of the input.
        hidden_sizes: width of each layer.
        dropout: probability of zeroing an input of a layer, the first layer's included (as RecBole 1.2.1).
        generator: draws the weights, Xavier normal; biases start at zero.
        batch_norm: normalise before the ReLU (DCN).
    """

    def __init__(
        self,
        n_inputs: int,
        hidden_sizes: Sequence[int],
        dropout: float,
        generator: torch.Generator,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        self.n_outputs = hidden_sizes[-1] if hidden_sizes else n_inputs
        layers: list[nn.Module] = []
        for wide, narrow in zip([n_inputs, *hidden_sizes], hidden_sizes, strict=False):
            layers += [Dropout(dropout)] if dropout else []
            layers.append(linear(wide, narrow, generator))
            layers += [nn.BatchNorm1d(narrow)] if batch_norm else []
            layers.append(nn.ReLU(inplace=True))
        self.layers = nn.Sequential(*layers)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return (B, last hidden size) from (B, inputs)."""
        return self.layers(inputs)


def linear(n_inputs: int, n_outputs: int, generator: torch.Generator, bias: bool = True) -> nn.Linear:
    """Return a linear map with Xavier normal weights and zero bias."""
    layer = nn.Linear(n_inputs, n_outputs, bias=bias)
    nn.init.xavier_normal_(layer.weight, generator=generator)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer
