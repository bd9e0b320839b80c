"""Compressed rows of held-out questions against sets."""

import numpy as np
import pytest

from rec_core.data.seen import seen_items
from rec_core.evaluation.held_out import HeldOut
from rec_core.types import InputError

HIDDEN = seen_items(np.array([0, 0, 2, 3, 3]), np.array([4, 1, 0, 2, 5]), 4, 6)


def rows(table):
    return [table[1][a:b].tolist() for a, b in zip(table[0][:-1], table[0][1:], strict=True)]


def test_by_hand():
    """User 2 wants only what is hidden, user 0 wants a hidden item and two others, one of them twice."""
    held_out = HeldOut.of(np.array([3, 0, 0, 2, 0, 0, 1]), np.array([0, 5, 2, 0, 4, 5, 3]), HIDDEN, 6)
    assert held_out.users.tolist() == [0, 1, 3] and len(held_out) == 3
    assert rows(held_out.wanted) == [[2, 5], [3], [0]]
    assert rows(held_out.hidden) == [[1, 4], [], [2, 5]]
    assert held_out.n_unfindable == 2
    assert [place.tolist() for place in held_out.wanted_places] == [[0, 0, 1, 2], [2, 5, 3, 0]]
    assert [place.tolist() for place in held_out.hidden_places] == [[0, 0, 2, 2], [1, 4, 2, 5]]
    for table in (held_out.wanted, held_out.hidden):
        assert table[0].dtype == table[1].dtype == np.int64


def test_equals_sets(make_case):
    for seed in range(20):
        case = make_case(seed)
        held_out = case.held_out
        assert held_out.users.tolist() == case.users
        assert rows(held_out.wanted) == [sorted(case.wanted[u] - case.hidden[u]) for u in case.users]
        assert rows(held_out.hidden) == [sorted(case.hidden[u]) for u in case.users]
        assert held_out.n_unfindable == sum(len(w & h) for w, h in zip(case.wanted, case.hidden, strict=True))


def test_some_users_can_be_taken():
    held_out = HeldOut.of(np.array([3, 0, 0, 1]), np.array([0, 5, 2, 3]), HIDDEN, 6)
    for index in (np.array([2, 0]), np.array([True, False, True])):
        part = held_out.take(index)
        chosen = np.arange(3)[index]
        assert part.users.tolist() == held_out.users[chosen].tolist()
        assert rows(part.wanted) == [rows(held_out.wanted)[row] for row in chosen]
        assert rows(part.hidden) == [rows(held_out.hidden)[row] for row in chosen]
    assert len(held_out.take(np.zeros(3, dtype=bool))) == 0


def test_nothing_wanted_is_an_empty_question():
    empty = HeldOut.of(np.zeros(0, int), np.zeros(0, int), HIDDEN, 6)
    assert len(empty) == 0 and rows(empty.wanted) == rows(empty.hidden) == []
    assert len(HeldOut.of(np.array([2]), np.array([0]), HIDDEN, 6)) == 0


@pytest.mark.parametrize(
    ("users", "items", "text"),
    [
        ([4], [0], "user number 4"),
        ([-1], [0], "user number -1"),
        ([0], [6], "item number 6"),
        ([0], [], "pair up"),
    ],
)
def test_wrong_numbers_are_named(users, items, text):
    with pytest.raises(InputError, match=text):
        HeldOut.of(np.array(users, int), np.array(items, int), HIDDEN, 6)
