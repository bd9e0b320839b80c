import numpy as np
import pytest
from scipy.stats import kendalltau

from rec_core.metrics import agreement


def test_kendall_tau_equals_scipy_with_ties():
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 6, (30, 8)), rng.integers(0, 6, (30, 8))
    expected = [kendalltau(a, b, variant="b").statistic for a, b in zip(first, second, strict=True)]
    assert agreement.kendall_tau(first, second) == pytest.approx(expected, nan_ok=True)


def test_kendall_tau_extremes():
    order = np.arange(5)
    assert agreement.kendall_tau(order, order) == 1
    assert agreement.kendall_tau(order, order[::-1]) == -1
    assert np.isnan(agreement.kendall_tau(order, np.ones(5)))


def naive_rbo(a, b, p):
    k = len(a)
    shared = [len(set(a[:d]) & set(b[:d])) for d in range(1, k + 1)]
    seen = (1 - p) / p * sum(shared[d - 1] / d * p**d for d in range(1, k + 1))
    return seen + shared[-1] / k * p**k


def test_rbo_equals_a_naive_loop():
    rng = np.random.default_rng(1)
    first = np.stack([rng.permutation(12)[:7] for _ in range(20)])
    second = np.stack([rng.permutation(12)[:7] for _ in range(20)])
    for p in (0.5, 0.9):
        expected = [naive_rbo(a.tolist(), b.tolist(), p) for a, b in zip(first, second, strict=True)]
        assert agreement.rbo(first, second, p) == pytest.approx(expected)


def test_rbo_extremes_and_weight_of_the_top():
    order = np.arange(6)
    assert agreement.rbo(order, order) == pytest.approx(1)
    assert agreement.rbo(order, order + 10) == 0
    top_swapped, bottom_swapped = order[[1, 0, 2, 3, 4, 5]], order[[0, 1, 2, 3, 5, 4]]
    assert agreement.rbo(order, top_swapped) < agreement.rbo(order, bottom_swapped) < 1


def test_jaccard_equals_sets():
    rng = np.random.default_rng(2)
    first = np.stack([rng.permutation(9)[:5] for _ in range(10)])
    second = np.stack([rng.permutation(9)[:4] for _ in range(10)])
    pairs = [(set(a), set(b)) for a, b in zip(first.tolist(), second.tolist(), strict=True)]
    expected = [len(a & b) / len(a | b) for a, b in pairs]
    assert agreement.jaccard(first, second) == pytest.approx(expected)
    assert agreement.jaccard(np.array([]), np.array([])) == 1
    assert agreement.jaccard(np.array([]), np.array([1])) == 0


def test_top1_flip_rate():
    assert agreement.top1_flip_rate([3, 1, 2, 2], [3, 2, 2, 1]) == 0.5
    assert np.isnan(agreement.top1_flip_rate([], []))
