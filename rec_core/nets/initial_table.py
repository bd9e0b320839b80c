"""Starting values of an embedding table."""

from __future__ import annotations

from typing import Literal

import torch

Initial = Literal["normal", "xavier_normal", "xavier_uniform"]


def initial_table(n_rows: int, width: int, how: Initial, generator: torch.Generator) -> torch.Tensor:
    """Return (n_rows, width) float32.

    Args:
        n_rows: rows of the table.
        width: D.
        how: "normal" has standard deviation 0.1 (LightGCN's authors); the Xavier forms have variance
            2 / (n_rows + width) (Glorot and Bengio 2010), so that large tables start smaller.
        generator: draws the values.
    """
    if how == "normal":
        return torch.randn(n_rows, width, generator=generator) * 0.1
    spread = (2 / (n_rows + width)) ** 0.5
    if how == "xavier_normal":
        return torch.randn(n_rows, width, generator=generator) * spread
    return (torch.rand(n_rows, width, generator=generator) * 2 - 1) * spread * 3**0.5
