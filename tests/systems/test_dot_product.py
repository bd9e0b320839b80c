"""Dot-product systems: learned users, folded-in histories, lists without what was seen."""

import numpy as np
import pytest

from rec_core.seeding import numpy_generator
from rec_core.store import write_tensors
from rec_core.systems.dot_product import DotProductRanking
from rec_core.types import History, ScoreRequest

N_ITEMS, D = 30, 4


@pytest.fixture
def system(planted, tmp_path) -> DotProductRanking:
    rng = numpy_generator(0, "vectors")
    n_users = planted.interactions.n_users
    known = np.ones(n_users, np.uint8)
    known[3] = 0
    popularity = np.arange(N_ITEMS)
    write_tensors(
        tmp_path / "vectors.safetensors",
        {
            "users": rng.normal(size=(n_users, D)).astype(np.float32),
            "items": rng.normal(size=(N_ITEMS, D)).astype(np.float32),
            "popularity": popularity.astype(np.int64),
            "known_users": known,
        },
    )
    return DotProductRanking(planted, tmp_path, "drawn")


def history(*items: int) -> History:
    return History(np.array(items, np.int32), np.full(len(items), 5.0, np.float32), np.arange(len(items)))


def items_of(system) -> np.ndarray:
    return system._items.astype(np.float64)


def test_a_known_user_is_scored_by_the_learned_vector(system):
    expected = items_of(system) @ system.users[2]
    np.testing.assert_allclose(system.catalogue_scores(history(1, 2), 2), expected, rtol=1e-5)
    requests = [ScoreRequest(2, history(1), 4), ScoreRequest(2, history(9), 7)]
    np.testing.assert_allclose(system.score(requests), expected[[4, 7]], rtol=1e-5)


def test_an_unknown_history_is_the_minimiser_of_the_weighted_ridge(system):
    """Equation 4 of implicit ALS by brute force: the gradient of the written-out objective is zero there."""
    values, seen = items_of(system), [1, 5, 9]
    vector = system.fold_in(history(5, 1, 9, 1)).astype(np.float64)
    weights, wanted = np.full(N_ITEMS, 0.1), np.zeros(N_ITEMS)
    weights[seen], wanted[seen] = 1.0, 1.0
    ridge = 0.1 * np.trace(values.T @ values) / D
    gradient = values.T @ (weights * (values @ vector - wanted)) + ridge * vector
    np.testing.assert_allclose(gradient, 0, atol=1e-5)
    np.testing.assert_allclose(system.catalogue_scores(history(1, 5, 9)), values @ vector, atol=1e-5)


def test_a_user_without_training_rows_is_folded_in(system):
    np.testing.assert_array_equal(
        system.catalogue_scores(history(1, 5), 3), system.catalogue_scores(history(1, 5), None)
    )


def test_nothing_known_is_the_order_of_popularity(system):
    assert [r.item_num for r in system.recommend(history(), 4)] == [29, 28, 27, 26]


def test_lists_leave_out_what_was_seen_and_ties_go_to_the_lower_number(system):
    everything = system.recommend(history(1, 2), N_ITEMS)
    assert [r.rank for r in everything] == list(range(1, N_ITEMS - 1))
    assert not {1, 2} & {r.item_num for r in everything}
    assert len(system.recommend(history(1, 2), N_ITEMS, exclude_seen=False)) == N_ITEMS
    system._items[:] = 1.0
    assert [r.item_num for r in system.recommend(history(0), 3, user_num=0)] == [1, 2, 3]


def test_evidence_is_what_is_closest_in_the_id_view(system):
    values = system.view.values.astype(np.float64)
    (first,) = system.recommend(history(4, 8, 15, 16, 23), 1)
    cosine = [
        values[i]
        @ values[first.item_num]
        / np.linalg.norm(values[i])
        / np.linalg.norm(values[first.item_num])
        for i in (4, 8, 15, 16, 23)
    ]
    best = np.argsort(cosine)[::-1][:3]
    assert [e.position for e in first.evidence] == best.tolist()
    assert [e.similarities["id"] for e in first.evidence] == pytest.approx(
        [cosine[p] for p in best], abs=1e-5
    )


def test_items_nobody_took_have_no_place_in_the_id_view(system):
    table = system.embeddings()["id"]
    assert not table.known[0] and not table.values[0].any() and table.known[1:].all()
