"""Who has seen what."""

import numpy as np

from rec_core.data.seen import seen_items


def test_seen_items_are_sorted_and_distinct():
    indptr, nums = seen_items(np.array([2, 0, 2, 2, 0]), np.array([4, 3, 1, 4, 0]), n_users=4, n_items=5)
    assert indptr.tolist() == [0, 2, 2, 4, 4]
    assert nums.tolist() == [0, 3, 1, 4]


def test_nobody_has_seen_anything():
    indptr, nums = seen_items(np.zeros(0, int), np.zeros(0, int), n_users=2, n_items=5)
    assert indptr.tolist() == [0, 0, 0] and len(nums) == 0
