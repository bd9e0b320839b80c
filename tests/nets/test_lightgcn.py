"""LightGCN and plain matrix factorisation against the formulas written out densely."""

import numpy as np
import pytest
import torch

from rec_core.nets.interaction_graph import InteractionGraph
from rec_core.nets.lightgcn import LightGCN
from rec_core.nets.matrix_factorisation import MatrixFactorisation

USERS, ITEMS = torch.tensor([0, 0, 1, 1, 2]), torch.tensor([0, 1, 1, 2, 0])
GRAPH = InteractionGraph(USERS, ITEMS, 3, 4)
DENSE = GRAPH.product(torch.eye(7, dtype=torch.float64)).numpy()  # held against a loop in the graph's tests


def net(n_layers: int, seed: int = 0, **settings) -> LightGCN:
    return LightGCN(5, n_layers, GRAPH, torch.Generator().manual_seed(seed), **settings)


@pytest.mark.parametrize("combination", ["mean", "sum"])
@pytest.mark.parametrize("n_layers", [0, 1, 2, 3])
def test_forward_equals_the_dense_formula(n_layers: int, combination):
    model = net(n_layers, combination=combination)
    layer = model.embedding.detach().double().numpy()
    total = layer.copy()
    for _ in range(n_layers):
        layer = DENSE @ layer
        total += layer
    expected = total / (n_layers + 1) if combination == "mean" else total
    np.testing.assert_allclose(model().detach().numpy(), expected, atol=1e-6)
    users, items = model.vectors()
    np.testing.assert_allclose(users.numpy(), expected[:3], atol=1e-6)
    np.testing.assert_allclose(items.numpy(), expected[3:], atol=1e-6)


def test_gradient_through_the_net_equals_the_dense_one():
    model = net(2)
    weights = torch.randn(7, 5, generator=torch.Generator().manual_seed(1))
    (model() * weights).sum().backward()
    matrix = torch.tensor(DENSE, dtype=torch.float32)
    expected = (torch.eye(7) + matrix + matrix @ matrix) @ weights / 3
    torch.testing.assert_close(model.embedding.grad, expected, atol=1e-6, rtol=0)


def test_entries_are_dropped_in_training_alone_without_rescaling():
    model = net(1, combination="sum", keep_prob=0.5)
    whole = model.graph.weights
    model.train()
    torch.manual_seed(0)
    drawn = torch.stack([model._thinned() for _ in range(400)])
    assert set(torch.unique((drawn / whole).round(decimals=4)).tolist()) == {0.0, 1.0}
    np.testing.assert_allclose((drawn > 0).float().mean(0).numpy(), 0.5, atol=0.1)
    one_way = (drawn[:, 0] > 0) != (drawn[:, int(model.graph.reverse[0])] > 0)
    assert 0.3 < float(one_way.float().mean()) < 0.7  # the two directions of an edge are drawn apart
    assert not torch.equal(model(), model())
    model.eval()
    assert torch.equal(model(), model())


def test_generator_decides_the_values_and_the_graph_is_no_parameter():
    first, again, other = net(2), net(2), net(2, seed=1)
    assert torch.equal(first.embedding, again.embedding) and not torch.equal(first.embedding, other.embedding)
    assert list(first.state_dict()) == ["embedding"] == [name for name, _ in first.named_parameters()]


@pytest.mark.parametrize(
    ("how", "deviation"),
    [("normal", 0.1), ("xavier_normal", (2 / 450) ** 0.5), ("xavier_uniform", (2 / 450) ** 0.5)],
)
def test_initial_values_have_the_stated_spread(how, deviation):
    model = MatrixFactorisation(400, 400, 50, torch.Generator().manual_seed(3), how)
    assert float(model.embedding.detach().std()) == pytest.approx(deviation, rel=0.02)
    if how == "xavier_uniform":
        assert float(model.embedding.detach().abs().max()) <= (6 / 450) ** 0.5
