"""What every objective over training pairs deals: each pair once, shuffled, against items its user has not seen."""

import numpy as np
import pytest
import torch

from rec_core.data.seen import seen_items
from rec_core.nets.amp_cf import AMPCF
from rec_core.nets.interaction_graph import InteractionGraph
from rec_core.nets.simgcl import SimGCL
from rec_core.objectives.graph_contrast import GraphContrast
from rec_core.objectives.pairwise_ranking import PairwiseRanking
from rec_core.objectives.persona_choice import PersonaChoice
from rec_core.objectives.unseen_sampler import UnseenSampler

USERS = np.array([0, 0, 1, 1, 2, 2, 2], dtype=np.int32)
ITEMS = np.array([0, 1, 1, 2, 0, 2, 3], dtype=np.int32)
N_DRAWN = {"pairwise": 1, "contrast": 1, "persona": 2}


@pytest.fixture(params=N_DRAWN)
def kind(request):
    return request.param


def objective(kind, batch_size=3, users=USERS, items=ITEMS):
    generator = torch.Generator().manual_seed(0)
    pairs = (users, items, UnseenSampler(seen_items(users, items, 3, 5), 5, torch.device("cpu")))
    if kind == "persona":
        return PersonaChoice(AMPCF(3, 5, 2, 4, generator), *pairs, N_DRAWN[kind], batch_size)
    graph = InteractionGraph(torch.from_numpy(users), torch.from_numpy(items), 3, 5)
    net = SimGCL(4, 1, graph, generator)
    if kind == "pairwise":
        return PairwiseRanking(net, *pairs, batch_size, 0.0)
    return GraphContrast(net, *pairs, batch_size, 0.0, "rows", 0.5, 0.5)


@pytest.mark.parametrize(("batch_size", "sizes"), [(3, [3, 3, 1]), (7, [7]), (100, [7])])
def test_an_epoch_is_every_pair_once_with_unseen_items(kind, batch_size, sizes):
    target = objective(kind, batch_size)
    batches = list(target.batches(np.random.default_rng(0)))
    assert [target.weight(batch) for batch in batches] == sizes and target.n_batches == len(sizes)
    rows = [row for batch in batches for row in zip(*(part.tolist() for part in batch), strict=True)]
    pairs = [(user, item) for user, item, _ in rows]
    positives = set(zip(USERS.tolist(), ITEMS.tolist(), strict=True))
    assert sorted(pairs) == sorted(positives) and pairs != sorted(pairs)
    for user, _, drawn in rows:
        negatives = drawn if kind == "persona" else [drawn]
        assert len(negatives) == N_DRAWN[kind]
        assert all((user, negative) not in positives for negative in negatives)


def test_the_generator_decides_the_batches(kind):
    def flat(seed):
        batches = objective(kind).batches(np.random.default_rng(seed))
        return [part.tolist() for batch in batches for part in batch]

    assert flat(0) == flat(0) != flat(1)


def test_users_who_have_seen_everything_are_left_out(kind):
    users, items = np.append(USERS, [0] * 3), np.append(ITEMS, [2, 3, 4])
    (batch,) = objective(kind, 100, users, items).batches(np.random.default_rng(0))
    assert sorted(batch[0].tolist()) == [1, 1, 2, 2, 2]
