"""Histories against a naive walk over the rows."""

import numpy as np
import pytest

from rec_core.data.histories import HistoryStore, positions_in_history
from rec_core.types import InputError


@pytest.mark.parametrize("seed", range(3))
def test_equals_a_naive_walk(seed, random_interactions):
    made = random_interactions(seed)
    store = HistoryStore(made)
    for user in range(made.n_users):
        rows = [row for row in range(len(made)) if made.user_nums[row] == user]
        history = store.of(user)
        assert store.rows(user).tolist() == rows
        assert history.item_nums.tolist() == [made.item_nums[row] for row in rows]
        assert history.ratings.tolist() == [made.ratings[row] for row in rows]
        assert history.timestamps.tolist() == [made.timestamps[row] for row in rows]
        assert store.lengths[user] == len(rows)
        assert store.of(user, 2).item_nums.tolist() == history.item_nums[:2].tolist()
        assert len(store.of(user, 0)) == 0
        assert len(store.of(user, 10_000)) == len(rows)
    assert store.lengths.tolist()[-1] == 0, "the last planted user has no rows"


@pytest.mark.parametrize(("user", "length"), [(-1, None), (99, None), (0, -1)])
def test_impossible_requests_are_refused(user, length, random_interactions):
    with pytest.raises(InputError):
        HistoryStore(random_interactions(0)).of(user, length)


def test_positions_count_the_earlier_rows_of_the_same_user():
    assert positions_in_history(np.array([1, 0, 1, 3, 1, 0])).tolist() == [0, 0, 1, 0, 2, 1]
    assert positions_in_history(np.array([], dtype=np.int32)).tolist() == []
