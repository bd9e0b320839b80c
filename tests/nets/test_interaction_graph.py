"""The graph's weights and products against the matrices written out."""

import numpy as np
import pytest
import torch

from rec_core.nets.interaction_graph import InteractionGraph

USERS = torch.tensor([0, 0, 1, 1, 2, 0])  # the pair (0, 1) twice
ITEMS = torch.tensor([0, 1, 1, 2, 0, 1])  # nobody touches item 3
PAIRS = [(0, 0), (0, 1), (1, 1), (1, 2), (2, 0)]  # by user, then item


def graph() -> InteractionGraph:
    return InteractionGraph(USERS, ITEMS, 3, 4)


def dense(kept: list[float]) -> np.ndarray:
    """D^-1/2 A D^-1/2 of the kept pairs, entry by entry."""
    matrix = np.zeros((7, 7))
    for (user, item), stays in zip(PAIRS, kept, strict=True):
        matrix[user, 3 + item] = matrix[3 + item, user] = stays
    degree = matrix.sum(axis=1)
    for i, j in zip(*np.nonzero(matrix), strict=True):
        matrix[i, j] /= np.sqrt(degree[i]) * np.sqrt(degree[j])
    return matrix


def as_matrix(entries: InteractionGraph, weights: torch.Tensor | None = None) -> np.ndarray:
    return entries.product(torch.eye(7, dtype=torch.float64), weights).numpy()


def test_normalised_adjacency_by_hand():
    got = as_matrix(graph())
    np.testing.assert_allclose(got, dense([1, 1, 1, 1, 1]), atol=1e-7)
    assert got[0, 3] == pytest.approx(0.5)  # user 0 has items 0 and 1, item 0 has users 0 and 2
    assert got[2, 3] == pytest.approx(0.5**0.5)  # user 2 has item 0 alone
    assert not got[6].any() and not got[:, 6].any()


@pytest.mark.parametrize("kept", [[1, 0, 1, 1, 1], [0, 0, 0, 0, 0], [0, 1, 1, 0, 1]])
def test_dropped_edges_are_gone_and_the_rest_is_normalised_anew(kept):
    entries = graph()
    weights = entries.normalised(torch.tensor(kept, dtype=torch.float32))
    np.testing.assert_allclose(as_matrix(entries, weights), dense(kept), atol=1e-7)


def test_edges_are_listed_in_the_order_of_kept():
    users, items = graph().edges()
    assert list(zip(users.tolist(), items.tolist(), strict=True)) == PAIRS
    assert graph().n_edges == 5


def test_gradient_with_weights_that_differ_by_direction():
    entries = graph()
    weights = torch.arange(1, 11, dtype=torch.float64) / 10
    nodes = torch.randn(7, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: entries.product(x, weights), (nodes,))
    matrix = as_matrix(entries, weights)
    assert not np.allclose(matrix, matrix.T)
    upstream = torch.randn(7, 3, dtype=torch.float64)
    (entries.product(nodes, weights) * upstream).sum().backward()
    np.testing.assert_allclose(nodes.grad.numpy(), matrix.T @ upstream.numpy(), atol=1e-12)


def test_gradient_of_the_normalised_graph():
    nodes = torch.randn(7, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(graph().product, (nodes,))


def test_the_graph_is_no_part_of_a_checkpoint():
    assert not graph().state_dict()
