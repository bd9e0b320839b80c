import json

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

from rec_core.metrics import intervals
from rec_core.metrics.exposure import gini
from rec_core.metrics.intervals import Interval
from rec_core.types import InputError


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 60)
    scores = (rng.normal(size=60) + labels).round(1)  # with ties
    return labels, scores, rng.integers(0, 12, 60)


def drawn_weights(n, n_draws=7):
    return np.random.default_rng(3).integers(0, 4, size=(n_draws, n)).astype(float)


def test_weighted_auc_equals_sklearn_sample_weights(rows):
    labels, scores, _ = rows
    weights = drawn_weights(60)
    expected = [roc_auc_score(labels, scores, sample_weight=w) for w in weights]
    assert intervals.weighted_auc(labels, scores)(weights) == pytest.approx(expected, abs=1e-12)


def test_weighted_auc_equals_repeated_rows_and_is_nan_with_one_class(rows):
    labels, scores, _ = rows
    weights = drawn_weights(60)[:1]
    repeated = np.repeat(np.arange(60), weights[0].astype(int))
    expected = roc_auc_score(labels[repeated], scores[repeated])
    assert intervals.weighted_auc(labels, scores)(weights)[0] == pytest.approx(expected, abs=1e-12)
    assert np.isnan(intervals.weighted_auc(labels, scores)(labels[None].astype(float))[0])


def test_weighted_log_loss_and_accuracy_equal_sklearn(rows):
    labels, scores, _ = rows
    probs, weights = 1 / (1 + np.exp(-scores)), drawn_weights(60)
    assert intervals.weighted_log_loss(labels, probs)(weights) == pytest.approx(
        [log_loss(labels, probs, sample_weight=w) for w in weights]
    )
    assert intervals.weighted_accuracy(labels, probs)(weights) == pytest.approx(
        [accuracy_score(labels, probs > 0.5, sample_weight=w) for w in weights]
    )


def test_weighted_mean_by_column_skips_absent_values():
    values = np.array([[1.0, np.nan], [3.0, 5.0]])
    assert intervals.weighted_mean(values)(np.array([[1.0, 1.0], [3.0, 1.0]])).tolist() == [
        [2.0, 5.0],
        [1.5, 5.0],
    ]
    assert np.isnan(intervals.weighted_mean(values)(np.array([[1.0, 0.0]]))[0, 1])


def test_bootstrap_draws_whole_clusters():
    # rows inside a user are copies: the interval must be that of the 4 user values, whatever the copies
    values = np.array([0.0, 1.0, 2.0, 5.0])
    once = intervals.clustered_bootstrap(intervals.weighted_mean(values), np.arange(4), seed=1)
    copied = intervals.clustered_bootstrap(
        intervals.weighted_mean(np.repeat(values, 50)), np.repeat(np.arange(4), 50), seed=1
    )
    assert (copied.value, copied.low, copied.high, copied.n) == pytest.approx((2.0, once.low, once.high, 4))
    wrong = intervals.clustered_bootstrap(
        intervals.weighted_mean(np.repeat(values, 50)), np.arange(200), seed=1
    )
    assert wrong.high - wrong.low < 0.3 * (once.high - once.low)


def test_bootstrap_limits_equal_scipy():
    values = np.random.default_rng(5).exponential(size=80)
    ours = intervals.clustered_bootstrap(intervals.weighted_mean(values), np.arange(80), 6000, seed=2)
    scipys = stats.bootstrap(
        (values,), np.mean, n_resamples=6000, method="percentile", rng=3
    ).confidence_interval
    assert ours.value == pytest.approx(values.mean())
    assert (ours.low, ours.high) == pytest.approx((scipys.low, scipys.high), abs=0.02)


def test_bootstrap_equals_a_naive_loop_over_materialised_resamples(rows, monkeypatch):
    labels, scores, clusters = rows
    names = np.unique(clusters)
    monkeypatch.setattr(
        intervals, "_CHUNK_CELLS", 60 * 1000
    )  # one chunk, so that the draws can be repeated here
    rng = intervals.numpy_generator(9, "clustered_bootstrap")
    values = []
    for users in rng.integers(len(names), size=(200, len(names))):
        picked = np.concatenate([np.flatnonzero(clusters == names[u]) for u in users])
        values.append(roc_auc_score(labels[picked], scores[picked]))
    ours = intervals.clustered_bootstrap(intervals.weighted_auc(labels, scores), clusters, 200, seed=9)
    assert (ours.low, ours.high) == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])), abs=1e-12)


