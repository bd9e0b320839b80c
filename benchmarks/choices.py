"""The ways the engine computes, beside the ways it does not: what each takes on this machine.

    python benchmarks/choices.py --data ml-100k

Four choices were made by measurement, and this repeats it: how the graph is multiplied, how a BPR step gets
its gradient, how its rows are added up, and how Adam steps. The first row of each is the engine's. All ways
of one choice give the same numbers, which is checked. Nothing else may run beside it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import scipy.sparse as sp
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.cases import ranking_case
from benchmarks.floors import PAIRS, SIZE
from benchmarks.rows import Row, command, seconds
from rec_core.losses.bpr import bpr_loss, bpr_of_rows
from rec_core.nets.interaction_graph import InteractionGraph
from rec_core.systems.pairwise_training import training_graph
from rec_core.systems.ranking_parts import RankingParts
from rec_core.systems.ranking_task import RankingTask

Ways = dict[str, Callable[[], torch.Tensor]]
_MANY_NODES = 20_000  # from here on the dense matrix takes gigabytes


def measure(data: str) -> Iterator[Row]:
    """Yield a row per way: the choice, the way, milliseconds, and how many times the engine's way.

    Raises:
        AssertionError: two ways of one choice give different numbers.
    """
    case = ranking_case(data)
    parts = RankingParts(case.dataset, RankingTask(), case.split)
    generator = torch.Generator().manual_seed(0)
    nodes = torch.randn(parts.n_users + parts.n_items, SIZE, generator=generator)
    users, items = (torch.from_numpy(nums[:PAIRS].astype(np.int64)) for nums in parts.train_pairs)
    others = torch.randint(parts.n_items, (len(users),), generator=generator)
    rows = (users, items + parts.n_users, others + parts.n_users)
    choices = {
        "graph product": graph_products(training_graph(parts), nodes),
        "BPR gradient": bpr_gradients(nodes, rows),
        "adding rows": row_sums(nodes, rows[1]),
        "Adam": adam_steps(nodes),
    }
    for choice, ways in choices.items():
        own = next(iter(ways.values()))
        for way in ways.values():
            torch.testing.assert_close(way(), own(), atol=1e-3, rtol=1e-3)
        found = {name: seconds(way) for name, way in ways.items()}
        fastest = next(iter(found.values()))
        for name, value in found.items():
            yield {"choice": choice, "way": name, "ms": value * 1e3, "times": value / fastest}


def graph_products(graph: InteractionGraph, nodes: torch.Tensor) -> Ways:
    """Return ways to multiply the normalised adjacency matrix with the nodes."""
    n = len(nodes)
    offsets = torch.cat([graph.offsets, graph.offsets.new_tensor([len(graph.columns)])]).long()
    compressed = torch.sparse_csr_tensor(offsets, graph.columns.long(), graph.weights, (n, n))
    coordinates = compressed.to_sparse_coo().coalesce()
    elsewhere = sp.csr_matrix((graph.weights.numpy(), graph.columns.numpy(), offsets.numpy()), (n, n))
    ways: Ways = {
        "embedding_bag": lambda: graph.product(nodes),
        "torch CSR": lambda: compressed @ nodes,
        "scipy CSR": lambda: torch.from_numpy(elsewhere @ nodes.numpy()),
        "torch COO": lambda: coordinates @ nodes,
    }
    if n < _MANY_NODES:
        dense = coordinates.to_dense()
        ways["dense"] = lambda: dense @ nodes
    return ways


def bpr_gradients(nodes: torch.Tensor, rows: tuple[torch.Tensor, ...]) -> Ways:
    """Return ways to get the gradient of a BPR step."""
    table = nodes.clone().requires_grad_()

    def gradient(loss: Callable[[], torch.Tensor]) -> torch.Tensor:
        table.grad = None
        loss().backward()
        assert table.grad is not None  # noqa: S101 - backward has just set it
        return table.grad

    def by_index() -> torch.Tensor:
        user, taken, other = (table[index] for index in rows)
        return bpr_loss((user * taken).sum(dim=1), (user * other).sum(dim=1))

    def by_embedding() -> torch.Tensor:
        user, taken, other = (torch.nn.functional.embedding(index, table) for index in rows)
        return bpr_loss((user * taken).sum(dim=1), (user * other).sum(dim=1))

    return {
        "by hand, in one pass": lambda: gradient(lambda: bpr_of_rows(table, *rows)),
        "autograd through embedding": lambda: gradient(by_embedding),
        "autograd through indexing": lambda: gradient(by_index),
    }


def row_sums(nodes: torch.Tensor, index: torch.Tensor) -> Ways:
    """Return ways to add rows to the rows of a table that an index names."""
    values = nodes[: len(index)] if len(nodes) >= len(index) else nodes[index]
    zeros = torch.zeros_like(nodes)

    def scaled() -> torch.Tensor:
        return zeros.zero_().index_add_(0, index, values, alpha=-1).neg_()

    return {
        "index_add_": lambda: zeros.zero_().index_add_(0, index, values),
        "index_add_ with alpha": scaled,
        "index_put_ accumulating": lambda: zeros.zero_().index_put_((index,), values, accumulate=True),
        "backward of embedding": lambda: torch.ops.aten.embedding_dense_backward(
            values, index, len(nodes), -1, False
        ),
    }


def adam_steps(nodes: torch.Tensor) -> Ways:
    """Return ways to take a step of Adam with the same gradient."""
    gradient = torch.ones_like(nodes)

    def stepping(**how: bool) -> Callable[[], torch.Tensor]:
        table = torch.nn.Parameter(nodes.clone())
        table.grad = gradient
        optimiser = torch.optim.AdamW([table], lr=1e-9, weight_decay=0.0, **how)

        def step() -> torch.Tensor:
            optimiser.step()
            return table.detach()

        return step

    return {
        "fused": stepping(fused=True),
        "all tensors at once": stepping(foreach=True),
        "one tensor at a time": stepping(foreach=False),
    }


def line(row: Row) -> str:
    """Return a row for people."""
    return f"{row['choice']:14} {row['way']:28} {row['ms']:8.3f} ms {row['times']:6.2f} times"


if __name__ == "__main__":
    command("The engine's ways of computing beside others.", measure, line)
