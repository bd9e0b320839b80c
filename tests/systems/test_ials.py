"""iALS: the user step against the weighted regression written out, and against the library's own."""

import numpy as np
import pytest

from rec_core.systems import ials
from rec_core.systems.ranking_parts import RankingParts
from rec_core.types import History

CONFIG = ials.IALSConfig(embedding_size=4, reg=0.7, alpha=3.0)


@pytest.fixture
def system(planted, tmp_path):
    ials.learn(RankingParts.of(planted, CONFIG.task), CONFIG, tmp_path, 0, lambda event: None)
    return ials.load(planted, CONFIG, tmp_path)


def test_solve_user_is_the_weighted_ridge_regression():
    items = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
    taken = [1, 4]
    weights, wanted = np.ones(7), np.zeros(7)
    weights[taken], wanted[taken] = 3.0, 1.0
    matrix, right = 0.7 * np.eye(3), np.zeros(3)
    for j in range(7):
        row = items[j].astype(np.float64)
        matrix += weights[j] * np.outer(row, row)
        right += weights[j] * wanted[j] * row
    found = ials.solve_user(items[taken], items.astype(np.float64).T @ items, 3.0, 0.7)
    np.testing.assert_allclose(found, np.linalg.solve(matrix, right), atol=1e-6)


def test_known_users_vectors_are_the_fold_in_of_their_training_items(system, planted):
    parts = RankingParts.of(planted, CONFIG.task)
    rows = parts.histories("valid")
    for user in range(0, 30, 7):
        items = rows.row(user)
        past = History(items, np.full(len(items), np.nan, np.float32), np.arange(len(items)))
        np.testing.assert_allclose(system.users[user], system.fold_in(past), atol=1e-5)
        np.testing.assert_allclose(system.fold_in(past.without(0)), system.fold_in(past), atol=0.5)
    assert not system.fold_in(past.without(0)).tolist() == system.fold_in(past).tolist()


def test_training_lowers_the_weighted_squared_error(system, planted, tmp_path):
    def error(vectors: ials.IALS) -> float:
        parts = RankingParts.of(planted, CONFIG.task)
        taken = np.zeros((30, 30))
        taken[parts.train_pairs] = 1
        confidence = np.where(taken > 0, CONFIG.alpha, 1.0)
        users, items = vectors.users, vectors.view.values
        norms = (users**2).sum() + (items**2).sum()
        return float((confidence * (taken - users @ items.T) ** 2).sum() + CONFIG.reg * norms)

    one_round = CONFIG.with_values({"iterations": 1})
    ials.learn(RankingParts.of(planted, CONFIG.task), one_round, tmp_path / "one", 0, lambda event: None)
    assert error(system) < 0.95 * error(ials.load(planted, one_round, tmp_path / "one"))


def test_threads_do_not_change_the_vectors_and_the_seed_does(system, planted, tmp_path):
    parts = RankingParts.of(planted, CONFIG.task)
    two = CONFIG.with_values({"n_threads": 2})
    ials.learn(parts, two, tmp_path / "two", 0, lambda event: None)
    ials.learn(parts, CONFIG, tmp_path / "seed", 1, lambda event: None)
    np.testing.assert_array_equal(ials.load(planted, two, tmp_path / "two").users, system.users)
    assert not np.array_equal(ials.load(planted, CONFIG, tmp_path / "seed").users, system.users)


def test_every_round_is_reported(planted, tmp_path):
    events = []
    ials.learn(RankingParts.of(planted, CONFIG.task), CONFIG, tmp_path, 0, events.append)
    assert [(event.step, event.total) for event in events] == [(n, 15) for n in range(1, 16)]
