"""One transformer block over ragged sequences: look back, then think at each position."""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn

from rec_core.nets.dropout import Dropout
from rec_core.nets.ragged_rows import RaggedRows

Norm = Literal["before", "after"]
Activation = Literal["gelu", "relu"]


class CausalAttention(nn.Module):
    """Multi-head attention in which a position sees itself and what came before.

    On a CPU in training the weights are written out, because its fused kernel knows no dropout; elsewhere the
    fused kernel works.

    Args:
        size: D, a multiple of `n_heads`.
        n_heads: heads.
        dropout: probability of dropping an attention weight.
        output_map: mix the heads by a linear map at the end.
    """

    def __init__(self, size: int, n_heads: int, dropout: float, output_map: bool) -> None:
        super().__init__()
        if size % n_heads:
            raise ValueError(f"{size} dimensions cannot be shared by {n_heads} heads")
        self.n_heads = n_heads
        self.queries_keys_values = nn.Linear(size, 3 * size)
        self.mix = nn.Linear(size, size) if output_map else nn.Identity()
        self.dropout = Dropout(dropout)

    def forward(self, states: torch.Tensor, rows: RaggedRows) -> torch.Tensor:
        """Return (P, D) from (P, D)."""
        together = rows.pad_right(self.queries_keys_values(states))
        queries, keys, values = (self._heads(part) for part in together.chunk(3, dim=2))
        return self.mix(rows.pack(self._attend(queries, keys, values).transpose(1, 2).flatten(2)))

    def newest(self, states: torch.Tensor, rows: RaggedRows, ends: torch.Tensor) -> torch.Tensor:
        """Return (R, D) for the positions `ends` alone, the last one of each row that is not empty."""
        size = states.shape[1]
        weight, bias = self.queries_keys_values.weight, self.queries_keys_values.bias
        queries = nn.functional.linear(states[ends], weight[:size], bias[:size]).unsqueeze(1)
        together = rows.pad_right(nn.functional.linear(states, weight[size:], bias[size:]))
        keys, values = (self._heads(part) for part in together[rows.rows[ends]].chunk(2, dim=2))
        lengths = rows.lengths[rows.rows[ends]]
        known = torch.arange(rows.longest, device=states.device) < lengths.view(-1, 1, 1, 1)
        seen = self._weighted(self._heads(queries), keys, values, known)
        return self.mix(seen.transpose(1, 2).flatten(1))

    def _heads(self, padded: torch.Tensor) -> torch.Tensor:
        """Return (B, heads, T, D / heads) from (B, T, D)."""
        return padded.unflatten(2, (self.n_heads, -1)).transpose(1, 2)

    def _attend(self, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        prob = self.dropout.prob if self.training else 0.0
        if prob and queries.device.type == "cpu":
            n = queries.shape[2]
            return self._weighted(queries, keys, values, torch.ones(n, n, dtype=torch.bool).tril())
        return nn.functional.scaled_dot_product_attention(
            queries, keys, values, dropout_p=prob, is_causal=True
        )

    def _weighted(
        self, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, known: torch.Tensor
    ) -> torch.Tensor:
        scores = queries * queries.shape[-1] ** -0.5 @ keys.transpose(2, 3)
        hidden = torch.zeros(known.shape, dtype=scores.dtype, device=scores.device)
        weights = (scores + hidden.masked_fill_(~known, -torch.inf)).softmax(dim=-1)
        return self.dropout(weights) @ values


class CausalBlock(nn.Module):
    """Attention and a two-layer map, each with dropout, a residual connection and a layer norm.

    Args:
        size: D.
        n_heads: heads.
        hidden_size: width between the two layers of the map.
        dropout: probability of dropping an element of what is added to the residual.
        attention_dropout: probability of dropping an attention weight.
        norm: "after" normalises the sum, "before" what goes into attention and map.
        activation: between the two layers.
        output_map: mix the attention heads by a linear map.
        epsilon: added to the variance in layer norms.
    """

    def __init__(
        self,
        size: int,
        n_heads: int,
        hidden_size: int,
        dropout: float,
        attention_dropout: float,
        norm: Norm,
        activation: Activation,
        output_map: bool,
        epsilon: float,
    ) -> None:
        super().__init__()
        self.attention = CausalAttention(size, n_heads, attention_dropout, output_map)
        self.widen, self.narrow = nn.Linear(size, hidden_size), nn.Linear(hidden_size, size)
        self.norms = nn.ModuleList(nn.LayerNorm(size, eps=epsilon) for _ in range(2))
        self.dropout = Dropout(dropout)
        self._norm, self._activation = norm, getattr(nn.functional, activation)

    def forward(self, states: torch.Tensor, rows: RaggedRows) -> torch.Tensor:
        """Return (P, D) from (P, D)."""
        return self._think(states, self.attention(self._before(states, 0), rows))

    def newest(self, states: torch.Tensor, rows: RaggedRows, ends: torch.Tensor) -> torch.Tensor:
        """Return (R, D) for the positions `ends` alone."""
        return self._think(states[ends], self.attention.newest(self._before(states, 0), rows, ends))

    def _think(self, states: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        states = self._after(states + self.dropout(seen), 0)
        thought = self.narrow(self._activation(self.widen(self._before(states, 1))))
        return self._after(states + self.dropout(thought), 1)

    def _before(self, states: torch.Tensor, which: int) -> torch.Tensor:
        return self.norms[which](states) if self._norm == "before" else states

    def _after(self, states: torch.Tensor, which: int) -> torch.Tensor:
        return self.norms[which](states) if self._norm == "after" else states
