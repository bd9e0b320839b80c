"""xDeepFM: products of fields of growing degree, compressed layer by layer (CIN), beside dense layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, cast

import torch
from torch import nn

from rec_core.nets.field_embedding import FieldBatch, FieldEmbedding, FieldNet, FieldSizes
from rec_core.nets.mlp import MLP, linear

_CHUNK_ENTRIES = 1024  # entries whose products are held at once on a CPU: 1.4 MB at 7 fields and 50 maps


class XDeepFM(FieldNet):
    """First-order weights, a compressed interaction network and an MLP over the same vectors, added up.

    Paper: xDeepFM (KDD 2018), equation 14.
    Differs from paper: ReLU after each CIN layer and half of each layer's maps going on (as RecBole 1.2.1);
    the paper's own choice is the identity and all maps (`direct`).
    Differs from RecBole 1.2.1: there the deep part's single output also goes through dropout and a ReLU, so
    that it can only raise a logit; here it is linear (equation 14).

    Args:
        sizes: codes of the fields.
        embedding_size: D.
        hidden_sizes: layers of the deep part.
        cin_sizes: feature maps of each CIN layer; even ones but for the last, unless `direct`.
        dropout: probability, before every hidden layer.
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

    def penalised(self) -> list[torch.Tensor]:
        """Return the matrices of CIN and dense layers (RecBole 1.2.1 weighs the sum of their norms by 5e-4).

        Differs from RecBole 1.2.1: there the first-order weights are among them.
        """
        layers = [*self.cin.layers, *self.mlp.layers, self.output]
        return [layer.weight for layer in layers if isinstance(layer, nn.Linear)]


class CIN(nn.Module):
    """Compressed interaction network: layer k mixes all products of a map of layer k - 1 and a field.

    Paper: xDeepFM, equations 6 and 8. Entry d of a map only meets entry d of others, so a layer is one matrix
    product over B * D columns of H * F products each.

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
        mixers = [
            linear(n_maps * n_fields, size, generator) for n_maps, size in zip(inputs, sizes, strict=True)
        ]
        self.layers = nn.ModuleList(mixers)
        self.n_outputs = sum(size if direct else size - size // 2 for size in sizes[:-1]) + sizes[-1]
        self._direct = direct
        self.register_buffer("_pairs", torch.triu_indices(n_fields, n_fields), persistent=False)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return the maps summed over D, all layers side by side (B, outputs), from (B, F, D).

        Inside, entries lie along the last dimension, (features, B * D): every product and sum then runs over
        long stretches of memory.
        """
        n_rows, n_fields, width = vectors.shape
        fields = vectors.transpose(0, 1).reshape(n_fields, -1)  # (F, B * D)
        maps, outputs = fields, []
        for k, layer in enumerate(cast(Iterable[nn.Linear], self.layers)):
            mixed = self._first_layer(fields, layer) if k == 0 else _later_layer(maps, fields, layer)
            if self._direct or k == len(self.layers) - 1:
                maps = shown = mixed
            else:
                maps, shown = mixed.split([self._keep[k], len(mixed) - self._keep[k]])
            outputs.append(shown.view(-1, n_rows, width).sum(dim=2))
        return torch.cat(outputs).T

    def _first_layer(self, fields: torch.Tensor, layer: nn.Linear) -> torch.Tensor:
        n_fields, (first, second) = len(fields), cast(torch.Tensor, self._pairs)
        weight = layer.weight.view(-1, n_fields, n_fields)
        both = weight + weight.transpose(1, 2)
        once = both[:, first, second] / (1 + (first == second))
        return torch.addmm(layer.bias.unsqueeze(1), once, fields[first] * fields[second]).relu_()


def _later_layer(maps: torch.Tensor, fields: torch.Tensor, layer: nn.Linear) -> torch.Tensor:
    """Return a layer's maps (O, N), in the arithmetic of an autocast region if in one."""
    device = maps.device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else maps.dtype
    n_maps, n_fields = len(maps), len(fields)
    weight = layer.weight.view(-1, n_maps, n_fields).transpose(1, 2).flatten(1)  # products by field, then map
    inputs = (maps, fields, weight, layer.bias)
    return MixedProducts.apply(*(tensor.to(dtype) for tensor in inputs))


class MixedProducts(torch.autograd.Function):
    """ReLU of linear maps of all products of a map and a field, a chunk of entries at a time.

    The products of a whole batch (F * H of N = B * D entries) are the largest tensor of the net, many times
    the cache of a CPU. Chunks that fit are made, used and forgotten, and made again for the gradient.
    """

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, *inputs: torch.Tensor) -> torch.Tensor:
        """Return (O, N) from maps (H, N), fields (F, N), weight (O, F * H) and bias (O,)."""
        maps, fields, weight, bias = inputs
        column, mixed = bias.unsqueeze(1), maps.new_empty(len(weight), maps.shape[1])
        for part in _chunks(maps):
            products = _products(maps[:, part], fields[:, part]).flatten(0, 1)
            mixed[:, part] = torch.addmm(column, weight, products).relu_()
        ctx.save_for_backward(maps, fields, weight, mixed)
        return mixed

    @staticmethod
    def backward(  # type: ignore[override]
        ctx: torch.autograd.function.FunctionCtx, gradient: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        """Return the gradients of maps, fields, weight and bias."""
        maps, fields, weight, mixed = ctx.saved_tensors  # type: ignore[attr-defined]
        of_maps, of_fields = torch.empty_like(maps), torch.empty_like(fields)
        wide = torch.promote_types(weight.dtype, torch.float32)  # chunks add up in full precision
        of_weight = torch.zeros_like(weight, dtype=wide)
        of_bias = weight.new_zeros(len(weight), dtype=wide)
        for part in _chunks(maps):
            some, few = maps[:, part], fields[:, part]
            outer = torch.ops.aten.threshold_backward(gradient[:, part], mixed[:, part], 0)  # of the ReLU
            of_bias += outer.sum(dim=1, dtype=wide)
            of_weight += outer @ _products(some, few).flatten(0, 1).T
            of_products = (weight.T @ outer).view(len(fields), len(maps), -1)
            of_fields[:, part] = (of_products * some).sum(dim=1)
            of_maps[:, part] = of_products.mul_(few.unsqueeze(1)).sum(dim=0)
        return of_maps, of_fields, of_weight.to(weight.dtype), of_bias.to(weight.dtype)


def _products(maps: torch.Tensor, fields: torch.Tensor) -> torch.Tensor:
    return fields.unsqueeze(1) * maps  # (F, H, entries)


def _chunks(maps: torch.Tensor) -> list[slice]:
    n_entries = maps.shape[1]
    size = _CHUNK_ENTRIES if maps.device.type == "cpu" else max(n_entries, 1)
    return [slice(start, start + size) for start in range(0, n_entries, size)]
