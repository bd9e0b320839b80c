"""Streamed rows become interactions in global time order, and their parts move with them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rec_core.data.interactions import make_interactions
from rec_core.data.sources.event_log import EventLog

ROWS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("wxyz"), st.integers(0, 5), st.integers(0, 2)),
    min_size=1,
)


def logged(rows):
    log = EventLog()
    for place, (user, item, seconds, part) in enumerate(rows):
        log.add(user, item, place, seconds, part)
    return log


@given(ROWS)
def test_equals_the_plain_way_and_parts_follow_their_rows(rows):
    made, parts = logged(rows).interactions(has_time=True)
    users, items, seconds, part = (list(column) for column in zip(*rows, strict=True))
    plain = make_interactions(users, items, list(range(len(rows))), seconds)
    for field in ("user_ids", "item_ids", "user_nums", "item_nums", "ratings", "timestamps"):
        np.testing.assert_array_equal(getattr(made, field), getattr(plain, field))
    assert parts.tolist() == [part[int(place)] for place in made.ratings]


@given(ROWS)
def test_without_time_the_order_of_adding_stands(rows):
    made, parts = logged(rows).interactions(has_time=False)
    assert made.ratings.tolist() == list(range(len(rows)))
    assert made.timestamps.tolist() == list(range(len(rows)))
    assert parts.tolist() == [part for *_, part in rows]


@given(ROWS, st.integers(1, 4))
def test_blocks_equal_single_rows(rows, size):
    log = EventLog()
    for start in range(0, len(rows), size):
        block = rows[start : start + size]
        users, items, seconds, _ = (np.array(column) for column in zip(*block, strict=True))
        log.add_block(users, items, start + np.arange(len(block)), seconds, part=2)
    single, _ = logged(rows).interactions(True)
    blocks, parts = log.interactions(True)
    assert blocks.user_ids.tolist() == single.user_ids.tolist()
    for field in ("user_nums", "item_nums", "ratings", "timestamps"):
        np.testing.assert_array_equal(getattr(blocks, field), getattr(single, field))
    assert (parts == 2).all()


def test_items_that_are_known_before_keep_their_numbers():
    log = EventLog(["x", "y"], ["u"])
    log.add("v", "z")
    log.add("v", "y")
    made, _ = log.interactions(False)
    assert made.item_ids.tolist() == ["x", "y", "z"] and made.user_ids.tolist() == ["u", "v"]
    assert made.item_nums.tolist() == [2, 1] and np.isnan(made.ratings).all()


def test_repeated_pairs_are_counted():
    log = EventLog()
    for user, item in ("ax", "ax", "ay", "bx", "ax"):
        log.add(user, item)
    assert log.repeated_pairs() == 2


def test_a_row_is_compact():
    log = EventLog()
    log.add_numbers(np.zeros(1000, np.int64), np.zeros(1000, np.int64))
    columns = [value for value in vars(log).values() if hasattr(value, "typecode")]
    assert sum(column.itemsize for column in columns) == 21 and len(columns) == 5


@pytest.mark.parametrize(("n_rows", "fine"), [(9, False), (10, True)])
def test_too_short_a_log_is_refused(n_rows, fine, complaint):
    log = EventLog()
    log.add_numbers(np.zeros(n_rows), np.zeros(n_rows))
    assert fine or complaint(log.check_size, "somewhere") == (
        "somewhere has 9 rows; a dataset needs at least 10, so add more."
    )
    if fine:
        log.check_size("somewhere")
