"""Ways of saying how like two items are, against loops."""

import numpy as np
import pytest

from rec_core.retrieval.similarity import CosineSimilarity, DotSimilarity, FusedSimilarity, ShiftedNeighbours

RNG = np.random.default_rng(0)
TEXT, IDS = RNG.normal(size=(9, 4)), RNG.normal(size=(9, 3))
EVERYTHING = np.arange(9)


def cosine(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_dot_and_cosine():
    for target in range(9):
        assert DotSimilarity(TEXT).of(target, EVERYTHING) == pytest.approx([r @ TEXT[target] for r in TEXT])
        expected = [cosine(row, TEXT[target]) for row in TEXT]
        assert CosineSimilarity(TEXT).of(target, EVERYTHING) == pytest.approx(expected)
    with_nothing = np.vstack([TEXT, np.zeros(4)])
    assert CosineSimilarity(with_nothing).of(0, np.array([9])).tolist() == [0.0]


def test_fused_scores_are_two_softmaxes_over_the_catalogue():
    fused = FusedSimilarity(CosineSimilarity(TEXT), CosineSimilarity(IDS), 0.3, (0.5, 2.0))
    for target in (0, 4):
        text = np.exp([cosine(row, TEXT[target]) / 0.5 for row in TEXT])
        ids = np.exp([cosine(row, IDS[target]) / 2.0 for row in IDS])
        expected = 0.3 * text / text.sum() + 0.7 * ids / ids.sum()
        assert fused.of(target, np.array([7, 2, 2])) == pytest.approx(expected[[7, 2, 2]])
        assert fused.of(target, EVERYTHING).sum() == pytest.approx(1.0)


def test_a_small_temperature_is_no_overflow_and_one_side_alone_keeps_its_order():
    cold = FusedSimilarity(CosineSimilarity(TEXT), CosineSimilarity(IDS), 1.0, (1e-3, 1.0))
    scores = cold.of(3, EVERYTHING)
    assert np.isfinite(scores).all() and scores[3] == pytest.approx(1.0)
    warm = FusedSimilarity(CosineSimilarity(TEXT), CosineSimilarity(IDS), 0.0, (1.0, 1.0))
    order = np.argsort(CosineSimilarity(IDS).of(3, EVERYTHING))
    assert np.argsort(warm.of(3, EVERYTHING)).tolist() == order.tolist()


def test_shifted_neighbours_are_judged_by_the_next_row():
    plain = CosineSimilarity(TEXT)
    shifted = ShiftedNeighbours(plain)
    assert shifted.n_items == 9
    assert shifted.of(2, np.array([0, 5, 8])) == pytest.approx(plain.of(2, np.array([1, 6, 0])))
