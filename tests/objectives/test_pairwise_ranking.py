"""BPR over node vectors: the loss is the formula, two steps are Adam's."""

import math

import numpy as np
import pytest
import torch

from rec_core.data.seen import seen_items
from rec_core.nets.interaction_graph import InteractionGraph
from rec_core.nets.lightgcn import LightGCN
from rec_core.nets.matrix_factorisation import MatrixFactorisation
from rec_core.objectives.pairwise_ranking import PairwiseRanking
from rec_core.objectives.unseen_sampler import UnseenSampler
from rec_core.training.step import Stepper

USERS = np.array([0, 0, 1, 1, 2, 2, 2], dtype=np.int32)
ITEMS = np.array([0, 1, 1, 2, 0, 2, 3], dtype=np.int32)
SEEN = seen_items(USERS, ITEMS, 3, 5)
BATCH = (torch.tensor([0, 2]), torch.tensor([1, 3]), torch.tensor([4, 1]))


def net(n_layers: int) -> MatrixFactorisation:
    graph = InteractionGraph(torch.from_numpy(USERS), torch.from_numpy(ITEMS), 3, 5)
    return LightGCN(4, n_layers, graph, torch.Generator().manual_seed(0))


def objective(reg: float = 0.01, n_layers: int = 2, **settings) -> PairwiseRanking:
    sampler = UnseenSampler(SEEN, 5, torch.device("cpu"))
    return PairwiseRanking(net(n_layers), USERS, ITEMS, sampler, 3, reg, **settings)


@pytest.mark.parametrize("penalty", ["rows", "all"])
@pytest.mark.parametrize("n_layers", [0, 2])
def test_loss_by_hand(n_layers: int, penalty):
    target = objective(reg=0.3, n_layers=n_layers, penalty=penalty)
    users, items = (vectors.double().numpy() for vectors in target.net.vectors())
    first = target.net.embedding.detach().double().numpy()
    losses, squares = [], 0.0
    for u, i, j in [(0, 1, 4), (2, 3, 1)]:
        margin = users[u] @ items[i] - users[u] @ items[j]
        losses.append(-math.log(1 / (1 + math.exp(-margin))))
        squares += sum(float(row @ row) for row in (first[u], first[3 + i], first[3 + j]))
    l2 = squares / 2 / 2 if penalty == "rows" else float((first**2).sum())
    assert float(target.loss(BATCH).detach()) == pytest.approx(sum(losses) / 2 + 0.3 * l2, abs=1e-6)


def test_two_steps_equal_a_hand_written_adam():
    target = objective(reg=0.1, n_layers=0)
    stepper = Stepper(target, 0.05, 0.0, "fp32")
    table = target.net.embedding.detach().double().clone()
    m, v = torch.zeros_like(table), torch.zeros_like(table)
    batches = [BATCH, (torch.tensor([1, 0]), torch.tensor([1, 0]), torch.tensor([3, 2]))]
    for t, batch in enumerate(batches, start=1):
        stepper.step(batch)
        gradient = torch.zeros_like(table)
        for u, i, j in zip(*(part.tolist() for part in batch), strict=True):
            apart = table[3 + i] - table[3 + j]
            slope = -1 / (1 + math.exp(float(table[u] @ apart))) / 2
            gradient[u] += slope * apart + 0.1 * table[u] / 2
            gradient[3 + i] += slope * table[u] + 0.1 * table[3 + i] / 2
            gradient[3 + j] += -slope * table[u] + 0.1 * table[3 + j] / 2
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        table = table - 0.05 * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
    torch.testing.assert_close(target.net.embedding.detach().double(), table, atol=1e-6, rtol=0)
