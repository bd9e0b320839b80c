"""Matrix factorisation: one vector per user and item, scored by their dot product."""

from __future__ import annotations

import torch
from torch import nn

from rec_core.nets.initial_table import Initial, initial_table


class MatrixFactorisation(nn.Module):
    """User and item vectors in one table, users first, so that a batch is one gather.

    Paper: BPR (UAI 2009), section 4.3.1, without item biases.

    Args:
        n_users: U.
        n_items: I.
        embedding_size: D.
        generator: draws the initial values.
        initial: how; each of the two tables by its own size.
    """

    def __init__(
        self,
        n_users: int,
        n_items: int,
        embedding_size: int,
        generator: torch.Generator,
        initial: Initial = "normal",
    ) -> None:
        super().__init__()
        self.n_users = n_users
        tables = [initial_table(n, embedding_size, initial, generator) for n in (n_users, n_items)]
        self.embedding = nn.Parameter(torch.cat(tables))

    def forward(self) -> torch.Tensor:
        """Return the node vectors (U + I, D), users first."""
        return self.embedding

    def vectors(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return user vectors (U, D) and item vectors (I, D), detached."""
        nodes = self().detach()
        return nodes[: self.n_users], nodes[self.n_users :]
