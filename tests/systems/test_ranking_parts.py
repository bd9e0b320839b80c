"""The ranking task: who is asked what, and what may be read for it."""

import numpy as np
import pandas as pd
import pytest

from rec_core.data.interactions import make_interactions
from rec_core.systems.ranking_parts import RankingParts, Rows
from rec_core.systems.ranking_task import RankingTask
from rec_core.types import Catalogue, Dataset, InputError

# user, item, rating in time order; user 2 has two rows only
LOG = [
    (0, 0, 5),
    (1, 1, 2),
    (0, 1, 1),
    (0, 2, 5),
    (1, 3, 5),
    (2, 0, 5),
    (0, 3, 5),
    (1, 0, 5),
    (2, 1, 4),
    (1, 2, 1),
]


def dataset(parts=None) -> Dataset:
    users, items, ratings = (np.array(column) for column in zip(*LOG, strict=True))
    made = make_interactions(users, items, ratings.astype(float), np.arange(len(LOG)))
    ids = made.item_ids.astype(str)
    table = pd.DataFrame({"item_id": ids, "title": ids, "year": pd.NA, "genres": "", "description": ""})
    people = pd.DataFrame({"user_id": made.user_ids.astype(str)})
    return Dataset("log", made, Catalogue(table), people, "here", "none", "1", 3.0, 5.0, parts=parts)


def asked(held_out) -> dict[int, list[int]]:
    indptr, items = held_out.wanted
    return {int(u): items[indptr[b] : indptr[b + 1]].tolist() for b, u in enumerate(held_out.users)}


def hidden(held_out) -> dict[int, list[int]]:
    indptr, items = held_out.hidden
    return {int(u): items[indptr[b] : indptr[b + 1]].tolist() for b, u in enumerate(held_out.users)}


def num(item: int) -> int:
    """The number of an item id: numbers follow the first appearance."""
    return dataset().interactions.item_ids.tolist().index(str(item))


def test_leave_one_out_asks_for_the_last_item_and_hides_the_rest():
    parts = RankingParts.of(dataset(), RankingTask())
    assert asked(parts.valid) == {0: [num(2)], 1: [num(0)]}
    assert asked(parts.test) == {0: [num(3)], 1: [num(2)]}
    assert hidden(parts.valid) == {0: sorted([num(0), num(1)]), 1: sorted([num(1), num(3)])}
    assert hidden(parts.test) == {0: sorted([num(0), num(1), num(2)]), 1: sorted([num(1), num(3), num(0)])}
    assert parts.popularity.sum() == len(parts.train_pairs[0]) == 6


def test_validation_items_can_stay_among_the_candidates_of_the_test():
    parts = RankingParts.of(dataset(), RankingTask(hide_valid_at_test=False))
    assert hidden(parts.test) == hidden(parts.valid)


def test_histories_are_in_time_order_and_gain_the_validation_item_in_the_test():
    parts = RankingParts.of(dataset(), RankingTask())
    assert parts.histories("valid").row(0).tolist() == [num(0), num(1)]
    assert parts.histories("test").row(0).tolist() == [num(0), num(1), num(2)]
    assert parts.histories("test").row(2).tolist() == [num(0), num(1)]


def test_likes_alone_can_be_positives():
    """User 0 trains on items 0 (5 stars), not on 1 (1 star); user 1's last item has 1 star: no test question."""
    parts = RankingParts.of(dataset(), RankingTask(positives="likes"))
    assert parts.histories("valid").row(0).tolist() == [num(0)]
    assert asked(parts.test) == {0: [num(3)]}


def test_given_parts_and_users_unknown_in_training():
    """User 2 has no training row, so nobody can be expected to rank for user 2."""
    cut = np.array([0, 0, 0, 1, 1, 2, 2, 2, 1, 2], dtype=np.int8)
    parts = RankingParts.of(dataset(cut), RankingTask(split="given"))
    assert asked(parts.test) == {0: [num(3)], 1: sorted([num(0), num(2)])}
    assert asked(parts.valid) == {0: [num(2)], 1: [num(3)]}
    with pytest.raises(InputError):
        RankingParts.of(dataset(), RankingTask(split="given"))


def test_a_split_that_asks_nobody_is_refused():
    made = dataset()
    alone = Dataset(**{**made.__dict__, "parts": np.zeros(len(LOG), np.int8)})
    with pytest.raises(InputError, match="leaves no user"):
        RankingParts.of(alone, RankingTask(split="given"))


def test_rows_group_pairs_by_user_in_their_order():
    rows = Rows.of(np.array([1, 0, 1, 1]), np.array([7, 5, 3, 7]), 3)
    assert [rows.row(u).tolist() for u in range(3)] == [[5], [7, 3, 7], []]


def test_the_protocol_is_one_sentence():
    text = RankingParts.of(dataset(), RankingTask()).describe()
    assert "leave_one_out" in text and "4 items" in text and "2 test users" in text
