"""CTR samples against a naive loop."""

import numpy as np
import pytest

from rec_core.data.ctr import make_ctr_samples
from rec_core.data.histories import HistoryStore
from rec_core.data.interactions import make_interactions
from rec_core.types import InputError


@pytest.mark.parametrize("min_history", [0, 1, 5])
def test_equals_a_naive_loop(min_history, random_interactions):
    made = random_interactions(4)
    naive, earlier = [], dict.fromkeys(range(made.n_users), 0)
    for row in range(len(made)):
        user = int(made.user_nums[row])
        if earlier[user] >= min_history:
            naive.append((row, user, int(made.item_nums[row]), int(made.ratings[row] > 3), earlier[user]))
        earlier[user] += 1
    samples = make_ctr_samples(made, 3.0, min_history)
    columns = (samples.rows, samples.user_nums, samples.item_nums, samples.labels, samples.history_lengths)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == naive
    assert samples.labels.dtype == np.int8


def test_the_target_is_the_row_right_after_its_history(random_interactions):
    made = random_interactions(5)
    store, samples = HistoryStore(made), make_ctr_samples(made, 3.0, 2)
    for sample in range(len(samples)):
        length = samples.history_lengths[sample]
        rows = store.rows(samples.user_nums[sample])
        assert rows[length] == samples.rows[sample]
        assert len(store.of(samples.user_nums[sample], length)) == length


def test_the_threshold_itself_is_no_like():
    made = make_interactions(["a"] * 3, ["x", "y", "z"], [3.0, 3.5, 2.5], [1, 2, 3])
    assert make_ctr_samples(made, 3.0, 0).labels.tolist() == [0, 1, 0]


def test_rows_without_a_rating_count_as_history_only():
    made = make_interactions(["a"] * 3, ["x", "y", "z"], [np.nan, 5, np.nan], [1, 2, 3])
    samples = make_ctr_samples(made, 3.0, 0)
    assert samples.rows.tolist() == [1] and samples.history_lengths.tolist() == [1]


def test_no_ratings_at_all_is_refused():
    with pytest.raises(InputError, match="No interaction has a rating"):
        make_ctr_samples(make_interactions(["a"], ["x"]), 3.0, 0)


def test_negative_history_is_refused(random_interactions):
    with pytest.raises(InputError, match="min_history=-1"):
        make_ctr_samples(random_interactions(0), 3.0, -1)