def test_bootstrap_covers_the_truth_when_users_differ():
    # 40 users with an effect of their own and 5 rows each; the truth is 0
    rng = np.random.default_rng(11)
    clusters, held, held_by_rows = np.repeat(np.arange(40), 5), 0, 0
    for trial in range(200):
        values = np.repeat(rng.normal(size=40), 5) + 0.3 * rng.normal(size=200)
        statistic = intervals.weighted_mean(values)
        by_user = intervals.clustered_bootstrap(statistic, clusters, 300, seed=trial)
        by_row = intervals.clustered_bootstrap(statistic, np.arange(200), 300, seed=trial)
        held += by_user.low <= 0 <= by_user.high
        held_by_rows += by_row.low <= 0 <= by_row.high
    assert 0.89 <= held / 200 <= 0.99
    assert held_by_rows / 200 < 0.75  # what ignoring the users would do


def test_centred_bootstrap_of_distinct_values_holds_what_was_observed():
    # 50 users with one item each: a resample of users always sees fewer distinct items than the sample
    def distinct(weights):
        return (weights > 0).sum(1).astype(float)

    plain = intervals.clustered_bootstrap(distinct, np.arange(50))
    centred = intervals.clustered_bootstrap(distinct, np.arange(50), centred=True)
    assert plain.high < plain.value == centred.value == 50
    assert centred.low < 50 < centred.high
    assert centred.high - centred.low == pytest.approx(plain.high - plain.low)


def test_centred_bootstrap_of_gini_covers_the_truth_where_percentiles_do_not():
    # 40 users see 10 of 100 items each, by fixed odds; the truth is the mean Gini of such samples
    rng = np.random.default_rng(0)
    odds = np.log(1 / (np.arange(100) + 5.0))
    samples = []
    for _ in range(150):
        shown = np.zeros((40, 100))
        np.put_along_axis(shown, np.argsort(-(odds + rng.gumbel(size=(40, 100))), axis=1)[:, :10], 1, axis=1)
        samples.append(shown)
    truth, held = np.mean([gini(shown.sum(0)) for shown in samples]), {True: 0, False: 0}
    for shown in samples:
        for centred in held:
            limits = intervals.clustered_bootstrap(
                lambda weights, shown=shown: gini(weights @ shown), np.arange(40), 200, centred=centred
            )
            held[centred] += limits.low <= truth <= limits.high
    assert 0.88 <= held[True] / 150 <= 0.99
    assert held[False] / 150 < 0.5


def test_paired_difference_uses_the_same_draws(rows):
    labels, scores, clusters = rows
    auc = intervals.weighted_auc(labels, scores)
    nothing = intervals.paired_difference(auc, auc, clusters)
    assert (nothing.value, nothing.low, nothing.high, nothing.n) == (0, 0, 0, 12)
    shifted = np.random.default_rng(1).normal(size=60)
    shift = intervals.paired_difference(
        intervals.weighted_mean(shifted + 0.1), intervals.weighted_mean(shifted), clusters
    )
    assert (shift.value, shift.low, shift.high) == pytest.approx((0.1, 0.1, 0.1))


def test_same_seed_same_limits_and_chunks_change_nothing_but_the_draws(rows):
    labels, scores, clusters = rows
    statistic = intervals.weighted_auc(labels, scores)
    first = intervals.clustered_bootstrap(statistic, clusters, 100, seed=4)
    assert first == intervals.clustered_bootstrap(statistic, clusters, 100, seed=4)
    assert first != intervals.clustered_bootstrap(statistic, clusters, 100, seed=5)


