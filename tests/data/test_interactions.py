"""Raw columns to rows in global time order."""

import numpy as np
import pytest

from rec_core.data.interactions import make_interactions, subset
from rec_core.data.vocab import Vocab
from rec_core.types import InputError


def test_rows_are_sorted_by_time_then_user_then_item():
    users, items = Vocab(np.array(["a", "b"])), Vocab(np.array(["x", "y", "z"]))
    made = make_interactions(
        ["b", "a", "b", "a", "b"],
        ["z", "y", "x", "x", "x"],
        [1, 2, 3, 4, 5],
        [20, 20, 20, 20, 10],
        users=users,
        items=items,
    )
    # time 10: (b, x); time 20: (a, x), (a, y), (b, x), (b, z)
    assert made.ratings.tolist() == [5, 4, 2, 3, 1]
    assert made.timestamps.tolist() == [10, 20, 20, 20, 20]
    assert made.user_nums.tolist() == [1, 0, 0, 1, 1]
    assert made.item_nums.tolist() == [0, 0, 1, 0, 2]
    assert (made.n_users, made.n_items) == (2, 3)


def test_equal_rows_keep_their_order():
    made = make_interactions(["a"] * 3, ["x"] * 3, [3, 1, 2], [5, 5, 5])
    assert made.ratings.tolist() == [3, 1, 2]


def test_without_time_the_given_order_stands_and_the_rank_is_the_time():
    made = make_interactions(["b", "a", "b"], ["y", "x", "x"])
    assert made.user_ids.tolist() == ["b", "a"] and made.item_ids.tolist() == ["y", "x"]
    assert made.user_nums.tolist() == [0, 1, 0] and made.item_nums.tolist() == [0, 1, 1]
    assert made.timestamps.tolist() == [0, 1, 2]
    assert np.isnan(made.ratings).all()


def test_dtypes():
    made = make_interactions([1, 2], [3, 3], [1, 5], [2.7, 1.2])
    assert (made.user_nums.dtype, made.item_nums.dtype) == (np.int32, np.int32)
    assert (made.ratings.dtype, made.timestamps.dtype) == (np.float32, np.int64)
    assert made.timestamps.tolist() == [1, 2]
    assert made.user_ids.dtype.kind == "U"


def test_subset_keeps_order_and_numbering():
    made = make_interactions(["a", "b", "c"], ["x", "y", "z"], [1, 2, 3], [1, 2, 3])
    for rows in ([2, 0], np.array([True, False, True])):
        part = subset(made, np.array(rows))
        assert part.user_nums.tolist() == [0, 2] and part.ratings.tolist() == [1, 3]
        assert part.n_users == 3 and part.item_ids.tolist() == ["x", "y", "z"]


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(InputError, match="ratings has 1 rows, user_ids has 2"):
        make_interactions(["a", "b"], ["x", "y"], [1])


def test_missing_timestamp_is_refused():
    with pytest.raises(InputError, match="timestamp at position 1"):
        make_interactions(["a", "b"], ["x", "y"], None, [1.0, np.nan])


def test_unknown_item_is_refused():
    with pytest.raises(InputError, match="'q'"):
        make_interactions(["a"], ["q"], items=Vocab(np.array(["x"])))
