"""The shuffled order with one target per user, against a naive loop and against what it must not depend on."""

import hashlib

import numpy as np
import pytest

from rec_core.data.interactions import make_interactions, reordered, subset
from rec_core.data.last_of_user import last_of_user


def key(*words) -> int:
    return int.from_bytes(hashlib.sha256("/".join(["42", *words]).encode()).digest()[:8], "big") >> 1


def triples(made) -> list[tuple[str, str, float]]:
    rows = zip(made.user_nums, made.item_nums, made.ratings.tolist(), strict=True)
    return [(str(made.user_ids[user]), str(made.item_ids[item]), rating) for user, item, rating in rows]


def ordered(made) -> list[tuple[str, str, float]]:
    return triples(reordered(made, last_of_user(made)))


@pytest.mark.parametrize("seed", range(3))
def test_equals_a_naive_loop(seed, random_interactions):
    made = random_interactions(seed)
    histories, targets = [], []
    by_user: dict[str, list] = {}
    for user, item, rating in triples(made):
        by_user.setdefault(user, []).append((key("row", user, item), rating, item))
    for user in sorted(by_user, key=lambda user: key("user", user)):
        *before, last = [(user, item, rating) for _, rating, item in sorted(by_user[user])]
        histories += before
        targets.append(last)
    assert ordered(made) == histories + targets


def test_the_order_of_the_rows_and_of_the_numbers_does_not_matter(random_interactions):
    made = random_interactions(1)
    rows = triples(made)
    for seed in range(3):
        users, items, ratings = zip(
            *(rows[i] for i in np.random.default_rng(seed).permutation(len(rows))), strict=True
        )
        assert ordered(make_interactions(users, items, ratings)) == ordered(made)


def test_rows_left_out_do_not_move_the_others(random_interactions):
    made = random_interactions(2)
    whole = ordered(made)
    kept = np.flatnonzero(made.item_nums != 3)
    assert 0 < len(kept) < len(made)
    part = ordered(subset(made, kept))
    for user in {row[0] for row in part}:
        assert [row for row in part if row[0] == user] == [
            row for row in whole if row[0] == user and row[1] != "3"
        ], "a user whose last row went is asked about the one before"
    n_users = len({row[0] for row in part})
    assert len({row[0] for row in part[-n_users:]}) == n_users


def test_targets_and_users_are_drawn_evenly():
    """400 users with the same four items: each item is some user's target a quarter of the time."""
    users, items = np.repeat(np.arange(400), 4), np.tile(np.arange(4), 400)
    made = make_interactions(users, items)
    targets = ordered(made)[-400:]
    counts = np.bincount([int(item) for _, item, _ in targets])
    assert counts.min() > 70 and counts.max() < 130  # 100 expected, 8.7 is one standard deviation
    places = np.array([int(user) for user, _, _ in targets])
    assert sorted(places) == list(range(400)) and abs(np.corrcoef(places, np.arange(400))[0, 1]) < 0.15


def test_reordering_numbers_the_rows_anew_and_nobody_is_left_out():
    made = make_interactions(["a", "b", "a"], ["x", "y", "z"], [1, 2, 3])
    again = reordered(made, last_of_user(made))
    assert again.timestamps.tolist() == [0, 1, 2] and sorted(triples(again)) == sorted(triples(made))
    assert last_of_user(make_interactions([], [])).tolist() == []
