"""DeepFM: a factorisation machine and dense layers over the same field vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch

from rec_core.nets.field_embedding import FieldBatch, FieldEmbedding, FieldNet, FieldSizes
from rec_core.nets.mlp import MLP, linear


class DeepFM(FieldNet):
    """First-order weights, all pairs of field vectors, and an MLP of all of them, added up.

    Paper: DeepFM (IJCAI 2017), equations 1-4; the same function as RecBole 1.2.1's with `bag_weight="sum"`.

    Args:
        sizes: codes of the fields.
        embedding_size: D.
        hidden_sizes: layers of the deep part.
        dropout: probability, before every hidden layer.
        generator: draws the weights.
        bag_weight: see `FieldEmbedding`.
    """

    def __init__(
        self,
        sizes: FieldSizes,
        embedding_size: int,
        hidden_sizes: Sequence[int],
        dropout: float,
        generator: torch.Generator,
        bag_weight: Literal["mean", "sum"] = "mean",
    ) -> None:
        super().__init__()
        self.fields = FieldEmbedding(sizes, embedding_size, generator, bag_weight=bag_weight)
        self.mlp = MLP(self.fields.width, hidden_sizes, dropout, generator)
        self.output = linear(self.mlp.n_outputs, 1, generator)

    def forward(self, batch: FieldBatch) -> torch.Tensor:
        """Return logits (B,)."""
        vectors = self.fields(batch)
        deep = self.output(self.mlp(vectors.flatten(1))).squeeze(1)
        return self.fields.first_order(batch) + pairwise(vectors) + deep


def pairwise(vectors: torch.Tensor) -> torch.Tensor:
    """Return the sum of the dot products of all pairs of fields (B,) from (B, F, D).

    Half of "square of the sum minus sum of squares": F * D operations instead of F^2 * D.
    """
    return (vectors.sum(dim=1).square().sum(dim=1) - vectors.square().sum(dim=(1, 2))) / 2
