"""Ranks and lists of the whole catalogue against sorting it user by user."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rec_core.data.seen import seen_items
from rec_core.evaluation import full_ranking
from rec_core.evaluation.full_ranking import rank_catalogue
from rec_core.evaluation.held_out import HeldOut
from rec_core.evaluation.per_user import per_user_metrics
from rec_core.types import InputError


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int64])
def test_equals_sorting_every_user(make_case, tied, dtype):
    for seed in range(8):
        case = make_case(seed, tied=tied or dtype == np.int64, dtype=dtype)
        for top_k in (0, 1, 4, 100):
            ranking = rank_catalogue(case.score, case.held_out, case.n_items, top_k)
            assert ranking.ranks.tolist() == case.naive_ranks()
            assert ranking.top.tolist() == case.naive_top(top_k)
            assert ranking.users.tolist() == case.users
            assert ranking.top.dtype == np.int32 and ranking.ranks.dtype == np.int64


def test_popularity_is_ranked_exactly():
    """One score for everybody, three values over 500 items: every list is cut inside a tie."""
    rng = np.random.default_rng(0)
    popularity = rng.integers(0, 3, 500).astype(np.float32)
    hidden = seen_items(np.repeat(np.arange(5), 60), rng.integers(0, 500, 300), 5, 500)
    held_out = HeldOut.of(np.repeat(np.arange(5), 30), rng.integers(0, 500, 150), hidden, 500)
    score = lambda users: torch.from_numpy(popularity).repeat(len(users), 1)  # noqa: E731
    ranking = rank_catalogue(score, held_out, 500, 10)
    ranks = iter(ranking.ranks.tolist())
    for row in range(5):
        gone = hidden[1][hidden[0][row] : hidden[0][row + 1]]
        order = [i for i in np.lexsort((np.arange(500), -popularity)) if i not in gone]
        assert ranking.top[row].tolist() == order[:10]
        a, b = held_out.wanted[0][row : row + 2]
        assert [next(ranks) for _ in range(a, b)] == [order.index(i) + 1 for i in held_out.wanted[1][a:b]]


def test_whole_numbers_keep_their_order():
    """2**24 and 2**24 + 1 are the same number in single precision."""
    held_out = HeldOut.of(np.zeros(3, int), np.arange(3), seen_items(np.zeros(0), np.zeros(0), 1, 3), 3)
    ranking = rank_catalogue(lambda users: 2**24 + torch.tensor([[0, 2, 1]]), held_out, 3, 3)
    assert ranking.top.tolist() == [[1, 2, 0]] and ranking.ranks.tolist() == [3, 1, 2]


def test_minus_zero_ties_with_zero():
    held_out = HeldOut.of(np.zeros(3, int), np.arange(3), seen_items(np.zeros(0), np.zeros(0), 1, 3), 3)
    ranking = rank_catalogue(lambda users: torch.tensor([[-0.0, 0.0, -0.0]]), held_out, 3, 3)
    assert ranking.top.tolist() == [[0, 1, 2]] and ranking.ranks.tolist() == [1, 2, 3]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 9), st.integers(1, 30), st.booleans())
def test_properties(make_case, seed, top_k, chunk, n_wanted, tied):
    """Chunks change nothing, hidden items never appear, and ranks say where the lists show the wanted items."""
    case = make_case(seed, n_users=6, n_items=40, tied=tied, n_wanted=n_wanted)
    held_out = case.held_out
    ranking = rank_catalogue(case.score, held_out, 40, top_k, chunk=chunk)
    whole = rank_catalogue(case.score, held_out, 40, top_k)
    assert np.array_equal(ranking.top, whole.top) and np.array_equal(ranking.ranks, whole.ranks)
    for user, row in zip(ranking.users, ranking.top, strict=True):
        shown = row[row >= 0]
        assert not set(shown.tolist()) & case.hidden[user]
        assert len(set(shown.tolist())) == len(shown) == min(top_k, 40 - len(case.hidden[user]))
    rows, items = held_out.wanted_places
    for row, item, rank in zip(rows, items, ranking.ranks, strict=True):
        if rank <= top_k:
            assert ranking.top[row, rank - 1] == item
        else:
            assert item not in ranking.top[row]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_renumbering_items_changes_no_metric_without_ties(make_case, seed):
    case = make_case(seed, n_users=6, n_items=40)
    new = np.random.default_rng(seed).permutation(40)
    scores = np.empty_like(case.scores)
    scores[:, new] = case.scores
    moved = type(case)(scores, *([{int(new[i]) for i in s} for s in t] for t in (case.hidden, case.wanted)))
    frames = [per_user_metrics(rank_catalogue(c.score, c.held_out, 40, 0), [3, 20]) for c in (case, moved)]
    assert np.allclose(*(frame.to_numpy(np.float64) for frame in frames))


def test_blocks_are_asked_for_once_in_order_and_stay_small(make_case):
    case, asked = make_case(3, n_users=30), []

    def score(users):
        asked.append(users.tolist())
        return case.score(users)

    rank_catalogue(score, case.held_out, case.n_items, 2, chunk=4)
    assert sum(asked, []) == case.users and {len(users) for users in asked[:-1]} == {4}


def test_the_default_block_is_bounded_by_cells(make_case, monkeypatch):
    monkeypatch.setattr(full_ranking, "_BLOCK_CELLS", {"cpu": 150, "cuda": 150})
    case, sizes = make_case(3, n_users=30), []
    rank_catalogue(
        lambda users: sizes.append(len(users)) or case.score(users), case.held_out, case.n_items, 2
    )
    assert max(sizes) == 150 // 70


def test_a_layout_by_column_and_a_gradient_are_no_obstacle(make_case):
    case = make_case(1)
    weights = torch.tensor(case.scores, requires_grad=True)
    by_column = lambda users: (weights[users] * 1).T.contiguous().T  # noqa: E731
    ranking = rank_catalogue(by_column, case.held_out, case.n_items, 5)
    assert ranking.ranks.tolist() == case.naive_ranks() and ranking.top.tolist() == case.naive_top(5)


def test_nobody_to_ask():
    nobody = HeldOut.of(np.zeros(0, int), np.zeros(0, int), seen_items(np.zeros(0), np.zeros(0), 2, 3), 3)
    ranking = rank_catalogue(lambda users: torch.zeros(len(users), 3), nobody, 3, 2)
    assert ranking.top.shape == (0, 2) and ranking.ranks.shape == (0,)


@pytest.mark.parametrize("n_wanted", [1, 30])
def test_nan_is_refused_however_ranks_are_found(make_case, n_wanted):
    """Once by counting (few wanted items), once by sorting (many)."""
    rng = np.random.default_rng(0)
    wanted = rng.choice(40, n_wanted, replace=False)
    nothing = seen_items(np.zeros(0), np.zeros(0), 3, 40)
    held_out = HeldOut.of(np.repeat(np.arange(3), n_wanted), np.tile(wanted, 3), nothing, 40)
    unwanted = [i for i in range(40) if i not in wanted]
    for bad in (wanted[0], unwanted[0]):
        scores = rng.normal(size=(3, 40)).astype(np.float32)
        scores[:, unwanted[1]] = 50  # the best item is not wanted
        scores[1, bad] = np.nan
        with pytest.raises(InputError, match="user number 1 .*NaN"):
            rank_catalogue(lambda users: torch.tensor(scores[users]), held_out, 40, 0)  # noqa: B023


def test_nan_of_a_hidden_item_does_not_matter(make_case):
    case = make_case(2)
    for user, items in enumerate(case.hidden):
        case.scores[user, list(items)] = np.nan
    ranking = rank_catalogue(case.score, case.held_out, case.n_items, 5)
    assert ranking.top.tolist() == case.naive_top(5)


def test_wrong_scores_are_named(make_case):
    case = make_case(0)
    with pytest.raises(InputError, match=r"\(7, 69\) instead of \(7, 70\)"):
        rank_catalogue(lambda users: torch.zeros(7, 69), case.held_out.take(np.arange(7)), 70, 3)
    wanted = case.held_out.wanted[1][0]
    case.scores[case.users[0], wanted] = -np.inf
    with pytest.raises(InputError, match=f"user number {case.users[0]} scores a wanted item -inf"):
        rank_catalogue(case.score, case.held_out, 70, 3)


def test_minus_infinity_marks_items_that_are_never_shown(make_case):
    case = make_case(4)
    free = [i for i in range(70) if i not in set().union(*case.wanted)]
    case.scores[:, free] = -np.inf
    ranking = rank_catalogue(case.score, case.held_out, 70, 70)
    assert not np.isin(ranking.top, free).any() and ranking.ranks.tolist() == case.naive_ranks()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_gives_the_same(make_case):
    for tied in (False, True):
        case = make_case(5, tied=tied)
        ranking = rank_catalogue(lambda u: case.score(u).cuda(), case.held_out, case.n_items, 6)  # noqa: B023
        assert ranking.ranks.tolist() == case.naive_ranks() and ranking.top.tolist() == case.naive_top(6)
