"""SGL and SimGCL: what their two views may lack or add."""

import pytest
import torch

from rec_core.nets.interaction_graph import InteractionGraph
from rec_core.nets.lightgcn import LightGCN
from rec_core.nets.sgl import SGL
from rec_core.nets.simgcl import SimGCL

RNG = torch.Generator().manual_seed(5)
USERS, ITEMS = torch.randint(0, 30, (300,), generator=RNG), torch.randint(0, 20, (300,), generator=RNG)
GRAPH = InteractionGraph(USERS, ITEMS, 30, 20)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def plain(net: LightGCN) -> torch.Tensor:
    return net.propagate([None] * net.n_layers)


@pytest.mark.parametrize("dropout", ["edge", "node", "walk"])
def test_nothing_dropped_shows_the_clean_graph_twice(dropout):
    net = SGL(4, 2, GRAPH, generator(), dropout, drop_prob=0.0)
    net.redraw(generator(1))
    for view in net.views():
        torch.testing.assert_close(view, plain(net))


def kept_of(weights: torch.Tensor) -> torch.Tensor:
    """Which edges have weight, from the users' half of the entries."""
    return weights[: GRAPH.n_edges] > 0


def test_edge_dropout_keeps_one_graph_for_all_layers_and_walk_draws_each():
    for dropout, same in (("edge", True), ("walk", False)):
        net = SGL(4, 3, GRAPH, generator(), dropout, drop_prob=0.3)
        net.redraw(generator(2))
        (first, second, *_), other = net._copies
        assert torch.equal(first, second) is same
        assert not torch.equal(first, other[0])
        assert 0.55 < float(kept_of(first).float().mean()) < 0.85


def test_node_dropout_takes_every_edge_of_a_dropped_node():
    net = SGL(4, 1, GRAPH, generator(), "node", drop_prob=0.3)
    net.redraw(generator(3))
    kept = kept_of(net._copies[0][0])
    users, items = GRAPH.edges()
    gone_users = {int(u) for u in users.unique() if not kept[users == u].any()}
    gone_items = {int(i) for i in items.unique() if not kept[items == i].any()}
    for user, item, stays in zip(users.tolist(), items.tolist(), kept.tolist(), strict=True):
        assert stays == (user not in gone_users and item not in gone_items)
    assert gone_users and gone_items


def test_a_redraw_changes_the_views_and_the_generator_decides():
    net = SGL(4, 2, GRAPH, generator(), "edge", drop_prob=0.5)
    net.redraw(generator(1))
    first = net.views()[0]
    net.redraw(generator(1))
    assert torch.equal(net.views()[0], first)
    net.redraw(generator(2))
    assert not torch.equal(net.views()[0], first)


def test_noise_has_length_eps_and_the_signs_of_what_it_is_added_to():
    net = SimGCL(4, 1, GRAPH, generator(), eps=0.25, combination="sum")
    net.redraw(generator(4))
    layer = GRAPH.product(net.embedding.detach())
    first, second = (view.detach() for view in net.views())
    for view in (first, second):
        noise = view - net.embedding.detach() - layer
        torch.testing.assert_close(noise.norm(dim=1), torch.full((50,), 0.25))
        assert (noise * layer >= -1e-7).all()
    assert not torch.allclose(first, second)


def test_without_noise_both_views_are_the_clean_one():
    net = SimGCL(4, 2, GRAPH, generator(), eps=0.0)
    net.redraw(generator(4))
    torch.testing.assert_close(net.views()[1], plain(net))
