from itertools import product

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from rec_core.metrics import permutation


def test_slot_test_finds_a_slot_that_wins():
    table = np.full((30, 4), 0.2)
    table[:, 0] = 0.4
    p, by_chance = permutation.slot_test(table, 199, seed=0)
    assert p == 1 / 200
    assert by_chance < 0.1


def test_slot_test_knows_that_users_are_the_unit():
    # one user who always picks slot 0, counted a thousand times, is still one user
    alone = np.array([[1.0, 0.0, 0.0, 0.0]]) * 1000
    assert permutation.slot_test(alone, 199, seed=0)[0] == 1


def test_slot_test_of_a_flat_table_is_one():
    assert permutation.slot_test(np.full((5, 3), 1 / 3), 99, seed=0) == pytest.approx((1.0, 0.0))


def test_slot_test_keeps_its_level():
    rng = np.random.default_rng(0)
    alarms = sum(
        permutation.slot_test(rng.multinomial(10, np.full(5, 0.2), size=15), 99, seed)[0] <= 0.05
        for seed in range(300)
    )
    assert stats.binomtest(alarms, 300, 0.05).pvalue > 0.01


def test_slot_test_range_by_chance_equals_simulation():
    # permuting one-hot rows: the range of the mean of 50 uniform picks among 4
    rng = np.random.default_rng(1)
    picks = np.eye(4)[rng.integers(0, 4, 50)]
    simulated = np.ptp(rng.multinomial(50, np.full(4, 0.25), size=4000) / 50, axis=1).mean()
    assert permutation.slot_test(picks, 999, seed=0)[1] == pytest.approx(simulated, abs=0.01)


def test_sign_flip_equals_full_enumeration():
    differences = np.array([0.5, -0.1, 0.3, 0.8, 0.2, -0.4, 0.6, 0.1])
    means = [abs(np.mean(np.array(signs) * differences)) for signs in product((-1, 1), repeat=8)]
    exact = np.mean([m >= abs(differences.mean()) - 1e-12 for m in means])
    assert permutation.sign_flip_test(differences, 9_999, seed=0) == pytest.approx(exact, abs=0.015)


def test_sign_flip_of_no_difference_is_one_and_two_sided():
    assert permutation.sign_flip_test(np.zeros(20), 99, seed=0) == 1
    positive = np.random.default_rng(0).normal(1, 1, 30)
    p = permutation.sign_flip_test(positive, 999, 0)
    assert p == permutation.sign_flip_test(-positive, 999, 0) < 0.01


def test_group_test_agrees_with_scipy():
    rng = np.random.default_rng(4)
    first, second = rng.normal(0.4, 1, 25), rng.normal(0, 1, 35)
    ours = permutation.group_test(np.r_[second, first], np.arange(60) >= 35, 4_999, seed=0)
    scipys = stats.permutation_test(
        (first, second), lambda a, b: a.mean() - b.mean(), n_resamples=4_999, rng=1
    ).pvalue
    assert ours == pytest.approx(scipys, abs=0.03)
    assert 0.01 < ours < 0.9  # a case where agreeing says something


def test_arm_swap_equals_full_enumeration():
    rng = np.random.default_rng(3)
    labels, clusters = np.array([0, 1, 0, 1, 1, 0, 1, 0]), np.array([0, 0, 1, 1, 2, 2, 3, 3])
    scores = rng.normal(size=(2, 8)).round(1)

    def gap(first, second):
        return roc_auc_score(labels, second) - roc_auc_score(labels, first)

    gaps = []
    for swapped in product((False, True), repeat=4):
        swap = np.array(swapped)[clusters]
        gaps.append(abs(gap(np.where(swap, scores[1], scores[0]), np.where(swap, scores[0], scores[1]))))
    exact = np.mean(np.array(gaps) >= abs(gap(*scores)) - 1e-12)
    ours = permutation.arm_swap_auc_test(labels, scores, clusters, 4_999, seed=0)
    assert ours == pytest.approx(exact, abs=0.02)
    assert 0 < exact < 0.9


@pytest.mark.parametrize("n_arms", [2, 4])
def test_arm_swap_keeps_its_level(n_arms):
    rng = np.random.default_rng(5)
    alarms = 0
    for seed in range(150):
        labels = np.arange(24) % 2
        scores = 0.5 * labels + rng.normal(size=(n_arms, 24)) + rng.normal(size=24)  # arms share a part
        alarms += permutation.arm_swap_auc_test(labels, scores, np.arange(24) // 2, 59, seed) <= 0.05
    assert stats.binomtest(alarms, 150, 0.05).pvalue > 0.01


def test_arm_swap_finds_an_arm_that_ranks_worse():
    labels = np.arange(60) % 2
    rng = np.random.default_rng(6)
    good, bad = labels + 0.3 * rng.normal(size=60), rng.normal(size=60)
    assert permutation.arm_swap_auc_test(labels, np.stack([good, bad]), np.arange(60), 199, seed=0) <= 0.01
    assert permutation.arm_swap_auc_test(labels, np.stack([good, good]), np.arange(60), 99, seed=0) == 1


def test_many_sign_flip_tests_equal_one_at_a_time():
    """Absent users are left out of their metric alone; a metric of nobody has no p value."""
    rng = np.random.default_rng(3)
    differences = rng.normal(0.2, 1, (60, 4))
    differences[:20, 2], differences[:, 3] = np.nan, np.nan
    found = permutation.sign_flip_tests(differences, 499, seed=1)
    for column in (0, 1):
        assert found[column] == permutation.sign_flip_test(differences[:, column], 499, seed=1)
    known = np.where(np.isnan(differences[:, 2]), 0.0, differences[:, 2])
    assert found[2] == permutation.sign_flip_test(known, 499, seed=1)
    assert np.isnan(found[3])
