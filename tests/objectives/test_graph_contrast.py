"""BPR + contrast: the second loss is InfoNCE between the views, over all nodes of a side."""

import math

import numpy as np
import pytest
import torch

from rec_core.data.seen import seen_items
from rec_core.nets.interaction_graph import InteractionGraph
from rec_core.nets.sgl import SGL
from rec_core.nets.simgcl import SimGCL
from rec_core.objectives.graph_contrast import GraphContrast
from rec_core.objectives.pairwise_ranking import PairwiseRanking
from rec_core.objectives.unseen_sampler import UnseenSampler

USERS, ITEMS = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 2, 0])
SAMPLER = UnseenSampler(seen_items(USERS, ITEMS, 3, 5), 5, torch.device("cpu"))
GRAPH = InteractionGraph(torch.from_numpy(USERS), torch.from_numpy(ITEMS), 3, 5)
BATCH = (torch.tensor([0, 2]), torch.tensor([1, 0]), torch.tensor([4, 1]))


def contrast(own: list[int], first: np.ndarray, second: np.ndarray, temperature: float) -> float:
    def cosine(a, b):
        return a @ b / np.linalg.norm(a) / np.linalg.norm(b)

    total = 0.0
    for row in own:
        logits = [cosine(first[row], other) / temperature for other in second]
        total -= logits[row] - math.log(sum(math.exp(x) for x in logits))
    return total / len(own)


@pytest.mark.parametrize("kind", ["sgl", "simgcl"])
def test_loss_by_hand(kind):
    generator = torch.Generator().manual_seed(0)
    net = SGL(4, 2, GRAPH, generator, "edge", 0.4) if kind == "sgl" else SimGCL(4, 2, GRAPH, generator, 0.3)
    target = GraphContrast(net, USERS, ITEMS, SAMPLER, 2, 0.2, "rows", 0.7, 0.5)
    target.begin_epoch(torch.Generator().manual_seed(9))
    first, second = (view.detach().double().numpy() for view in net.views())
    target.begin_epoch(torch.Generator().manual_seed(9))  # the same draws again
    plain = PairwiseRanking(net, USERS, ITEMS, SAMPLER, 2, 0.2)
    extra = contrast([0, 2], first[:3], second[:3], 0.5) + contrast([1, 0], first[3:], second[3:], 0.5)
    expected = float(plain.loss(BATCH).detach()) + 0.7 * extra
    assert float(target.loss(BATCH).detach()) == pytest.approx(expected, abs=1e-5)


def test_every_epoch_draws_its_own_augmentation():
    net = SGL(4, 1, GRAPH, torch.Generator().manual_seed(0), "edge", 0.5)
    target = GraphContrast(net, USERS, ITEMS, SAMPLER, 2, 0.0, "rows", 1.0, 0.5)
    copies = []
    for seed in range(6):
        list(target.batches(np.random.default_rng(seed)))
        copies.append(tuple(net._copies[0][0].tolist()))
    assert len(set(copies)) > 1
