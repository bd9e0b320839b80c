"""Splits: disjoint, complete, in time order, and the leaks they do and do not have."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rec_core.data.interactions import make_interactions
from rec_core.data.splits import global_time, in_rows, leak_checks, leave_one_out, per_user_ratio
from rec_core.types import InputError, Split

pairs = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 9)), min_size=1, max_size=40)


def failed(interactions, split):
    return {check["check"] for check in leak_checks(interactions, split) if not check["ok"]}


def parts(split):
    return [split.train.tolist(), split.valid.tolist(), split.test.tolist()]


@given(pairs)
def test_leave_one_out_equals_a_naive_loop_and_covers_every_row_once(rows):
    users, items, times = zip(*rows, strict=True)
    made = make_interactions(users, items, None, times)
    naive = [[], [], []]
    for user in range(made.n_users):
        own = [row for row in range(len(made)) if made.user_nums[row] == user]
        naive[2] += own[-1:] if len(own) >= 3 else []
        naive[1] += own[-2:-1] if len(own) >= 3 else []
        naive[0] += own[:-2] if len(own) >= 3 else own
    split = leave_one_out(made)
    assert parts(split) == [sorted(part) for part in naive]
    assert sorted(sum(parts(split), [])) == list(range(len(made)))
    assert not failed(made, split) & {"parts disjoint", "users in order"}


@settings(max_examples=50)
@given(st.integers(0, 5000), st.sampled_from([(0.8, 0.1, 0.1), (0.29, 0.3, 0.41), (1, 0, 0), (0.5, 0, 0.5)]))
def test_global_time_is_three_stretches_of_the_right_sizes(n_rows, fractions):
    split = global_time(n_rows, fractions)
    assert sum(parts(split), []) == list(range(n_rows))
    hundredths = [round(100 * fraction) for fraction in fractions]
    assert len(split.train) == n_rows * hundredths[0] // 100
    assert len(split.valid) == n_rows * hundredths[1] // 100


def test_global_time_gives_the_published_sizes():
    split = global_time(970_009)
    assert [len(split.train), len(split.valid), len(split.test)] == [776_007, 97_000, 97_002]


def test_global_time_rounds_down_exactly():
    assert len(global_time(100, (0.29, 0.01, 0.7)).train) == 29, "0.29 * 100 is 28.999... in floating point"


@pytest.mark.parametrize("fractions", [(0.8, 0.1), (0.8, 0.1, 0.2), (1.2, -0.1, -0.1)])
def test_wrong_fractions_are_refused(fractions):
    with pytest.raises(InputError, match="sum to 1"):
        global_time(10, fractions)


def test_in_rows_translates_sample_numbers():
    split = in_rows(global_time(10), np.arange(10) * 3 + 5)
    assert parts(split) == [[5, 8, 11, 14, 17, 20, 23, 26], [29], [32]]


def test_a_sound_global_time_split_has_no_leak():
    made = make_interactions([0, 1, 0, 1, 0, 1], [0, 1, 1, 0, 2, 2], None, range(6))
    split = Split("global_time", np.arange(4), np.arange(4, 4), np.array([4, 5]))
    assert failed(made, split) == {"test items known"}


def test_each_leak_is_found():
    made = make_interactions([0, 1, 0, 0, 1, 0, 2], [0, 0, 1, 2, 1, 0, 0], None, range(7))
    everything = Split("x", np.array([0, 1, 2]), np.array([2, 3]), np.array([4, 5, 6]))
    assert failed(made, everything) == {"parts disjoint", "pairs apart", "test users known"}
    backwards = Split("x", np.array([2, 3, 4]), np.array([1]), np.array([0]))
    details = {check["check"]: check for check in leak_checks(made, backwards)}
    assert details["users in order"]["detail"].startswith("2 valid or test rows")
    assert details["calendar in order"]["detail"].startswith("3 training rows")
    assert not details["test items known"]["ok"]


def test_leave_one_out_sees_other_users_future(random_interactions):
    made = random_interactions(1)
    assert "calendar in order" in failed(made, leave_one_out(made))


@pytest.mark.parametrize(
    ("times", "order"),
    [
        (None, "There are no times: the order is that of the rows."),
        ([9] * 8, "All times are the same: the order is that of user and item numbers."),
    ],
)
@pytest.mark.parametrize("leaks", [False, True])
def test_without_times_the_checks_speak_of_rows(times, order, leaks):
    made = make_interactions([0] * 4 + [1] * 4, [0, 1, 2, 3] * 2, None, times)
    split = leave_one_out(made) if leaks else global_time(len(made), (0.5, 0.25, 0.25))
    checks = {check["check"]: check for check in leak_checks(made, split, has_time=times is not None)}
    assert "calendar in order" not in checks
    assert checks["rows in order"]["ok"] is not leaks
    told = "2 training rows stand after" if leaks else "Everything in train stands before"
    assert checks["rows in order"]["detail"].startswith(f"{order} {told}")
    assert checks["users in order"]["ok"]
    assert checks["users in order"]["detail"].startswith(f"{order} No user is tested")


def test_an_empty_test_part_leaks_nothing(random_interactions):
    made = random_interactions(2)
    assert failed(made, global_time(len(made), (1, 0, 0))) == set()


@given(pairs, st.integers(0, 3))
def test_per_user_ratio_deals_every_row_once_with_the_stated_counts(rows, seed):
    users, items, times = zip(*rows, strict=True)
    made = make_interactions(users, items, None, times)
    split = per_user_ratio(made, seed)
    assert sorted(sum(parts(split), [])) == list(range(len(made)))
    for user in range(made.n_users):
        n = int((made.user_nums == user).sum())
        test, valid = (int((made.user_nums[part] == user).sum()) for part in (split.test, split.valid))
        assert test == (max(round(0.1 * n), 1) if n > 1 else 0)
        assert valid == (max(round(0.1 * n), 1) if n > 2 else 0)


def test_per_user_ratio_is_random_by_seed_and_lets_the_future_into_training():
    made = make_interactions(np.repeat(np.arange(4), 50), np.tile(np.arange(50), 4), None, np.arange(200))
    first, again, other = (per_user_ratio(made, seed) for seed in (0, 0, 1))
    assert parts(first) == parts(again) != parts(other)
    assert "users in order" in failed(made, first)
    places = first.test[made.user_nums[first.test] == 0]
    assert places.min() < 25 < places.max()  # from anywhere in the history
    with pytest.raises(InputError, match="three shares"):
        per_user_ratio(made, 0, (0.5, 0.6, 0.1))


def test_rows_learned_from_beside_the_training_part_make_users_known():
    made = make_interactions([0, 1, 0, 1], [0, 1, 1, 0], None, range(4))
    split = Split("x", np.array([2]), np.array([], int), np.array([3]))
    assert failed(made, split) == {"test users known", "test items known"}
    checks = leak_checks(made, split, learned=np.array([0, 1, 2]))
    assert all(check["ok"] for check in checks)
