"""Look up fields: one vector per single-valued field and per bag, and their first-order weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn
from torch.nn import functional

FieldBatch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""Codes (B, F) int64; members of counted bags (B, sum of sizes) float; window (B, T) int64, 0 is empty."""


@dataclass(frozen=True)
class FieldSizes:
    """What a net must know of the fields: how many codes each has."""

    singles: tuple[int, ...]  # codes of each single-valued field; they share one table, block behind block
    bags: tuple[int, ...]  # categories of each counted bag (genres, history ratings)
    n_history_codes: int  # codes of history items, 0 among them; at most 1: no history

    @property
    def n_fields(self) -> int:
        """Return F': single-valued fields, counted bags and the history."""
        return len(self.singles) + len(self.bags) + (self.n_history_codes > 1)


class FieldNet(nn.Module):
    """A net over fields: called with a `FieldBatch`, it returns logits (B,)."""

    fields: FieldEmbedding

    def penalised(self) -> list[torch.Tensor]:
        """Return the weights whose norms a library's published settings add to the loss; none by default."""
        return []


class FieldEmbedding(nn.Module):
    """One table for all single-valued fields, one for all counted bags, one for history items.

    A bag is the mean of its members' vectors; an empty bag is zero. Code 0 of every single-valued field
    (unknown) starts at zero: no training row has it, so it stays there and says nothing.

    Args:
        sizes: codes of the fields.
        embedding_size: D.
        generator: draws the initial vectors, Xavier normal per table (as RecBole 1.2.1).
        first_order: whether fields have a weight of their own (FM's linear term).
        bag_weight: a bag's first-order term is the "mean" of its members' weights, or their "sum" (RecBole).
    """

    def __init__(
        self,
        sizes: FieldSizes,
        embedding_size: int,
        generator: torch.Generator,
        first_order: bool = True,
        bag_weight: Literal["mean", "sum"] = "mean",
    ) -> None:
        super().__init__()
        self.sizes = sizes
        self.embedding_size = embedding_size
        self._bag_weight = bag_weight
        shapes = {"singles": sum(sizes.singles), "bags": sum(sizes.bags), "history": sizes.n_history_codes}
        self.vectors = nn.ParameterDict(
            {name: _table(n, embedding_size, generator) for name, n in shapes.items() if n > 1}
        )
        self.weights = nn.ParameterDict(
            {name: _table(n, 1, generator) for name, n in shapes.items() if n > 1 and first_order}
        )
        if first_order:
            self.bias = nn.Parameter(torch.zeros(()))
        with torch.no_grad():
            for tables in (self.vectors, self.weights)[: 1 + first_order]:
                tables["singles"][_starts(sizes.singles)] = 0

    @property
    def width(self) -> int:
        """Return F' * D."""
        return self.sizes.n_fields * self.embedding_size

    def forward(self, batch: FieldBatch) -> torch.Tensor:
        """Return the fields' vectors (B, F', D): single-valued fields, counted bags, history."""
        codes, counts, window = batch
        tables = self.vectors
        parts = [_rows(tables["singles"], codes).flatten(1)]
        if self.sizes.bags:
            pieces = zip(counts.split(self.sizes.bags, 1), tables["bags"].split(self.sizes.bags), strict=True)
            parts += [_share(count) @ table for count, table in pieces]
        if "history" in tables:
            parts.append(WindowMean.apply(tables["history"], window))
        return torch.cat(parts, dim=1).view(len(codes), -1, self.embedding_size)

    def first_order(self, batch: FieldBatch) -> torch.Tensor:
        """Return the sum of the fields' weights and the bias (B,)."""
        codes, counts, window = batch
        tables = self.weights
        total = _rows(tables["singles"], codes).sum(dim=(1, 2)) + self.bias
        if self.sizes.bags:
            if self._bag_weight == "mean":
                counts = torch.cat([_share(count) for count in counts.split(self.sizes.bags, 1)], dim=1)
            total = total + (counts @ tables["bags"]).squeeze(1)
        if "history" in tables:
            mean = WindowMean.apply(tables["history"], window).squeeze(1)
            total = total + (mean * (window > 0).sum(1) if self._bag_weight == "sum" else mean)
        return total


class WindowMean(torch.autograd.Function):
    """Mean of a table's rows over the filled places of a window.

    The forward pass is one fused bag; the gradient adds rows with `index_add_`, on a CPU three times as fast
    as the bag's own.
    """

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, *inputs: torch.Tensor) -> torch.Tensor:
        """Return (B, D) from a table (V, D) and a window (B, T) int64; row 0 of the table is never read."""
        table, window = inputs
        ctx.save_for_backward(window)
        ctx.n_rows = len(table)  # type: ignore[attr-defined]
        return functional.embedding_bag(window, table, mode="mean", padding_idx=0)

    @staticmethod
    def backward(  # type: ignore[override]
        ctx: torch.autograd.function.FunctionCtx, gradient: torch.Tensor
    ) -> tuple[torch.Tensor, None]:
        """Return the table's gradient (V, D)."""
        (window,) = ctx.saved_tensors  # type: ignore[attr-defined]
        each = gradient / (window > 0).sum(dim=1, keepdim=True).clamp(min=1)
        rows = each.unsqueeze(1).expand(-1, window.shape[1], -1).reshape(-1, gradient.shape[1])
        total = gradient.new_zeros(ctx.n_rows, gradient.shape[1])  # type: ignore[attr-defined]
        total.index_add_(0, window.flatten(), rows)
        total[0] = 0
        return total, None


def _table(n_rows: int, width: int, generator: torch.Generator) -> nn.Parameter:
    return nn.Parameter(nn.init.xavier_normal_(torch.empty(n_rows, width), generator=generator))


def _rows(table: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    return table.index_select(0, codes.flatten()).view(*codes.shape, table.shape[1])


def _share(counts: torch.Tensor) -> torch.Tensor:
    return counts / counts.sum(dim=1, keepdim=True).clamp(min=1)


def _starts(sizes: Sequence[int]) -> torch.Tensor:
    return torch.tensor([0, *sizes[:-1]]).cumsum(0)
