"""NextItem: what a step is made of, its loss by loops, two steps, several processes, and that it learns."""

import math

import numpy as np
import pytest
import torch

from rec_core.nets.caser import Caser
from rec_core.nets.gru4rec import GRU4Rec
from rec_core.nets.sasrec import SASRec
from rec_core.nets.sequence_net import SequenceNet
from rec_core.objectives.next_item import NextItem
from rec_core.types import InputError

HISTORIES = [[3, 1, 6, 0, 3, 5], [2], [0, 5, 5, 2, 4, 1, 7, 6, 2], [], [4, 7]]
N_ITEMS, PAD = 8, 8
N_TARGETS = 5 + 8 + 1


def flat(rows: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    indptr = np.concatenate(([0], np.cumsum([len(row) for row in rows])))
    return indptr, np.array([item for row in rows for item in row], dtype=np.int32)


def small(seed: int = 0) -> SASRec:
    return SASRec(N_ITEMS, 4, 4, 1, 2, 6, 0.0, torch.Generator().manual_seed(seed)).double()


def objective(net: SequenceNet | None = None, **settings) -> NextItem:
    return NextItem(net or small(), flat(HISTORIES), 4, settings.pop("batch_size", 5), **settings)


def scores(made: NextItem, inputs: list[int], place: int, user: int) -> np.ndarray:
    """The net's scores after reading one window up to `place`, as many other items beside it as there are."""
    states = made.net(torch.tensor([inputs]), torch.tensor([user]))
    return (states[0, place] @ made.net.item_vectors.T).detach().numpy()


def naive(made: NextItem, batch) -> float:
    users, inputs, targets, *drawn = batch
    losses = []
    for row, window in enumerate(targets.tolist()):
        for place, ahead in enumerate(window):
            for which, target in enumerate(ahead):
                if target == PAD:
                    continue
                s = scores(made, inputs[row].tolist(), place, int(users[row]))
                if not drawn:
                    others = np.exp(np.delete(s, target)).sum()
                elif drawn[0].dim() == 2:
                    kept = [j for j in drawn[0][row].tolist() if j != target]
                    q = np.bincount(made._pool.numpy(), minlength=N_ITEMS) / len(made._pool)
                    others = sum(math.exp(s[j]) / (drawn[0].shape[1] * q[j]) for j in kept)
                else:
                    no = [math.log(1 + math.exp(s[j])) for j in drawn[0][row, place, which].tolist()]
                    losses.append(math.log(1 + math.exp(-s[target])) + sum(no))
                    continue
                losses.append(math.log(math.exp(s[target]) + others) - s[target])
    assert len(losses) == made.weight(batch)
    return sum(losses) / len(losses)


SETTINGS = {
    "cross-entropy": {},
    "one row per prefix": {"targets_per_window": 1},
    "sampled softmax": {"loss": "sampled_softmax", "n_negatives": 3},
    "sampled by popularity": {"loss": "sampled_softmax", "n_negatives": 3, "draws": "popularity"},
    "binary": {"loss": "bce", "n_negatives": 2},
    "binary, one row per prefix": {"loss": "bce", "targets_per_window": 1},
    "three ahead": {"loss": "bce", "n_negatives": 2, "n_ahead": 3},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_the_loss_is_the_mean_over_targets(name: str):
    net = small()
    with torch.no_grad():
        net.items.mul_(40)
    made = objective(net, **SETTINGS[name])
    for batch in made.batches(np.random.default_rng(0)):
        assert float(made.loss(batch).detach()) == pytest.approx(naive(made, batch), abs=1e-6)


def test_uncorrected_draws_leave_the_scores_alone():
    made = objective(loss="sampled_softmax", n_negatives=3, correct_draws=False)
    batch = next(made.batches(np.random.default_rng(0)))
    with torch.no_grad():
        made.net.items.zero_()
    kept = [1 + sum(j != t for j in batch[3][0].tolist()) for t in batch[2][batch[2] != PAD].tolist()]
    assert float(made.loss(batch).detach()) == pytest.approx(np.log(kept).mean())


@pytest.mark.parametrize("stretch", [1, 2, 4])
@pytest.mark.parametrize("batch_size", [1, 3, 5, 100])
def test_an_epoch_has_every_target_once_in_as_many_batches_as_it_says(stretch: int, batch_size: int):
    made = objective(targets_per_window=stretch, batch_size=batch_size)
    epoch = list(made.batches(np.random.default_rng(1)))
    assert len(epoch) == made.n_batches <= -(-N_TARGETS // batch_size)
    assert all(made.weight(batch) for batch in epoch)
    met = sorted(int(t) for batch in epoch for t in batch[2][batch[2] != PAD])
    assert met == sorted(item for row in HISTORIES for item in row[1:])
    if stretch == 1:
        sizes = {made.weight(batch) for batch in epoch}
        assert max(sizes) - min(sizes) <= 1 and made.n_batches == -(-N_TARGETS // batch_size)


def test_epochs_differ_and_repeat_with_their_generator():
    made = objective(loss="bce")

    def epoch(seed: int) -> list[list]:
        return [[part.tolist() for part in batch] for batch in made.batches(np.random.default_rng(seed))]

    assert epoch(0) == epoch(0) != epoch(1)


def test_binary_negatives_are_items_the_user_never_had():
    made = objective(loss="bce", n_negatives=50)
    for users, _, targets, unseen in made.batches(np.random.default_rng(0)):
        for user, row, drawn in zip(users.tolist(), targets, unseen, strict=True):
            assert set(drawn[row != PAD].flatten().tolist()) == set(range(N_ITEMS)) - set(HISTORIES[user])
            assert bool((drawn[row == PAD] == PAD).all())


def test_who_has_everything_is_not_trained_on_with_binary_negatives():
    rows = flat([[0, 1, 2, 1], [0, 1]])
    net = SASRec(3, 4, 4, 1, 1, 4, 0.0, torch.Generator().manual_seed(0))
    made = NextItem(net, rows, 4, 10, loss="bce")
    assert [batch[0].tolist() for batch in made.batches(np.random.default_rng(0))] == [[1]]


def test_shared_negatives_follow_popularity_or_all_items_alike():
    drawn = {}
    for draws in ("uniform", "popularity"):
        made = objective(loss="sampled_softmax", n_negatives=6000, draws=draws, batch_size=100)
        (batch,) = made.batches(np.random.default_rng(0))
        assert bool((batch[3] == batch[3][0]).all())
        drawn[draws] = np.bincount(batch[3][0].numpy(), minlength=N_ITEMS) / 6000
    np.testing.assert_allclose(drawn["uniform"], np.full(N_ITEMS, 1 / N_ITEMS), atol=0.025)
    counts = np.bincount(flat(HISTORIES)[1], minlength=N_ITEMS)
    np.testing.assert_allclose(drawn["popularity"], counts / counts.sum(), atol=0.025)


@pytest.mark.parametrize("name", SETTINGS)
def test_shards_weighed_by_their_targets_give_the_gradient_of_the_whole(name: str):
    made = objective(batch_size=100, **SETTINGS[name])
    (batch,) = made.batches(np.random.default_rng(0))
    whole = torch.autograd.grad(made.loss(batch), made.net.items)[0]
    summed = torch.zeros_like(whole)
    for part in zip(*(tensor.tensor_split(2) for tensor in batch), strict=True):
        share = made.weight(part) / made.weight(batch)
        assert 0 < share < 1
        summed += share * torch.autograd.grad(made.loss(part), made.net.items)[0]
    torch.testing.assert_close(summed, whole)


def test_two_steps_equal_two_hand_written_ones():
    """Twice: weights less half the gradient of the mean of log sum exp(s) - s_target, target by target."""
    made, twin = objective(), objective()
    optimiser = torch.optim.SGD(made.net.parameters(), lr=0.5)
    for batch in list(made.batches(np.random.default_rng(0)))[:2]:
        optimiser.zero_grad()
        made.loss(batch).backward()
        optimiser.step()
        losses = []
        for window, ahead in zip(batch[1], batch[2].squeeze(2), strict=True):
            for state, target in zip(twin.net(window.unsqueeze(0))[0], ahead.tolist(), strict=True):
                if target != PAD:
                    s = twin.net.items @ state
                    losses.append(s.exp().sum().log() - s[target])
        gradients = torch.autograd.grad(sum(losses) / len(losses), list(twin.net.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(twin.net.parameters(), gradients, strict=True):
                parameter -= 0.5 * gradient
    for mine, hand in zip(made.net.parameters(), twin.net.parameters(), strict=True):
        torch.testing.assert_close(mine, hand, atol=1e-12, rtol=0)


def planted(shuffled: bool) -> list[list[int]]:
    """Forty users walk a circle of twelve items from a random start, one step at a time."""
    rng = np.random.default_rng(0)
    rows = [[int(start + step) % 12 for step in range(14)] for start in rng.integers(0, 12, 40)]
    return [rng.permutation(row).tolist() for row in rows] if shuffled else rows


def learned(net: SequenceNet, shuffled: bool, **settings) -> float:
    """Return how often the best-scored item is the one that comes next, for new walks."""
    made = NextItem(net, flat(planted(shuffled)), 6, 128, **settings)
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.02, fused=True)
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    for _ in range(12):
        for batch in made.batches(rng):
            optimiser.zero_grad()
            made.loss(batch).backward()
            optimiser.step()
    net.eval()
    walks = torch.tensor([[(start + step) % 12 for step in range(6)] for start in range(12)])
    best = (net.last(walks, torch.zeros(12).long()) @ net.item_vectors.T).argmax(1)
    return float((best == (walks[:, -1] + 1) % 12).double().mean())


LEARNERS = {
    "sasrec": (lambda g: SASRec(12, 6, 16, 1, 1, 16, 0.1, g), {}),
    "sasrec by prefixes": (lambda g: SASRec(12, 6, 16, 1, 1, 16, 0.1, g), {"targets_per_window": 1}),
    "sampled": (lambda g: SASRec(12, 6, 16, 1, 1, 16, 0.1, g), {"loss": "sampled_softmax", "n_negatives": 6}),
    "gru4rec": (lambda g: GRU4Rec(12, 16, 16, 1, 0.1, g), {}),
    "caser": (lambda g: Caser(12, 16, 3, 4, 2, 0.1, g, n_users=40), {}),
}


@pytest.mark.parametrize("name", LEARNERS)
def test_learns_the_order_and_finds_none_where_there_is_none(name: str):
    make, settings = LEARNERS[name]
    assert learned(make(torch.Generator().manual_seed(0)), shuffled=False, **settings) >= 0.9
    assert learned(make(torch.Generator().manual_seed(0)), shuffled=True, **settings) <= 0.4


def test_nothing_to_learn_from_is_said():
    with pytest.raises(InputError, match="nothing comes next"):
        NextItem(small(), flat([[1], [], [2]]), 4, 10)