def test_several_statistics_at_once_equal_one_by_one():
    values = np.random.default_rng(0).normal(size=(30, 2))
    both = intervals.clustered_bootstraps(intervals.weighted_mean(values), np.arange(30), 200)
    for column in (0, 1):
        one = intervals.clustered_bootstrap(intervals.weighted_mean(values[:, column]), np.arange(30), 200)
        assert (one.low, one.high) == pytest.approx((both[column].low, both[column].high))


def test_one_cluster_has_no_limits_and_no_rows_are_refused():
    alone = intervals.clustered_bootstrap(intervals.weighted_mean(np.array([1.0, 2.0])), np.array([7, 7]))
    assert alone.value == 1.5 and np.isnan(alone.low) and alone.n == 1
    with pytest.raises(InputError, match="nothing to resample"):
        intervals.clustered_bootstrap(intervals.weighted_mean(np.array([])), np.array([]))
    with pytest.raises(InputError, match="at least one resample"):
        intervals.clustered_bootstrap(intervals.weighted_mean(np.ones(2)), np.arange(2), 0)


def test_interval_as_dict_is_json_without_nan():
    text = json.dumps(Interval(1.0, float("nan"), 2.0, 3).as_dict(), allow_nan=False)
    assert json.loads(text) == {"value": 1.0, "low": None, "high": 2.0, "n": 3}


def test_wilson_closed_form():
    z, p, n = stats.norm.ppf(0.975), 0.3, 20
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    ours = intervals.wilson(6, 20)
    assert (ours.value, ours.low, ours.high, ours.n) == pytest.approx(
        (0.3, centre - reach, centre + reach, 20)
    )


def test_wilson_edges():
    assert intervals.wilson(0, 10).low == 0 and intervals.wilson(0, 10).high > 0.2
    assert np.isnan(intervals.wilson(0, 0).value)
    with pytest.raises(InputError, match="no proportion"):
        intervals.wilson(3, 2)


def naive_delong(labels, a, b):
    """Structural components with the full positive-by-negative table."""
    tables = []
    for scores in (a, b):
        gaps = scores[labels == 1][:, None] - scores[labels == 0][None]
        tables.append((gaps > 0) + 0.5 * (gaps == 0))
    by_positive = np.cov([t.mean(1) for t in tables])
    by_negative = np.cov([t.mean(0) for t in tables])
    covariance = by_positive / tables[0].shape[0] + by_negative / tables[0].shape[1]
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    return tables[0].mean() - tables[1].mean(), np.sqrt(variance)


def test_delong_equals_the_naive_table(rows):
    labels, scores, _ = rows
    other = np.random.default_rng(8).normal(size=60).round(1)
    result = intervals.delong(labels, scores, other)
    difference, error = naive_delong(labels, scores, other)
    assert result.auc_a == pytest.approx(roc_auc_score(labels, scores))
    assert result.difference.value == pytest.approx(difference)
    assert result.difference.high - difference == pytest.approx(stats.norm.ppf(0.975) * error)
    assert result.p == pytest.approx(2 * stats.norm.sf(abs(difference) / error))


def test_delong_of_equal_scores_and_of_too_few_rows(rows):
    labels, scores, _ = rows
    same = intervals.delong(labels, scores, 2 * scores)
    assert (same.difference.value, same.difference.low, same.p) == (0, 0, 1)
    with pytest.raises(InputError, match="two rows of each class"):
        intervals.delong(np.array([0, 0, 1]), np.arange(3.0), np.arange(3.0))


def test_holm_by_hand():
    # sorted 0.01*3, 0.03*2, 0.04*1 -> 0.03, 0.06, max(0.06, 0.04)
    corrected = intervals.holm(np.array([0.04, np.nan, 0.01, 0.03]))
    assert corrected[[0, 2, 3]] == pytest.approx([0.06, 0.03, 0.06])
    assert np.isnan(corrected[1])


def test_benjamini_hochberg_by_hand():
    # sorted 0.01*3/1, 0.03*3/2, 0.04*3/3 -> 0.03, min(0.045, 0.04), 0.04
    corrected = intervals.benjamini_hochberg(np.array([0.04, 0.01, 0.03]))
    assert corrected == pytest.approx([0.04, 0.03, 0.04])
    assert np.isnan(intervals.benjamini_hochberg(np.array([np.nan]))).all()
