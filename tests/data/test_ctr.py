"""CTR samples against a naive loop."""

import numpy as np
import pytest

from rec_core.data.ctr import make_ctr_samples, rows_around
from rec_core.data.histories import HistoryStore
from rec_core.data.interactions import make_interactions
from rec_core.data.splits import global_time
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


@pytest.mark.parametrize("min_history", [0, 5, 12])
def test_one_question_per_user_is_about_the_last_row(min_history, random_interactions):
    made = random_interactions(4)
    naive = []
    for user in range(made.n_users):
        rows = np.flatnonzero(made.user_nums == user)
        if len(rows) > min_history:
            naive.append((rows[-1], user, len(rows) - 1))
    samples = make_ctr_samples(made, 3.0, min_history, "last_of_user")
    columns = (samples.rows, samples.user_nums, samples.history_lengths)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == sorted(naive)


def test_a_last_row_without_a_rating_is_not_asked_about():
    made = make_interactions(["a", "b", "a", "b"], list("xyzw"), [5, 5, np.nan, 2])
    assert make_ctr_samples(made, 3.0, 1, "last_of_user").rows.tolist() == [3]


def test_what_may_be_learned_from_holds_no_answer_of_validation_or_test(random_interactions):
    made = random_interactions(6, n_rows=200, n_users=30)
    samples = make_ctr_samples(made, 3.0, 2, "last_of_user")
    split = global_time(len(samples))
    train, valid = rows_around(samples, split, len(made), "last_of_user")
    held_out = {int(samples.rows[s]) for s in [*split.valid, *split.test]}
    assert train.tolist() == [row for row in range(len(made)) if row not in held_out]
    assert valid.tolist() == [int(samples.rows[s]) for s in split.valid]
    samples = make_ctr_samples(made, 3.0, 2)
    split = global_time(len(samples))
    first, test = int(samples.rows[split.valid[0]]), int(samples.rows[split.test[0]])
    before, between = rows_around(samples, split, len(made), "every_rating")
    assert (before.tolist(), between.tolist()) == (list(range(first)), list(range(first, test)))
