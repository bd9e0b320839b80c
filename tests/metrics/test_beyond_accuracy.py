"""Novelty, diversity and calibration against loops written from the equations."""

from itertools import combinations

import numpy as np
import pytest

from rec_core.metrics.beyond_accuracy import (
    genre_distributions,
    intra_list_diversity,
    miscalibration,
    novelty,
    self_information,
)


def test_novelty_by_hand():
    """8, 4, 2, 1, 1 of 16 interactions are 1, 2, 3, 4, 4 bits; never taken counts like taken once."""
    popularity = np.array([8, 4, 2, 1, 1, 0])
    assert self_information(popularity).tolist() == [1, 2, 3, 4, 4, 4]
    found = novelty([[0, 1], [3, 4, 5], [], [2]], popularity)
    assert found == pytest.approx([1.5, 4, np.nan, 3], nan_ok=True)


def test_diversity_equals_a_loop_over_pairs():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(20, 3))
    vectors[5] = 0
    lists = [rng.choice(20, n, replace=False).tolist() for n in (2, 5, 8)] + [[5, 1, 2]]
    expected = []
    for items in lists:
        pairs = [(vectors[a], vectors[b]) for a, b in combinations([i for i in items if i != 5], 2)]
        cosines = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in pairs]
        expected.append(1 - np.mean(cosines))
    assert intra_list_diversity(lists, vectors) == pytest.approx(expected)


def test_diversity_at_its_ends_and_where_it_is_unknown():
    vectors = np.array([[2.0, 0], [1, 0], [-3, 0], [0, 1], [0, 0]])
    found = intra_list_diversity([[0, 1], [0, 2], [0, 3], [0], [], [0, 4]], vectors)
    assert found == pytest.approx([0, 2, 1, np.nan, np.nan, np.nan], nan_ok=True)
    assert np.isnan(intra_list_diversity([[]], vectors)).all()
    single = np.random.default_rng(1).normal(size=(50, 3))  # lengths that are 1 only up to rounding
    assert np.isnan(intra_list_diversity([[item] for item in range(50)], single)).all()


GENRES = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 0, 0]])


def test_an_item_splits_over_its_genres_and_one_without_is_left_out():
    found = genre_distributions([[0, 1], [2, 3], [3], []], GENRES)
    nan = np.full(3, np.nan)
    assert found == pytest.approx(np.array([[0.75, 0.25, 0], [0, 0, 1], nan, nan]), nan_ok=True)


def test_miscalibration_equals_the_equation():
    histories, lists = [[0, 1, 2], [0, 1], [0], [3], [1]], [[0, 2], [1, 0], [2], [0], []]
    found = miscalibration(lists, histories, GENRES)
    for user in range(3):
        p, q = (genre_distributions([x[user]], GENRES)[0] for x in (histories, lists))
        total = 0.0
        for wanted, shown in zip(p, q, strict=True):
            if wanted > 0:
                total += wanted * np.log(wanted / (0.99 * shown + 0.01 * wanted))
        assert found[user] == pytest.approx(total)
    assert found[1] == pytest.approx(0) and found[2] == pytest.approx(np.log(100))
    assert np.isnan(found[3:]).all()
    assert miscalibration(lists, histories, GENRES, smoothing=0.1)[2] == pytest.approx(np.log(10))
