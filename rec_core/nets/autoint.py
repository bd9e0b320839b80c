"""AutoInt: fields attend to each other, beside dense layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from torch import nn

from rec_core.nets.dropout import Dropout
from rec_core.nets.field_embedding import FieldBatch, FieldEmbedding, FieldNet, FieldSizes
from rec_core.nets.mlp import MLP, linear

Residual = Literal["none", "last", "every"]
Bilinear = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
BilinearGradients = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]


class AutoInt(FieldNet):
    """First-order weights, stacked self-attention over the fields and an MLP, added up.

    Paper: AutoInt (CIKM 2019), equations 5-9, with the joint MLP of its section 5.4 (AutoInt+).
    Differs from paper: fields are mapped to the attention's width first, heads are mixed by an output map and
    scores divided by the square root of the head's width (as RecBole 1.2.1). `residual="every"` gives each
    layer equation 8's residual map and ReLU; RecBole has one at the end ("last") or, by default, "none".

    Args:
        sizes: codes of the fields.
        embedding_size: D.
        hidden_sizes: layers of the MLP.
        attention_size: A, width of every attention layer; a multiple of `n_heads`.
        n_layers: attention layers.
        n_heads: heads of each.
        dropout: probability, on attention weights and before every hidden layer.
        generator: draws the weights.
        residual: where the input of a layer ("every") or of all ("last") is added.
        bag_weight: see `FieldEmbedding`.
    """

    def __init__(
        self,
        sizes: FieldSizes,
        embedding_size: int,
        hidden_sizes: Sequence[int],
        attention_size: int,
        n_layers: int,
        n_heads: int,
        dropout: float,
        generator: torch.Generator,
        residual: Residual = "none",
        bag_weight: Literal["mean", "sum"] = "mean",
    ) -> None:
        super().__init__()
        self.fields = FieldEmbedding(sizes, embedding_size, generator, bag_weight=bag_weight)
        self.entry = linear(embedding_size, attention_size, generator)
        self.attention = nn.ModuleList(
            FieldAttention(attention_size, n_heads, dropout, generator, residual == "every")
            for _ in range(n_layers)
        )
        last = residual == "last"
        self.residual = linear(embedding_size, attention_size, generator) if last else None
        self.attention_output = linear(sizes.n_fields * attention_size, 1, generator)
        self.mlp = MLP(self.fields.width, hidden_sizes, dropout, generator)
        self.output = linear(self.mlp.n_outputs, 1, generator)

    def forward(self, batch: FieldBatch) -> torch.Tensor:
        """Return logits (B,)."""
        vectors = self.fields(batch)
        fields = vectors.permute(1, 2, 0)  # (F, D, B)
        attended = map_fields(self.entry, fields)
        for layer in self.attention:
            attended = layer(attended)
        if self.residual is not None:
            attended = attended + map_fields(self.residual, fields)
        explicit = self.attention_output(attended.relu().flatten(0, 1).T)
        deep = self.output(self.mlp(vectors.flatten(1)))
        return self.fields.first_order(batch) + (explicit + deep).squeeze(1)


class FieldAttention(nn.Module):
    """Multi-head self-attention over the fields of a row.

    A row's own products are tiny (F x F over A / heads numbers), too small for matrix multiplication: rows
    come last in every tensor, so that each of the few steps over heads' widths or fields runs along them.

    Args:
        width: A.
        n_heads: how many parts of A attend on their own.
        dropout: probability of dropping an attention weight.
        generator: draws the weights, Xavier normal.
        residual: add a linear map of the input and apply ReLU (equation 8).
    """

    def __init__(
        self, width: int, n_heads: int, dropout: float, generator: torch.Generator, residual: bool = False
    ) -> None:
        super().__init__()
        self._n_heads = n_heads
        self.inward = linear(width, 3 * width, generator)
        self.outward = linear(width, width, generator)
        self.residual = linear(width, width, generator, bias=False) if residual else None
        self.dropout = Dropout(dropout)

    def forward(self, fields: torch.Tensor) -> torch.Tensor:
        """Return (F, A, B) from (F, A, B)."""
        n_fields, width, n_rows = fields.shape
        parts = map_fields(self.inward, fields).view(n_fields, 3, self._n_heads, -1, n_rows)
        queries, keys, values = parts.unbind(1)  # (F, heads, A / heads, B)
        scores = field_products(queries * (width // self._n_heads) ** -0.5, keys)
        weights = self.dropout(scores.softmax(dim=1))
        heads = weighted_fields(weights, values).view(fields.shape)
        attended = map_fields(self.outward, heads)
        return attended if self.residual is None else (attended + map_fields(self.residual, fields)).relu()


class _ByHand(torch.autograd.Function):
    """A map of two tensors whose gradients are written out too."""

    @staticmethod
    def forward(
        ctx: Any, value: Bilinear, gradients: BilinearGradients, left: torch.Tensor, right: torch.Tensor
    ) -> torch.Tensor:
        """Return value(left, right)."""
        ctx.gradients = gradients
        ctx.save_for_backward(left, right)
        return value(left, right)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[None, None, torch.Tensor, torch.Tensor]:  # type: ignore[override]
        """Return the gradients of both tensors."""
        return None, None, *ctx.gradients(gradient, *ctx.saved_tensors)


def field_products(queries: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
    """Return scores (F, F, heads, B): the products of all pairs of fields (F, heads, A / heads, B)."""
    return _ByHand.apply(_products, _products_gradients, queries, keys)


def weighted_fields(weights: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Return the fields' sums (F, heads, A / heads, B) of all values under weights (F, F, heads, B)."""
    return _ByHand.apply(_weighted, _weighted_gradients, weights, values)


def map_fields(layer: nn.Linear, fields: torch.Tensor) -> torch.Tensor:
    """Return (F, O, B): a linear map of every field of every row, from (F, A, B)."""
    mapped = layer.weight.expand(len(fields), -1, -1) @ fields
    return mapped if layer.bias is None else mapped + layer.bias.unsqueeze(1)


def _products(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Return out[i, j, h] = sum over d of left[i, h, d] * right[j, h, d], along B side by side."""
    lefts, rights = left.unsqueeze(1).unbind(3), right.unsqueeze(0).unbind(3)
    total = lefts[0] * rights[0]
    for one, other in zip(lefts[1:], rights[1:], strict=True):
        total.addcmul_(one, other)
    return total


def _weighted(weights: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Return out[i, h, d] = sum over j of weights[i, j, h] * values[j, h, d], along B side by side."""
    columns = weights.unsqueeze(3).unbind(1)
    total = columns[0] * values[0]
    for column, value in zip(columns[1:], values[1:], strict=True):
        total.addcmul_(column, value)
    return total


def _products_gradients(
    gradient: torch.Tensor, left: torch.Tensor, right: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    return _weighted(gradient, right), _weighted(gradient.transpose(0, 1), left)


def _weighted_gradients(
    gradient: torch.Tensor, weights: torch.Tensor, values: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    return _products(gradient, values), _weighted(weights.transpose(0, 1), gradient)
