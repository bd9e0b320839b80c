"""Item-kNN against loops over pairs of items."""

import math

import numpy as np
import pytest
from implicit.nearest_neighbours import CosineRecommender
from scipy import sparse

from rec_core.systems import item_knn
from rec_core.systems.ranking_parts import RankingParts
from rec_core.types import History

X = np.random.default_rng(1).integers(0, 2, size=(8, 7)).astype(np.float32)
X[:, 6] = 0  # an item nobody took


@pytest.mark.parametrize("similarity", ["cosine", "jaccard"])
@pytest.mark.parametrize(("n_neighbours", "shrink"), [(2, 0.0), (3, 4.0), (50, 0.0)])
def test_neighbours_equal_a_loop(similarity, n_neighbours, shrink, monkeypatch):
    monkeypatch.setattr(item_knn, "_CELLS", 3 * 7)  # three items at a time
    gram = (X.T @ X).astype(np.float32)
    found = item_knn.neighbours(lambda items: gram[items], X.sum(0), n_neighbours, similarity, shrink)
    expected = np.zeros((7, 7))
    for i in range(7):
        near = []
        for j in range(7):
            shared = sum(X[u, i] * X[u, j] for u in range(8))
            norm = math.sqrt(X[:, i].sum() * X[:, j].sum())
            if similarity == "jaccard":
                norm = X[:, i].sum() + X[:, j].sum() - shared
            if i != j and shared:
                near.append((-round(float(shared / (norm + shrink)), 6), j))
        for value, j in sorted(near)[:n_neighbours]:
            expected[i, j] = -value
    np.testing.assert_allclose(found.toarray(), expected, atol=1e-6)


@pytest.mark.parametrize("side", ["candidate", "history"])
def test_the_side_says_whose_neighbours_count(planted, tmp_path, side):
    config = item_knn.ItemKNNConfig(n_neighbours=3, neighbours_of=side)
    item_knn.learn(RankingParts.of(planted, config.task), config, tmp_path, 0, lambda event: None)
    weights = item_knn.load(planted, config, tmp_path).weights.toarray()
    per_candidate, per_history = (weights > 0).sum(axis=0), (weights > 0).sum(axis=1)
    limited, free = (per_candidate, per_history) if side == "candidate" else (per_history, per_candidate)
    assert limited.max() == 3 < free.max()


def test_the_evidence_adds_up_to_the_score(planted, tmp_path):
    config = item_knn.ItemKNNConfig(n_neighbours=8)
    item_knn.learn(RankingParts.of(planted, config.task), config, tmp_path, 0, lambda event: None)
    system = item_knn.load(planted, config, tmp_path)
    past = History(np.array([3, 8, 21], np.int32), np.full(3, np.nan, np.float32), np.arange(3))
    scores = system.catalogue_scores(past)
    for item in (0, 5, 21):
        assert system.relatedness(past, item).sum() == pytest.approx(scores[item], abs=1e-6)
    best = system.recommend(past, 1)[0]
    assert best.evidence[0].score == max(system.relatedness(past, best.item_num))


@pytest.mark.filterwarnings("ignore:Method expects CSR")
def test_neighbours_of_the_history_equal_implicits_which_count_the_item_itself_among_its_own():
    taken = np.random.default_rng(5).random((40, 30)) < np.linspace(0.1, 0.7, 30)
    gram = (taken.T.astype(np.float32) @ taken).astype(np.float32)
    peer = CosineRecommender(K=6)
    peer.fit(sparse.csr_matrix(taken, dtype=np.float64), show_progress=False)
    theirs = peer.similarity.tocsr().toarray()
    np.fill_diagonal(theirs, 0)
    ours = item_knn.neighbours(lambda items: gram[items], taken.sum(0).astype(np.float32), 5, "cosine", 0.0)
    # of equal similarities each keeps another item: the values are compared, not the places
    np.testing.assert_allclose(np.sort(ours.toarray(), axis=1), np.sort(theirs, axis=1), atol=1e-6)
