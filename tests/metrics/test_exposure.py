import numpy as np
import pytest

from rec_core.metrics import exposure

LISTS = [[0, 1], [0, 2, 3], []]
POPULARITY = np.array([8.0, 4.0, 2.0, 0.0, 1.0])


def test_exposure_counts_and_coverage():
    counts = exposure.exposure_counts(LISTS, 5)
    assert counts.tolist() == [2, 1, 1, 1, 0]
    assert exposure.coverage(counts) == 4 / 5
    assert exposure.coverage(np.stack([counts, np.zeros(5)])).tolist() == [4 / 5, 0]
    assert exposure.exposure_counts([], 3).tolist() == [0, 0, 0]


def test_gini_equals_mean_absolute_difference():
    counts = np.random.default_rng(0).poisson(3, size=(4, 25))
    for row in counts:
        pairs = np.abs(row[:, None] - row[None]).sum()
        assert exposure.gini(row) == pytest.approx(pairs / (2 * 25 * row.sum()))
    assert exposure.gini(counts) == pytest.approx([exposure.gini(row) for row in counts])


def test_gini_extremes():
    assert exposure.gini(np.full(10, 3)) == pytest.approx(0)
    assert exposure.gini(np.eye(10)[0]) == pytest.approx(9 / 10)
    assert np.isnan(exposure.gini(np.zeros(4)))


def test_lorenz_encloses_the_gini_area():
    counts = np.random.default_rng(2).poisson(2, size=40)
    x, y = exposure.lorenz(counts)
    assert (x[0], y[0], x[-1], y[-1]) == pytest.approx((0, 0, 1, 1))
    assert 1 - 2 * np.trapezoid(y, x) == pytest.approx(exposure.gini(counts))


def test_arp_aplt_and_log_popularity_by_hand():
    assert exposure.arp(LISTS, POPULARITY) == pytest.approx([6, 10 / 3, np.nan], nan_ok=True)
    tail = np.array([False, True, True, True, True])
    assert exposure.aplt(LISTS, tail) == pytest.approx([1 / 2, 2 / 3, np.nan], nan_ok=True)
    expected = [(np.log(9) + np.log(5)) / 2, (np.log(9) + np.log(3)) / 3, np.nan]
    assert exposure.log_popularity(LISTS, POPULARITY) == pytest.approx(expected, nan_ok=True)
    assert np.isnan(exposure.arp([[], []], POPULARITY)).all()


def test_long_tail_leaves_out_the_head():
    assert exposure.long_tail(POPULARITY, 0.2).tolist() == [False, True, True, True, True]
    assert exposure.long_tail(np.ones(10), 0.3).sum() == 7  # ties: cut by number, size exact
    assert not exposure.long_tail(np.ones(10), 0.3)[:3].any()


def test_deciles_are_equal_in_size_and_ordered():
    popularity = np.random.default_rng(0).poisson(5, 95)
    deciles = exposure.popularity_deciles(popularity)
    assert set(np.bincount(deciles)[1:].tolist()) == {9, 10}
    for decile in range(1, 10):
        assert popularity[deciles == decile].max() <= popularity[deciles == decile + 1].min()


def test_exposure_by_decile_by_hand():
    popularity = np.arange(20)
    counts = np.zeros(20)
    counts[[0, 1, 19]] = [1, 2, 3]
    shares = exposure.exposure_by_decile(counts, popularity)
    assert shares == pytest.approx([0.5, 0, 0, 0, 0, 0, 0, 0, 0, 0.5])
    assert np.isnan(exposure.exposure_by_decile(np.zeros(20), popularity)).all()


def test_popularity_lift_by_hand():
    # first user: list 6, profile (8 + 4 + 0) / 3 = 4 -> +50 %; second has no profile
    lift = exposure.popularity_lift([[0, 1], [0]], [[0, 1, 3], []], POPULARITY)
    assert lift == pytest.approx([0.5, np.nan], nan_ok=True)
