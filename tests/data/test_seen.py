"""Who has seen what."""

import numpy as np

from rec_core.data.seen import distinct, seen_items


def test_seen_items_are_sorted_and_distinct():
    indptr, nums = seen_items(np.array([2, 0, 2, 2, 0]), np.array([4, 3, 1, 4, 0]), n_users=4, n_items=5)
    assert indptr.tolist() == [0, 2, 2, 4, 4]
    assert nums.tolist() == [0, 3, 1, 4]


def test_nobody_has_seen_anything():
    indptr, nums = seen_items(np.zeros(0, int), np.zeros(0, int), n_users=2, n_items=5)
    assert indptr.tolist() == [0, 0, 0] and len(nums) == 0


def test_distinct_values_come_once_in_order():
    assert distinct(np.array([5, 1, 5, -3, 1])).tolist() == [-3, 1, 5]
    assert distinct(np.zeros(0, np.int64)).tolist() == []
