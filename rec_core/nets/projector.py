"""The two-layer projector that maps text vectors into the behaviour space."""

from __future__ import annotations

import torch
from torch import nn


class Projector(nn.Module):
    """Linear, GELU, linear.

    Paper: RALLRec section 2.2.3, "a simple two-layer MLP"; width and activation are not stated there, so both
    are our choice (the hidden width is a setting, GELU between).

    Args:
        n_inputs: width of the text vectors.
        n_hidden: width between the layers.
        n_outputs: width of the behaviour vectors.
        generator: draws the initial values, uniform in +-1 / sqrt(fan-in).
    """

    def __init__(self, n_inputs: int, n_hidden: int, n_outputs: int, generator: torch.Generator) -> None:
        super().__init__()
        self.first = nn.Linear(n_inputs, n_hidden)
        self.second = nn.Linear(n_hidden, n_outputs)
        with torch.no_grad():
            for layer in (self.first, self.second):
                bound = layer.in_features**-0.5
                layer.weight.uniform_(-bound, bound, generator=generator)
                layer.bias.uniform_(-bound, bound, generator=generator)

    def forward(self, text: torch.Tensor) -> torch.Tensor:
        """Return projected vectors (I, D) of text vectors (I, n_inputs)."""
        return self.second(torch.nn.functional.gelu(self.first(text)))
