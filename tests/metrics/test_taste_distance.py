"""The distance between tastes by hand, at its ends and as a metric."""

import math

import numpy as np
import pytest

from rec_core.metrics.taste_distance import taste_distance


def test_by_hand():
    # mixes (3/4, 1/4) and (1/4, 3/4), middle (1/2, 1/2): the divergence is 1 - H(1/4) in bits
    history, shown = np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([[0.25, 0.75]])
    entropy = -(0.75 * math.log2(0.75) + 0.25 * math.log2(0.25))
    assert taste_distance(history, shown) == pytest.approx(math.sqrt(1 - entropy))


def test_ends():
    one, other = np.array([[1.0, 0.0, 0.0]]), np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert taste_distance(one, other) == pytest.approx(1)
    assert taste_distance(other, other[::-1]) == 0  # a mix has no order
    assert taste_distance(np.ones((3, 1)), np.ones((2, 1))) == 0
    assert math.isnan(taste_distance(one, one[:0])) and math.isnan(taste_distance(one[:0], one))


def test_is_a_metric():
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b, c = (rng.dirichlet(np.ones(4), size=3) for _ in range(3))
        assert taste_distance(a, b) == pytest.approx(taste_distance(b, a))
        assert taste_distance(a, c) <= taste_distance(a, b) + taste_distance(b, c) + 1e-12
        order = rng.permutation(4)
        assert taste_distance(a[:, order], b[:, order]) == pytest.approx(taste_distance(a, b))
