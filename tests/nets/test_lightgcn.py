"""LightGCN against the formula written out densely."""

import numpy as np
import pytest
import torch

from rec_core.nets.lightgcn import LightGCN, _SymmetricProduct, normalised_adjacency

USERS = torch.tensor([0, 0, 1, 1, 2, 0])  # the pair (0, 1) twice
ITEMS = torch.tensor([0, 1, 1, 2, 0, 1])  # nobody touches item 3


def dense_adjacency() -> np.ndarray:
    """D^-1/2 A D^-1/2 over 3 users and 4 items, entry by entry."""
    matrix = np.zeros((7, 7))
    for user, item in zip(USERS.tolist(), ITEMS.tolist(), strict=True):
        matrix[user, 3 + item] = matrix[3 + item, user] = 1.0
    degree = matrix.sum(axis=1)
    for i in range(7):
        for j in range(7):
            if matrix[i, j]:
                matrix[i, j] /= np.sqrt(degree[i]) * np.sqrt(degree[j])
    return matrix


def net(n_layers: int, seed: int = 0) -> LightGCN:
    adjacency = normalised_adjacency(USERS, ITEMS, 3, 4)
    return LightGCN(3, 4, 5, n_layers, adjacency, torch.Generator().manual_seed(seed))


def test_adjacency_by_hand():
    got = normalised_adjacency(USERS, ITEMS, 3, 4).to_dense().numpy()
    np.testing.assert_allclose(got, dense_adjacency(), atol=1e-7)
    # user 0 has items 0 and 1, item 0 has users 0 and 2: 1 / sqrt(2 * 2)
    assert got[0, 3] == pytest.approx(0.5)
    # user 2 has item 0 alone: 1 / sqrt(1 * 2)
    assert got[2, 3] == pytest.approx(0.5**0.5)
    assert not got[6].any() and not got[:, 6].any()


@pytest.mark.parametrize("n_layers", [0, 1, 2, 3])
def test_forward_equals_the_dense_formula(n_layers: int):
    model = net(n_layers)
    layer = model.embedding.detach().double().numpy()
    total = layer.copy()
    for _ in range(n_layers):
        layer = dense_adjacency() @ layer
        total += layer
    users, items = model()
    np.testing.assert_allclose(users.detach().numpy(), total[:3] / (n_layers + 1), atol=1e-6)
    np.testing.assert_allclose(items.detach().numpy(), total[3:] / (n_layers + 1), atol=1e-6)


def test_gradient_of_the_symmetric_product():
    matrix = torch.tensor(dense_adjacency()).to_sparse_csr()
    dense = torch.randn(7, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: _SymmetricProduct.apply(matrix, x), (dense,))


def test_gradient_through_the_net_equals_the_dense_one():
    model = net(2)
    weights = torch.randn(7, 5, generator=torch.Generator().manual_seed(1))
    (torch.cat(model()) * weights).sum().backward()
    matrix = torch.tensor(dense_adjacency(), dtype=torch.float32)
    expected = (torch.eye(7) + matrix + matrix @ matrix) @ weights / 3
    torch.testing.assert_close(model.embedding.grad, expected, atol=1e-6, rtol=0)


def test_generator_decides_the_values_and_the_graph_is_no_parameter():
    first, again, other = net(2), net(2), net(2, seed=1)
    assert torch.equal(first.embedding, again.embedding) and not torch.equal(first.embedding, other.embedding)
    assert list(first.state_dict()) == ["embedding"] == [name for name, _ in first.named_parameters()]
    generator = torch.Generator().manual_seed(3)
    wide = LightGCN(400, 400, 50, 1, normalised_adjacency(USERS, ITEMS, 400, 400), generator)
    assert float(wide.embedding.detach().std()) == pytest.approx(0.1, rel=0.02)
