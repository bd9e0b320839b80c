"""LightGCN: user and item vectors smoothed over the interaction graph, nothing else."""

from __future__ import annotations

import warnings

import torch
from torch import nn


class LightGCN(nn.Module):
    """Embeddings propagated over the normalised bipartite graph; the output is the mean over layers.

    Paper: LightGCN (SIGIR 2020), equations 3-4 and 8 with alpha_k = 1 / (L + 1); named by RALLRec section 3.2
    as the source of its collaborative embeddings.

    Args:
        n_users: U.
        n_items: I.
        embedding_size: D.
        n_layers: L; 0 is plain matrix factorisation.
        adjacency: (U + I, U + I) sparse, symmetric, from `normalised_adjacency`.
        generator: draws the initial values, normal with standard deviation 0.1.
    """

    def __init__(
        self,
        n_users: int,
        n_items: int,
        embedding_size: int,
        n_layers: int,
        adjacency: torch.Tensor,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.n_users = n_users
        self.n_layers = n_layers
        initial = torch.randn(n_users + n_items, embedding_size, generator=generator) * 0.1
        self.embedding = nn.Parameter(initial)
        self.register_buffer("adjacency", adjacency, persistent=False)

    def forward(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return propagated user vectors (U, D) and item vectors (I, D)."""
        layer = self.embedding
        total = layer
        for _ in range(self.n_layers):
            layer = _SymmetricProduct.apply(self.adjacency, layer)
            total = total + layer
        mean = total / (self.n_layers + 1)
        return mean[: self.n_users], mean[self.n_users :]


class _SymmetricProduct(torch.autograd.Function):
    """Sparse @ dense for a symmetric matrix: the gradient is the same product, so nothing is transposed."""

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx, matrix: torch.Tensor, dense: torch.Tensor
    ) -> torch.Tensor:
        ctx.matrix = matrix  # type: ignore[attr-defined]
        return matrix @ dense

    @staticmethod
    def backward(  # type: ignore[override]
        ctx: torch.autograd.function.FunctionCtx, gradient: torch.Tensor
    ) -> tuple[None, torch.Tensor]:
        return None, ctx.matrix @ gradient  # type: ignore[attr-defined]


def normalised_adjacency(
    user_nums: torch.Tensor, item_nums: torch.Tensor, n_users: int, n_items: int
) -> torch.Tensor:
    """Return D^-1/2 A D^-1/2 of the bipartite graph as sparse CSR (U + I, U + I); repeated edges count once.

    Args:
        user_nums: (E,) int64.
        item_nums: (E,) int64.
        n_users: U.
        n_items: I.
    """
    edges = torch.unique(torch.stack([user_nums, item_nums + n_users]), dim=1)
    both = torch.cat([edges, edges.flip(0)], dim=1)
    size = n_users + n_items
    degree = torch.bincount(both[0], minlength=size).clamp(min=1).to(torch.float32)
    weight = (degree[both[0]] * degree[both[1]]).rsqrt()
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="Sparse"
        )  # torch announces that CSR is young; the tests watch it
        return torch.sparse_coo_tensor(both, weight, (size, size)).coalesce().to_sparse_csr()
