"""EASE's closed form against one ridge regression per item."""

import tracemalloc

import numpy as np
import pytest

from rec_core.systems import ease
from rec_core.systems.item_weights import interaction_matrix, shared_users
from rec_core.systems.ranking_parts import RankingParts
from rec_core.systems.ranking_task import RankingTask
from rec_core.types import History, InputError

X = np.random.default_rng(0).integers(0, 2, size=(8, 6)).astype(np.float64)


@pytest.mark.parametrize("reg", [0.5, 30.0])
def test_every_column_is_the_ridge_regression_on_the_other_items(reg, monkeypatch):
    monkeypatch.setattr(ease, "_ROWS", 4)  # the last block is shorter
    found = ease.ease_weights(lambda items: (X.T @ X)[items], 6, reg)
    assert found.dtype == np.float32
    for j in range(6):
        others = np.arange(6) != j
        rest = X[:, others]
        expected = np.linalg.solve(rest.T @ rest + reg * np.eye(5), rest.T @ X[:, j])
        np.testing.assert_allclose(found[others, j], expected, atol=1e-6)
        assert found[j, j] == 0


def test_the_gram_counts_the_users_two_items_share():
    parts = RankingParts.of(planted_pairs(), RankingTask())
    taken = interaction_matrix(parts.seen, parts.n_items).toarray()
    assert set(np.unique(taken)) == {0.0, 1.0}
    np.testing.assert_array_equal(shared_users(parts)(np.array([2, 0])), (taken.T @ taken)[[2, 0]])


def planted_pairs():
    """Three users who take items again and again."""
    import pandas as pd

    from rec_core.data.interactions import make_interactions
    from rec_core.types import Catalogue, Dataset

    users = np.repeat(["a", "b", "c"], 5)
    items = np.array(list("xyxzyxxzxyyzyxz"))
    rows = make_interactions(users, items, np.full(15, 5), np.arange(15))
    table = pd.DataFrame({"item_id": rows.item_ids, "title": rows.item_ids, "genres": "", "description": ""})
    table["year"] = pd.array([pd.NA] * len(table), dtype="Int64")
    people = pd.DataFrame({"user_id": rows.user_ids})
    return Dataset("pairs", rows, Catalogue(table), people, "invented", "none", "pairs-1", 3.0, 5.0)


def test_the_evidence_adds_up_to_the_score(planted, tmp_path):
    config = ease.EASEConfig(reg=5.0)
    ease.learn(RankingParts.of(planted, config.task), config, tmp_path, 0, lambda event: None)
    system = ease.load(planted, config, tmp_path)
    past = History(np.array([3, 8, 21], np.int32), np.full(3, np.nan, np.float32), np.arange(3))
    for item in (0, 5, 21):
        total = system.relatedness(past, item).sum()
        assert total == pytest.approx(system.catalogue_scores(past)[item], abs=1e-6)
    assert system.relatedness(past, 21)[2] == 0  # no item speaks for itself


def test_solving_takes_the_memory_it_says(monkeypatch):
    monkeypatch.setattr(ease, "_ROWS", 16)
    n_items = 300
    identity = np.eye(n_items)
    tracemalloc.start()
    ease.ease_weights(lambda items: identity[items], n_items, 1.0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.1 * ease._BYTES_PER_CELL * n_items**2


def test_items_that_the_same_users_took_need_a_penalty():
    with pytest.raises(InputError, match="raise reg"):
        ease.ease_weights(lambda items: np.ones((2, 2))[items], 2, 1e-300)


def test_a_catalogue_that_does_not_fit_is_refused_with_the_memory_it_needs():
    ease._check_memory(1000, 12 * 1000**2)
    with pytest.raises(InputError, match=r"EASE needs 111\.8 GiB .* 100,000 items and 1\.0 GiB are free"):
        ease._check_memory(100_000, 2**30)
