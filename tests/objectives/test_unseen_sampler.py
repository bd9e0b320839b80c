"""The epoch's negatives: never seen, uniform over what is not."""

import numpy as np
import pytest
import torch

from rec_core.data.seen import seen_items
from rec_core.objectives.unseen_sampler import UnseenSampler
from rec_core.types import InputError

CPU = torch.device("cpu")


def sampler(pairs: list[tuple[int, int]], n_users: int, n_items: int) -> UnseenSampler:
    users, items = np.array(pairs).T
    return UnseenSampler(seen_items(users, items, n_users, n_items), n_items, CPU)


@pytest.mark.parametrize("n_users", [2, 1000])  # a mark for every pair, and marks that several pairs share
@pytest.mark.parametrize("rounds", [0, 1, 4])
def test_every_unseen_item_is_equally_likely_by_rejection_and_by_rank(rounds: int, n_users: int):
    """User 0 lacks items 1, 4, 6 of 7; user 1 lacks all but 3: chi-square by hand stays below its 1e-4 bound."""
    draw_from = sampler([(0, 0), (0, 2), (0, 3), (0, 5), (1, 3)], n_users, 7)
    generator = torch.Generator().manual_seed(1)
    for user, allowed in ((0, [1, 4, 6]), (1, [0, 1, 2, 4, 5, 6])):
        drawn = draw_from.draw(torch.full((6000,), user), generator, rounds)
        counts = np.bincount(drawn.numpy(), minlength=7)
        assert set(np.flatnonzero(counts)) == set(allowed)
        expected = 6000 / len(allowed)
        assert ((counts[allowed] - expected) ** 2 / expected).sum() < 26


@pytest.mark.parametrize("n_users", [40, 2000])
def test_nothing_seen_is_ever_drawn_on_a_crowded_table(n_users: int):
    rng = np.random.default_rng(0)
    pairs = np.unique(rng.integers(0, 40 * 30, 900))
    users, items = pairs // 30, pairs % 30
    draw_from = sampler(list(zip(users, items, strict=True)), n_users, 30)
    asked = torch.from_numpy(rng.integers(0, 40, 5000))
    drawn = draw_from.draw(asked, torch.Generator().manual_seed(0), 2)
    seen = set(zip(users.tolist(), items.tolist(), strict=True))
    assert not seen & set(zip(asked.tolist(), drawn.tolist(), strict=True))
    assert int(drawn.min()) >= 0 and int(drawn.max()) < 30


def test_marks_that_pairs_share_take_nothing_from_anybody():
    """One slot in ten is marked; user 0 has seen items 0..2 of 400 and draws all the others about 200 times."""
    rng = np.random.default_rng(0)
    pairs = [(user, int(item)) for user in range(1, 300) for item in rng.choice(400, 3, replace=False)]
    draw_from = sampler([(0, 0), (0, 1), (0, 2), *pairs], 300, 400)
    drawn = draw_from.draw(torch.zeros(397 * 200, dtype=torch.int64), torch.Generator().manual_seed(0))
    counts = np.bincount(drawn.numpy(), minlength=400)
    assert counts[:3].sum() == 0
    assert 130 < counts[3:].min() and counts.max() < 270


def test_the_generator_decides():
    draw_from = sampler([(0, 1)], 1, 50)
    draws = [
        draw_from.draw(torch.zeros(20, dtype=torch.int64), torch.Generator().manual_seed(s))
        for s in (1, 1, 2)
    ]
    assert torch.equal(draws[0], draws[1]) and not torch.equal(draws[0], draws[2])


def test_who_has_seen_everything_cannot_lose():
    draw_from = sampler([(0, 0), (0, 1), (1, 0)], 2, 2)
    assert draw_from.can_lose(torch.tensor([0, 1])).tolist() == [False, True]
    with pytest.raises(InputError, match="nothing to prefer"):
        sampler([(0, 0), (0, 1)], 1, 2)
