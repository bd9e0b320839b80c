"""The user-item graph as compressed rows, and products of its normalised adjacency with node vectors.

Nodes are the users, then the items. Every edge stands twice, once in each direction. The layout never
changes: dropping edges or nodes only changes weights, so nothing is rebuilt during training.
"""

from __future__ import annotations

import torch
from torch import nn


class InteractionGraph(nn.Module):
    """The symmetric bipartite graph; repeated pairs count once.

    Products run through `embedding_bag`, a gather-and-sum over compressed rows: on a CPU faster than every
    sparse format tried (`benchmarks/choices.py`).

    Args:
        user_nums: (N,) int64.
        item_nums: (N,) int64.
        n_users: U.
        n_items: I.
    """

    offsets: torch.Tensor
    columns: torch.Tensor
    edge_of: torch.Tensor
    reverse: torch.Tensor
    weights: torch.Tensor

    def __init__(self, user_nums: torch.Tensor, item_nums: torch.Tensor, n_users: int, n_items: int) -> None:
        super().__init__()
        self.n_users, self.n_items = n_users, n_items
        keys = torch.unique(user_nums.long() * n_items + item_nums.long())  # by user, then item
        users, items = keys // n_items, keys % n_items
        by_item = torch.argsort(items, stable=True)
        size = n_users + n_items
        degrees = torch.cat(
            [torch.bincount(users, minlength=n_users), torch.bincount(items, minlength=n_items)]
        )
        n_edges = len(keys)
        forth = torch.arange(n_edges, device=keys.device)
        back = torch.empty_like(by_item)
        back[by_item] = forth  # where each edge stands among the items' rows
        buffers = {
            "offsets": torch.cumsum(degrees, 0) - degrees,
            "columns": torch.cat([items + n_users, users[by_item]]),
            "edge_of": torch.cat([forth, by_item]),
            "reverse": torch.cat([back + n_edges, by_item]),
        }
        for name, tensor in buffers.items():
            self.register_buffer(name, tensor.to(torch.int32), persistent=False)
        assert len(degrees) == size  # noqa: S101 - the rows above must be the nodes
        self.register_buffer(
            "weights", self.normalised(torch.ones(n_edges, device=keys.device)), persistent=False
        )

    @property
    def n_edges(self) -> int:
        """Return the number of distinct pairs."""
        return len(self.columns) // 2

    def normalised(self, kept: torch.Tensor) -> torch.Tensor:
        """Return the weights (2E,) of D^-1/2 A D^-1/2 for the graph of the kept edges alone.

        Args:
            kept: (E,) float, 1 for an edge that stays and 0 for one that goes; edges by user, then item.
        """
        entries = kept[self.edge_of]
        degree = torch.segment_reduce(entries, "sum", lengths=self._lengths(), unsafe=True).clamp(min=1)
        rows = torch.repeat_interleave(degree, self._lengths())
        return entries * (rows * degree[self.columns]).rsqrt()

    def edges(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return user numbers and item numbers (E,) of the edges, by user, then item."""
        users = torch.repeat_interleave(
            torch.arange(self.n_users, device=self.columns.device), self._lengths()[: self.n_users]
        )
        return users, self.columns[: self.n_edges].long() - self.n_users

    def product(self, nodes: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
        """Return adjacency @ nodes, (U + I, D).

        Args:
            nodes: (U + I, D).
            weights: (2E,) one per directed entry, symmetric or not; None: the normalised graph.
        """
        forth = self.weights if weights is None else weights
        back = forth if weights is None else forth[self.reverse]
        return _Product.apply(nodes, self.columns, self.offsets, forth, back)

    def _lengths(self) -> torch.Tensor:
        ends = torch.cat([self.offsets[1:], self.offsets.new_tensor([len(self.columns)])])
        return (ends - self.offsets).long()


class _Product(torch.autograd.Function):
    """Weighted sums of neighbours; the gradient is the same sum with each edge's weight of the way back."""

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx,
        nodes: torch.Tensor,
        columns: torch.Tensor,
        offsets: torch.Tensor,
        forth: torch.Tensor,
        back: torch.Tensor,
    ) -> torch.Tensor:
        ctx.layout = (columns, offsets, back)  # type: ignore[attr-defined]
        return _sums(nodes, columns, offsets, forth)

    @staticmethod
    def backward(  # type: ignore[override]
        ctx: torch.autograd.function.FunctionCtx, gradient: torch.Tensor
    ) -> tuple[torch.Tensor | None, ...]:
        columns, offsets, back = ctx.layout  # type: ignore[attr-defined]
        return _sums(gradient.contiguous(), columns, offsets, back), None, None, None, None


def _sums(
    nodes: torch.Tensor, columns: torch.Tensor, offsets: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    return torch.nn.functional.embedding_bag(
        columns, nodes, offsets, mode="sum", per_sample_weights=weights.to(nodes.dtype)
    )
