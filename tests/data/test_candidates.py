"""Candidate sets: unseen, distinct, and each user's own."""

import numpy as np
import pytest

from rec_core.data.candidates import candidate_sets
from rec_core.types import InputError


@pytest.fixture
def made(random_interactions):
    return random_interactions(3, n_rows=40, n_users=8, n_items=30)


def test_candidates_are_unseen_and_distinct(made):
    drawn = candidate_sets(made, np.arange(8), 10, seed=0)
    assert drawn.shape == (8, 10) and drawn.dtype == np.int32
    for user, items in enumerate(drawn.tolist()):
        assert len(set(items)) == 10
        assert not set(items) & set(made.item_nums[made.user_nums == user].tolist())
        assert set(items) <= set(range(30))


def test_a_user_gets_the_same_set_whoever_else_is_asked(made):
    together = candidate_sets(made, np.arange(8), 10, seed=0)
    mixed = candidate_sets(made, np.array([5, 2, 5]), 10, seed=0)
    assert np.array_equal(mixed, together[[5, 2, 5]])


def test_users_and_seeds_differ(made):
    drawn = candidate_sets(made, np.arange(8), 10, seed=0, exclude_seen=False)
    assert len({tuple(row) for row in drawn.tolist()}) == 8
    assert not np.array_equal(drawn, candidate_sets(made, np.arange(8), 10, seed=1, exclude_seen=False))


def test_seen_items_may_come_when_asked(made):
    drawn = candidate_sets(made, np.array([0]), 30, seed=0, exclude_seen=False)
    assert sorted(drawn[0].tolist()) == list(range(30))


def test_every_unseen_item_is_equally_likely(made):
    user, draws = 0, 600
    unseen = sorted(set(range(30)) - set(made.item_nums[made.user_nums == user].tolist()))
    counts = np.zeros(30)
    for seed in range(draws):
        np.add.at(counts, candidate_sets(made, np.array([user]), 5, seed)[0], 1)
    share = 5 / len(unseen)
    spread = np.sqrt(draws * share * (1 - share))
    assert (np.abs(counts[unseen] - draws * share) < 5 * spread).all()


def test_too_few_items_are_refused(made):
    with pytest.raises(InputError, match="fewer candidates"):
        candidate_sets(made, np.array([0]), 30, seed=0)


@pytest.mark.parametrize("user", [-1, 8])
def test_unknown_user_is_refused(made, user):
    with pytest.raises(InputError, match="no user number"):
        candidate_sets(made, np.array([user]), 2, seed=0)
