"""Sampled candidates: who is drawn, how often, and that nobody can mistake the result for an exact one."""

import numpy as np
import pytest
import torch

from rec_core.data.seen import seen_items
from rec_core.evaluation.full_ranking import rank_catalogue
from rec_core.evaluation.held_out import HeldOut
from rec_core.evaluation.per_user import per_user_metrics
from rec_core.evaluation.sampled_ranking import _candidates, sampled_metrics
from rec_core.types import InputError


def question(n_users: int, n_items: int, n_hidden: int = 0) -> HeldOut:
    """Everybody wants item 0; items 1..n_hidden are hidden."""
    users = np.repeat(np.arange(n_users), n_hidden)
    hidden = seen_items(users, np.tile(np.arange(1, n_hidden + 1), n_users), n_users, n_items)
    return HeldOut.of(np.arange(n_users), np.zeros(n_users, int), hidden, n_items)


def test_wanted_always_compete_and_hidden_never_do():
    competes = _candidates(question(200, 12, n_hidden=4), np.ones(12), 5, np.random.default_rng(0))
    assert competes[:, 0].all() and not competes[:, 1:5].any() and (competes.sum(axis=1) == 6).all()


def test_uniform_draws_are_uniform():
    """5 of 10 free items: each in half of the 4,000 draws; six standard errors are 0.047."""
    competes = _candidates(question(4000, 11), np.ones(11), 5, np.random.default_rng(1))
    assert competes[:, 1:].mean(axis=0) == pytest.approx(np.full(10, 0.5), abs=0.047)


def test_popular_items_are_drawn_in_proportion_and_unknown_ones_never():
    """One draw from weights 1, 2, 5: shares 1/8, 2/8, 5/8; six standard errors are at most 0.033."""
    weights = np.array([9.0, 1, 2, 5, 0])
    competes = _candidates(question(8000, 5), weights, 1, np.random.default_rng(2))
    assert competes[:, 1:].mean(axis=0) == pytest.approx([1 / 8, 2 / 8, 5 / 8, 0], abs=0.033)
    assert not competes[:, 4].any()


def test_with_every_item_drawn_it_is_the_exact_ranking():
    rng = np.random.default_rng(3)
    scores = torch.from_numpy(rng.normal(size=(9, 30)))
    users, items = np.repeat(np.arange(9), 6), np.arange(54) * 7 % 30  # others for every user
    held_out = HeldOut.of(np.arange(9), (users[::6] * 42 + 1) % 30, seen_items(users, items, 9, 30), 30)
    exact = per_user_metrics(rank_catalogue(lambda u: scores[u].clone(), held_out, 30, 0), [3])
    sampled = sampled_metrics(lambda u: scores[u].clone(), held_out, 30, [3], 23, "uniform", 0, chunk=2)
    assert np.array_equal(exact.to_numpy(), sampled.per_user.to_numpy())


def test_the_rank_counts_only_the_drawn_items():
    """The wanted item is beaten by half of 1,000 items, so by Binomial(9, 1/2) of 9 drawn ones."""
    scores = torch.arange(1000.0).roll(500).repeat(500, 1)  # item 0 scores 500
    sampled = sampled_metrics(
        lambda u: scores[: len(u)].clone(), question(500, 1000), 1000, [1, 5], 9, "uniform", seed=0
    )
    means = sampled.per_user.mean()
    assert means["hit@5 (9 sampled, uniform)"] == pytest.approx(0.5, abs=0.1)
    assert means["hit@1 (9 sampled, uniform)"] == pytest.approx(1 / 512, abs=0.02)


def test_every_column_carries_the_protocol():
    score = lambda users: torch.rand(len(users), 40, generator=torch.Generator().manual_seed(0))  # noqa: E731
    result = sampled_metrics(
        score, question(5, 40), 40, [10], 20, "popularity", seed=0, popularity=np.arange(40)
    )
    assert result.protocol == "sampled-20-popularity"
    assert list(result.per_user.columns) == ["user_num"] + [
        f"{name}@10 (20 sampled, popularity)" for name in ("recall", "ndcg", "map", "mrr", "hit")
    ]


def test_same_seed_same_draws_in_any_chunk_and_other_seeds_differ():
    scores = torch.from_numpy(np.random.default_rng(4).normal(size=(60, 50)))

    def run(seed, chunk):
        score = lambda users: scores[users].clone()  # noqa: E731
        return sampled_metrics(score, question(60, 50), 50, [3], 10, "uniform", seed, chunk=chunk).per_user

    assert run(0, None).equals(run(0, 7)) and not run(0, None).equals(run(1, None))


def test_too_few_items_to_draw_from_are_named():
    score = lambda users: torch.zeros(len(users), 12)  # noqa: E731
    with pytest.raises(InputError, match="User number 0 has 7 items to draw 8"):
        sampled_metrics(score, question(2, 12, n_hidden=4), 12, [3], 8, "uniform", seed=0)
    with pytest.raises(InputError, match="pass `popularity`"):
        sampled_metrics(score, question(2, 12), 12, [3], 8, "popularity", seed=0)
    with pytest.raises(InputError, match="at least one negative"):
        sampled_metrics(score, question(2, 12), 12, [3], 0, "uniform", seed=0)
