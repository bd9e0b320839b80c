"""AMP-CF: a user as several personas, of whom the candidate decides who speaks."""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn
from torch.nn.functional import embedding, normalize

from rec_core.nets.initial_table import Initial, initial_table

Attention = Literal["cosine", "dot"]


class AMPCF(nn.Module):
    """K persona vectors per user, mixed anew for every candidate by how near each is to it.

    Weights a_k = softmax over k of cos(A_u p_k, A_v q_j) / temperature ("cosine"), or of p_k . q_j ("dot");
    score = sum_k a_k p_k . q_j + b_j. With K = 1 the only weight is 1: matrix factorisation with item biases.

    Paper: Barkan, Fuchs, Caciularu and Koenigstein (RecSys 2020); the equations after public
    re-implementations, since the paper's text was not at hand: "cosine" is the form with learned projections,
    "dot" the one without.
    Differs from paper: `temperature` (1 leaves the cosine as it is: the largest weight is then at most e^2
    times the smallest).

    Args:
        n_users: U.
        n_items: I.
        n_personas: K.
        embedding_size: D; the projections are D x D.
        generator: draws the initial values.
        attention: which form.
        temperature: above 0, divides cosines.
        initial: how vectors start; biases start at 0.
    """

    def __init__(
        self,
        n_users: int,
        n_items: int,
        n_personas: int,
        embedding_size: int,
        generator: torch.Generator,
        attention: Attention = "cosine",
        temperature: float = 1.0,
        initial: Initial = "normal",
    ) -> None:
        super().__init__()
        self.n_personas = n_personas
        self.attention = attention if n_personas > 1 else "dot"  # one persona needs no choosing
        self.temperature = temperature
        table = initial_table(n_users * n_personas, embedding_size, initial, generator)
        self.personas = nn.Parameter(table.view(n_users, n_personas * embedding_size))
        self.items = nn.Parameter(initial_table(n_items, embedding_size, initial, generator))
        self.bias = nn.Parameter(torch.zeros(n_items))
        if self.attention == "cosine":
            shape = (embedding_size, embedding_size)
            self.of_users = nn.Parameter(initial_table(*shape, "xavier_uniform", generator))
            self.of_items = nn.Parameter(initial_table(*shape, "xavier_uniform", generator))

    def forward(self, users: torch.Tensor, items: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return scores (B, C) and persona weights (B, K, C) of candidates (B, C) for users (B,)."""
        dots = self.personas_of(users) @ embedding(items, self.items).mT
        near = None
        if self.attention == "cosine":
            asking = self._looked_up(self.personas, users, self.of_users).unflatten(1, (self.n_personas, -1))
            near = asking @ self._looked_up(self.items, items, self.of_items).mT
        weights = self._weights(dots, near)
        return (weights * dots).sum(dim=1) + self.bias[items], weights

    def catalogue(self, personas: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return scores (B, I) and persona weights (B, K, I) of the whole catalogue for personas (B, K, D).

        Two matrix products; nothing of the size B x K x I x D is ever made.
        """
        dots = personas @ self.items.T
        near = None
        if self.attention == "cosine":
            near = self._directions(personas, self.of_users) @ self._directions(self.items, self.of_items).T
        weights = self._weights(dots, near)
        return (weights * dots).sum(dim=1) + self.bias, weights

    def personas_of(self, users: torch.Tensor) -> torch.Tensor:
        """Return the learned personas (B, K, D) of users (B,)."""
        return embedding(users, self.personas).unflatten(1, (self.n_personas, -1))

    def _weights(self, dots: torch.Tensor, near: torch.Tensor | None) -> torch.Tensor:
        """Return the softmax over personas (B, K, C) of p_k . q_j, or of the cosines where there are some."""
        return (dots if near is None else near / self.temperature).softmax(dim=1)

    def _directions(self, vectors: torch.Tensor, projection: torch.Tensor) -> torch.Tensor:
        """Return projected vectors (..., n D) of length 1 in each stretch of D."""
        apart = vectors.unflatten(-1, (-1, len(projection)))
        return normalize(apart @ projection, dim=-1).flatten(-2)

    def _looked_up(self, table: torch.Tensor, index: torch.Tensor, projection: torch.Tensor) -> torch.Tensor:
        """Return directions of the table's rows at `index`, of which every row is projected at most once."""
        if index.numel() > len(table):
            return embedding(index, self._directions(table, projection))
        return self._directions(embedding(index, table), projection)
