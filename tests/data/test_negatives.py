"""Negatives: never seen, every unseen item equally likely."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rec_core.data.negatives import sample_negatives, seen_items
from rec_core.types import InputError


def test_seen_items_are_sorted_and_distinct():
    indptr, nums = seen_items(np.array([2, 0, 2, 2, 0]), np.array([4, 3, 1, 4, 0]), n_users=4, n_items=5)
    assert indptr.tolist() == [0, 2, 2, 4, 4]
    assert nums.tolist() == [0, 3, 1, 4]


@given(st.lists(st.sets(st.integers(0, 6), max_size=6), min_size=1, max_size=5), st.integers(0, 2**32))
def test_a_negative_was_never_seen(histories, seed):
    users = np.array([user for user, items in enumerate(histories) for _ in items], dtype=np.int64)
    items = np.array([item for items in histories for item in items], dtype=np.int64)
    seen = seen_items(users, items, len(histories), 7)
    asked = np.repeat(np.arange(len(histories)), 20)
    drawn = sample_negatives(asked, seen, 7, np.random.default_rng(seed))
    assert drawn.dtype == np.int32
    for user, item in zip(asked, drawn, strict=True):
        assert 0 <= item < 7 and item not in histories[user]


def test_every_unseen_item_is_equally_likely():
    seen = seen_items(np.array([0, 0, 0, 1]), np.array([0, 3, 5, 1]), n_users=2, n_items=6)
    drawn = sample_negatives(np.repeat([0, 1], 30_000), seen, 6, np.random.default_rng(0))
    counts = np.bincount(drawn[:30_000], minlength=6)
    assert counts[[0, 3, 5]].tolist() == [0, 0, 0]
    assert (np.abs(counts[[1, 2, 4]] - 10_000) < 5 * np.sqrt(30_000 * 2 / 9)).all()
    others = np.bincount(drawn[30_000:], minlength=6)
    assert others[1] == 0 and (np.abs(others[[0, 2, 3, 4, 5]] - 6_000) < 5 * np.sqrt(30_000 * 4 / 25)).all()


def test_one_unseen_item_among_many_is_found():
    left = 777
    items = np.delete(np.arange(1000), left)
    seen = seen_items(np.zeros(999, dtype=int), items, 1, 1000)
    assert (
        sample_negatives(np.zeros(5, dtype=int), seen, 1000, np.random.default_rng(0)).tolist() == [left] * 5
    )


def test_same_generator_state_same_draw():
    seen = seen_items(np.array([0]), np.array([1]), 1, 50)
    draws = [sample_negatives(np.zeros(9, dtype=int), seen, 50, np.random.default_rng(4)) for _ in range(2)]
    assert np.array_equal(*draws)


def test_a_user_who_saw_everything_is_refused():
    seen = seen_items(np.array([1, 1]), np.array([0, 1]), 2, 2)
    with pytest.raises(InputError, match="User number 1 has seen all 2 items"):
        sample_negatives(np.array([0, 1]), seen, 2, np.random.default_rng(0))


def test_nobody_asked():
    assert (
        sample_negatives(
            np.array([], dtype=int), seen_items([], [], 2, 2), 2, np.random.default_rng(0)
        ).tolist()
        == []
    )
