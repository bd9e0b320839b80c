import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from rec_core.metrics.ranking import hit_at_k, map_at_k, mrr_at_k, ndcg_at_k, recall_at_k
from rec_core.types import InputError

ALL = (recall_at_k, hit_at_k, ndcg_at_k, mrr_at_k, map_at_k)
HITS = np.array([[0, 1, 0, 1], [0, 0, 0, 0], [1, 1, 0, 0]], dtype=bool)
RELEVANT = np.array([3, 1, 2])


def test_by_hand():
    # first user at k = 4: relevant at ranks 2 and 4, three relevant in all
    assert recall_at_k(HITS, RELEVANT, 4) == pytest.approx([2 / 3, 0, 1])
    assert hit_at_k(HITS, RELEVANT, 4).tolist() == [1, 0, 1]
    assert mrr_at_k(HITS, RELEVANT, 4) == pytest.approx([1 / 2, 0, 1])
    assert map_at_k(HITS, RELEVANT, 4) == pytest.approx([(1 / 2 + 2 / 4) / 3, 0, 1])
    ideal = 1 + 1 / np.log2(3) + 1 / 2
    assert ndcg_at_k(HITS, RELEVANT, 4) == pytest.approx([(1 / np.log2(3) + 1 / np.log2(5)) / ideal, 0, 1])


def test_the_cut_counts():
    assert recall_at_k(HITS, RELEVANT, 1) == pytest.approx([0, 0, 1 / 2])
    assert mrr_at_k(HITS, RELEVANT, 1).tolist() == [0, 0, 1]
    assert hit_at_k(HITS, RELEVANT, 1).tolist() == [0, 0, 1]
    assert map_at_k(HITS, RELEVANT, 1).tolist() == [0, 0, 1]
    assert ndcg_at_k(HITS, RELEVANT, 1).tolist() == [0, 0, 1]


def test_ndcg_equals_sklearn_where_the_whole_catalogue_is_ranked():
    rng = np.random.default_rng(0)
    relevant = rng.random((20, 30)) < 0.2
    relevant[:, 0] = True
    scores = rng.random((20, 30))
    hits = np.take_along_axis(relevant, np.argsort(-scores, axis=1), axis=1)
    for k in (1, 5, 30):
        ours = ndcg_at_k(hits, relevant.sum(1), k)
        assert ours.mean() == pytest.approx(ndcg_score(relevant, scores, k=k))


def test_recall_mrr_and_map_equal_naive_loops():
    rng = np.random.default_rng(1)
    hits = rng.random((40, 12)) < 0.3
    relevant = hits.sum(1) + rng.integers(0, 4, 40) + 1
    for row in range(40):
        found, precisions, first = 0, [], 0.0
        for rank in range(1, 8):
            if hits[row, rank - 1]:
                found += 1
                precisions.append(found / rank)
                first = first or 1 / rank
        assert recall_at_k(hits, relevant, 7)[row] == pytest.approx(found / relevant[row])
        assert mrr_at_k(hits, relevant, 7)[row] == pytest.approx(first)
        assert map_at_k(hits, relevant, 7)[row] == pytest.approx(sum(precisions) / min(relevant[row], 7))


@pytest.mark.parametrize("metric", ALL)
def test_a_user_without_relevant_items_is_nan_and_a_short_list_is_misses(metric):
    none = np.zeros((1, 3), dtype=bool)
    assert np.isnan(metric(none, np.array([0]), 3)).all()
    short, long = np.array([[0, 1]], dtype=bool), np.array([[0, 1, 0, 0, 0]], dtype=bool)
    assert metric(short, np.array([4]), 5) == pytest.approx(metric(long, np.array([4]), 5))
    assert metric(np.zeros((1, 0), dtype=bool), np.array([2]), 5).tolist() == [0]


@pytest.mark.parametrize("metric", ALL)
def test_wrong_input_is_named(metric):
    with pytest.raises(InputError, match="k of at least 1"):
        metric(HITS, RELEVANT, 0)
    with pytest.raises(InputError, match="List 2 has more hits"):
        metric(HITS, np.array([3, 1, 1]), 4)
    with pytest.raises(InputError, match="pair up"):
        metric(HITS, RELEVANT[:2], 4)
