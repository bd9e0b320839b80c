import numpy as np
import pytest

from rec_core.probes.baselines import popular_lists, profile_lists, random_lists
from rec_core.types import InputError, Interactions


@pytest.fixture
def interactions():
    users = np.array([1, 0, 1, 0, 2, 1], np.int32)
    items = np.array([3, 0, 1, 3, 0, 3], np.int32)
    ids = np.array([f"i{n}" for n in range(5)])
    return Interactions(
        np.array(["a", "b", "c", "d"]), ids, users, items, np.ones(6, np.float32), np.arange(6)
    )


def test_profile_lists_are_histories_oldest_first(interactions):
    assert profile_lists(interactions, [1, 0, 3]) == {1: [3, 1, 3], 0: [0, 3], 3: []}


def test_popular_lists_by_hand(interactions):
    # counts: item 3 three times, item 0 twice, item 1 once, items 2 and 4 never
    assert popular_lists(interactions, [3, 0], 3) == {3: [3, 0, 1], 0: [1, 2, 4]}
    assert popular_lists(interactions, [0], 2, exclude_seen=False) == {0: [3, 0]}
    assert popular_lists(interactions, [1], 9) == {1: [0, 2, 4]}


def test_random_lists_are_new_distinct_and_independent_of_who_else_asks(interactions):
    lists = random_lists(interactions, [0, 1, 2, 3], 2, seed=1)
    for user, items in lists.items():
        assert len(set(items)) == 2
        assert not set(items) & set(profile_lists(interactions, [user])[user])
    assert random_lists(interactions, [2], 2, seed=1)[2] == lists[2]
    orders = random_lists(interactions, range(4), 5, seed=1, exclude_seen=False).values()
    assert len({tuple(items) for items in orders}) > 1
    assert len(random_lists(interactions, [1], 9, seed=1)[1]) == 3
    assert len(random_lists(interactions, [1], 9, seed=1, exclude_seen=False)[1]) == 5


def test_random_lists_are_uniform(interactions):
    drawn = [random_lists(interactions, [3], 1, seed=seed)[3][0] for seed in range(1000)]
    assert np.bincount(drawn, minlength=5) == pytest.approx(np.full(5, 200), abs=50)


def test_an_unknown_user_is_named(interactions):
    with pytest.raises(InputError, match="user number 4"):
        popular_lists(interactions, [4], 2)
