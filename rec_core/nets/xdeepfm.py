"""xDeepFM: products of fields of growing degree, compressed layer by layer (CIN), beside dense layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import nn

from rec_core.nets.field_embedding import FieldBatch, FieldEmbedding, FieldSizes
from rec_core.nets.mlp import MLP, linear


class XDeepFM(nn.Module):
    """First-order weights, a compressed interaction network and an MLP over the same vectors, added up.

    Paper: xDeepFM (KDD 2018), equation 14.
    Differs from paper: ReLU after each CIN layer and half of each layer's maps going on (as RecBole 1.2.1);
    the paper's own choice is the identity and all maps (`direct`).

    Args:
        sizes: codes of the fields.
        embedding_size: D.
        hidden_sizes: layers of the deep part.
        cin_sizes: feature maps of each CIN layer; even ones but for the last, unless `direct`.
        dropout: probability, before every hidden layer and before the deep part's last map.
        generator: draws the weights.
        direct: all maps of a layer are both output and input of the next one.
        bag_weight: see `FieldEmbedding`.
    """

    def __init__(
        self,
        sizes: FieldSizes,
        embedding_size: int,
        hidden_sizes: Sequence[int],
        cin_sizes: Sequence[int],
        dropout: float,
        generator: torch.Generator,
        direct: bool = False,
        bag_weight: Literal["mean", "sum"] = "mean",
    ) -> None:
        super().__init__()
        self.fields = FieldEmbedding(sizes, embedding_size, generator, bag_weight=bag_weight)
        self.cin = CIN(sizes.n_fields, cin_sizes, generator, direct)
        self.cin_output = linear(self.cin.n_outputs, 1, generator)
        self.mlp = MLP(self.fields.width, hidden_sizes, dropout, generator)
        self.output = linear(self.mlp.n_outputs, 1, generator)

    def forward(self, batch: FieldBatch) -> torch.Tensor:
        """Return logits (B,)."""
        vectors = self.fields(batch)
        explicit = self.cin_output(self.cin(vectors))
        deep = self.output(self.mlp(vectors.flatten(1)))
        return self.fields.first_order(batch) + (explicit + deep).squeeze(1)


class CIN(nn.Module):
    """Compressed interaction network: layer k mixes all products of a map of layer k - 1 and a field.

    Paper: xDeepFM, equations 6 and 8. Entry d of a map only meets entry d of others, so a layer is one matrix
    product over B * D rows of H * F products each.

    The first layer multiplies fields by fields: x_i x_j and x_j x_i are the same number, so F (F + 1) / 2
    products with the sum of both weights give the same maps.

    Args:
        n_fields: F.
        sizes: maps of each layer.
        generator: draws the weights, Xavier normal over all products.
        direct: see `XDeepFM`.
    """

    def __init__(
        self, n_fields: int, sizes: Sequence[int], generator: torch.Generator, direct: bool = False
    ) -> None:
        super().__init__()
        self._keep = [size if direct else size // 2 for size in sizes[:-1]]
        inputs = [n_fields, *self._keep]
        self.layers = nn.ModuleList(
            linear(n_maps * n_fields, size, generator) for n_maps, size in zip(inputs, sizes, strict=True)
        )
        self.n_outputs = sum(size if direct else size - size // 2 for size in sizes[:-1]) + sizes[-1]
        self._direct = direct
        pairs = torch.triu_indices(n_fields, n_fields)
        self.register_buffer("_first", pairs[0], persistent=False)
        self.register_buffer("_second", pairs[1], persistent=False)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return the maps summed over D, all layers side by side (B, outputs), from (B, F, D)."""
        n_rows, n_fields, width = vectors.shape
        fields = vectors.transpose(1, 2).reshape(-1, n_fields)  # (B * D, F)
        maps, outputs = fields, []
        for k, layer in enumerate(self.layers):
            mixed = self._first_layer(fields) if k == 0 else _later_layer(maps, fields, layer)
            activated = mixed.relu()
            last = k == len(self.layers) - 1
            maps = activated if last or self._direct else activated[:, : self._keep[k]]
            shown = activated if last or self._direct else activated[:, self._keep[k] :]
            outputs.append(shown.view(n_rows, width, -1).sum(dim=1))
        return torch.cat(outputs, dim=1)

    def _first_layer(self, fields: torch.Tensor) -> torch.Tensor:
        layer, n_fields = self.layers[0], fields.shape[1]
        weight = layer.weight.view(-1, n_fields, n_fields)
        both = weight + weight.transpose(1, 2)
        once = both[:, self._first, self._second] / (1 + (self._first == self._second))
        return nn.functional.linear(fields[:, self._first] * fields[:, self._second], once, layer.bias)


def _later_layer(maps: torch.Tensor, fields: torch.Tensor, layer: nn.Linear) -> torch.Tensor:
    products = (maps.unsqueeze(2) * fields.unsqueeze(1)).flatten(1)
    return layer(products)
