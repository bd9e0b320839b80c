"""GraphBPR: its batches cover the edges, its loss is the formula."""

import math

import numpy as np
import pytest
import torch

from rec_core.nets.lightgcn import LightGCN, normalised_adjacency
from rec_core.objectives.graph_bpr import GraphBPR

USERS = np.array([0, 0, 1, 1, 2, 2, 2], dtype=np.int32)
ITEMS = np.array([0, 1, 1, 2, 0, 2, 3], dtype=np.int32)


def objective(batch_size: int = 3, reg: float = 0.01) -> GraphBPR:
    adjacency = normalised_adjacency(torch.from_numpy(USERS).long(), torch.from_numpy(ITEMS).long(), 3, 5)
    net = LightGCN(3, 5, 4, 2, adjacency, torch.Generator().manual_seed(0))
    return GraphBPR(net, USERS, ITEMS, lambda users, rng: rng.integers(0, 5, len(users)), batch_size, reg)


@pytest.mark.parametrize(("batch_size", "sizes"), [(3, [3, 3, 1]), (7, [7]), (100, [7])])
def test_an_epoch_is_every_edge_once(batch_size: int, sizes: list[int]):
    target = objective(batch_size)
    batches = list(target.batches(np.random.default_rng(0)))
    assert [len(users) for users, _, _ in batches] == sizes and target.n_batches == len(sizes)
    seen = [pair for users, items, _ in batches for pair in zip(users.tolist(), items.tolist(), strict=True)]
    assert sorted(seen) == sorted(zip(USERS.tolist(), ITEMS.tolist(), strict=True))
    assert seen != sorted(seen)


def test_negatives_belong_to_the_shuffled_users():
    target = objective()
    target._sample = lambda users, rng: users + 1
    for users, _, negatives in target.batches(np.random.default_rng(1)):
        assert torch.equal(negatives, users + 1)


def test_the_generator_decides_the_batches():
    def flat(seed: int) -> list[list[int]]:
        return [part.tolist() for batch in objective().batches(np.random.default_rng(seed)) for part in batch]

    assert flat(0) == flat(0) != flat(1)


def test_loss_by_hand():
    target = objective(reg=0.3)
    users, items = (vectors.detach().double().numpy() for vectors in target.net())
    first = target.net.embedding.detach().double().numpy()
    batch = (torch.tensor([0, 2]), torch.tensor([1, 3]), torch.tensor([4, 1]))
    losses, squares = [], 0.0
    for u, i, j in [(0, 1, 4), (2, 3, 1)]:
        margin = users[u] @ items[i] - users[u] @ items[j]
        losses.append(-math.log(1 / (1 + math.exp(-margin))))
        squares += sum(float(row @ row) for row in (first[u], first[3 + i], first[3 + j]))
    expected = sum(losses) / 2 + 0.3 * squares / 2 / 2
    assert float(target.loss(batch).detach()) == pytest.approx(expected, abs=1e-6)
