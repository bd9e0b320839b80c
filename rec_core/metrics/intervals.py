"""Intervals that respect who the rows belong to: the user is the unit, not the row.

Rows of one user hang together, so resampling draws users, not rows. A resample is never materialised: it is a
row of weights (how often each row's user was drawn), and a statistic is a function of many such rows at once.
AUC then needs one sort for all resamples, and two systems are compared under the very same draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from rec_core.metrics.ctr import auc, midranks, row_correct, row_log_losses
from rec_core.seeding import numpy_generator
from rec_core.types import InputError

# Weights (R, N), one resample per row, in; one value (R,) or M values (R, M) per resample out.
WeightedStatistic = Callable[[np.ndarray], np.ndarray]

N_RESAMPLES = 2_000
CONFIDENCE = 0.95
_CHUNK_CELLS = 1_000_000  # weights held at once: 8 MB


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence limits.

    `n` counts independent units: users where rows are clustered by user, else rows. Limits are NaN where they
    cannot be known (fewer than two units, or a statistic that is undefined in every resample).
    """

    value: float
    low: float
    high: float
    n: int

    def as_dict(self) -> dict[str, float | int | None]:
        """Return value, low, high, n, with None for NaN (JSON has no NaN)."""
        return {name: None if entry != entry else entry for name, entry in asdict(self).items()}


@dataclass(frozen=True)
class DeLong:
    """Two AUCs on the same rows, their difference a - b with limits, and its two-sided p value."""

    auc_a: float
    auc_b: float
    difference: Interval
    p: float


def weighted_mean(values: np.ndarray) -> WeightedStatistic:
    """Return the statistic "weighted mean" of values (N,) -> (R,), or of every column of (N, M) -> (R, M).

    NaN entries count as absent; a resample in which nothing is present gives NaN.
    """
    values = np.asarray(values, dtype=np.float64)
    present = ~np.isnan(values)
    filled = np.where(present, values, 0.0)
    weights_of = present.astype(np.float64)

    def statistic(weights: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):
            return (weights @ filled) / (weights @ weights_of)

    return statistic


def weighted_auc(labels: np.ndarray, scores: np.ndarray) -> WeightedStatistic:
    """Return the statistic "AUC of weighted rows" (R, N) -> (R,): one sort serves every resample.

    Ties count one half; a resample with one class only gives NaN.
    """
    labels = np.asarray(labels)
    scores = np.asarray(scores, dtype=np.float64)
    auc(labels, scores)  # checks both
    order = np.argsort(scores, kind="stable")
    positive = labels[order] == 1
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) > 0])
    tied = len(starts) < len(order)

    def statistic(weights: np.ndarray) -> np.ndarray:
        ordered = weights[:, order]
        positives = np.where(positive, ordered, 0.0)
        negatives = ordered - positives
        if tied:
            positives = np.add.reduceat(positives, starts, axis=1)
            negatives = np.add.reduceat(negatives, starts, axis=1)
        beaten = np.cumsum(negatives, axis=1) - negatives / 2
        pairs = positives.sum(axis=1) * negatives.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.einsum("rn,rn->r", positives, beaten) / pairs

    return statistic


def weighted_log_loss(labels: np.ndarray, probs: np.ndarray) -> WeightedStatistic:
    """Return the statistic "log loss of weighted rows" (R, N) -> (R,)."""
    return weighted_mean(row_log_losses(labels, probs))


def mean_statistic(statistics: Sequence[WeightedStatistic]) -> WeightedStatistic:
    """Return the mean of several statistics of the same rows, for instance one per seed."""
    return lambda weights: np.mean([statistic(weights) for statistic in statistics], axis=0)


def weighted_accuracy(labels: np.ndarray, probs: np.ndarray, threshold: float = 0.5) -> WeightedStatistic:
    """Return the statistic "accuracy of weighted rows" (R, N) -> (R,)."""
    return weighted_mean(row_correct(labels, probs, threshold))


def clustered_bootstrap(
    statistic: WeightedStatistic,
    clusters: np.ndarray,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
    confidence: float = CONFIDENCE,
    centred: bool = False,
) -> Interval:
    """Return a statistic with percentile bootstrap limits, whole clusters drawn with replacement.

    Args:
        statistic: weights (R, N) -> (R,); `weighted_auc`, `weighted_mean` and their like make one.
        clusters: (N,) the user (any label) each row belongs to.
        n_resamples: draws; 2,000 is what reports use, some hundreds give a usable picture.
        seed: decides the draws: the same seed and clusters give the same draws.
        confidence: share of intervals that should hold the truth.
        centred: shift the resampled values so that their mean is the observed value. For statistics that
            resampling itself pushes to one side (distinct items seen, Gini, a range, a maximum), where plain
            percentiles can even miss the observed value.

    Returns:
        The statistic on all rows, its limits, and the number of clusters.

    Raises:
        InputError: there are no rows, or a setting is out of bounds.
    """
    (interval,) = clustered_bootstraps(
        lambda weights: np.asarray(statistic(weights))[:, None],
        clusters,
        n_resamples,
        seed,
        confidence,
        centred,
    )
    return interval


def clustered_bootstraps(
    statistic: WeightedStatistic,
    clusters: np.ndarray,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
    confidence: float = CONFIDENCE,
    centred: bool = False,
) -> list[Interval]:
    """Do `clustered_bootstrap` for M values at once, weights (R, N) -> (R, M), and return M intervals."""
    index, n_clusters = _cluster_index(clusters)
    if n_resamples < 1 or not 0 < confidence < 1:
        raise InputError("A bootstrap needs at least one resample and a confidence between 0 and 1.")
    observed = np.asarray(statistic(np.ones((1, len(index)))), dtype=np.float64)[0]
    draws = np.concatenate(
        [statistic(weights) for weights in _resampled_weights(index, n_clusters, n_resamples, seed)]
    )
    if centred:
        known = np.isfinite(draws)
        draws = draws - np.where(known, draws - observed, 0.0).sum(0) / np.maximum(known.sum(0), 1)
    return [
        _percentiles(value, column, n_clusters, confidence)
        for value, column in zip(observed, draws.T, strict=True)
    ]


def paired_difference(
    statistic_a: WeightedStatistic,
    statistic_b: WeightedStatistic,
    clusters: np.ndarray,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
    confidence: float = CONFIDENCE,
    centred: bool = False,
) -> Interval:
    """Return a - b of two statistics over the same rows, both arms under the same resampled users.

    Two intervals that overlap say nothing about the difference; this one does.

    Args:
        statistic_a: weights (R, N) -> (R,) for arm a.
        statistic_b: the same for arm b, over the same N rows in the same order.
        clusters: (N,) the user each row belongs to.
        n_resamples: draws.
        seed: decides the draws.
        confidence: share of intervals that should hold the truth.
        centred: see `clustered_bootstrap`.

    Raises:
        InputError: there are no rows, or a setting is out of bounds.
    """
    return clustered_bootstrap(
        lambda weights: np.asarray(statistic_a(weights)) - np.asarray(statistic_b(weights)),
        clusters,
        n_resamples,
        seed,
        confidence,
        centred,
    )


def wilson(successes: float, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Return a proportion of n independent trials with Wilson's score limits (NaN when n is 0).

    Raises:
        InputError: more successes than trials, or fewer than none.
    """
    if not 0 <= successes <= n:
        raise InputError(f"{successes} successes in {n} trials is no proportion; give 0 <= successes <= n.")
    if n == 0:
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(successes, n, alpha=1 - confidence, method="wilson")
    return Interval(successes / n, float(low), float(high), n)


def delong(
    labels: np.ndarray, probs_a: np.ndarray, probs_b: np.ndarray, confidence: float = CONFIDENCE
) -> DeLong:
    """Compare two AUCs on the same independent rows (use `paired_difference` when users repeat).

    Paper: DeLong, DeLong and Clarke-Pearson (1988); midranks as in Sun and Xu (2014), so
    the cost is a sort.

    Args:
        labels: (N,) 0 or 1.
        probs_a: (N,) scores of system a, any scale.
        probs_b: (N,) scores of system b, any scale.
        confidence: of the difference's limits.

    Raises:
        InputError: a class has fewer than two rows, or lengths differ.
    """
    auc_a, auc_b = auc(labels, probs_a), auc(labels, probs_b)  # checks the inputs
    positive = np.asarray(labels) == 1
    if positive.sum() < 2 or (~positive).sum() < 2:
        raise InputError("DeLong's test needs at least two rows of each class; take more rows.")
    wins_a, losses_a = _placements(positive, np.asarray(probs_a, dtype=np.float64))
    wins_b, losses_b = _placements(positive, np.asarray(probs_b, dtype=np.float64))
    wins, losses = wins_a - wins_b, losses_a - losses_b
    variance = wins.var(ddof=1) / len(wins) + losses.var(ddof=1) / len(losses)
    difference, error = auc_a - auc_b, float(np.sqrt(variance))
    from scipy.stats import norm

    reach = float(norm.ppf((1 + confidence) / 2)) * error
    if error > 0:
        p = float(2 * norm.sf(abs(difference) / error))
    else:
        p = 1.0 if difference == 0 else 0.0
    return DeLong(
        auc_a, auc_b, Interval(difference, difference - reach, difference + reach, len(positive)), p
    )


def holm(p_values: np.ndarray) -> np.ndarray:
    """Return Holm's corrected p values (M,): the chance of even one false alarm stays below the level.

    NaN entries (no test) stay NaN and do not count.
    """
    return _corrected(p_values, "holm")


def benjamini_hochberg(p_values: np.ndarray) -> np.ndarray:
    """Return Benjamini and Hochberg's corrected p values (M,): bounds the share of false ones among alarms.

    NaN entries (no test) stay NaN and do not count.
    """
    return _corrected(p_values, "fdr_bh")


def _corrected(p_values: np.ndarray, method: str) -> np.ndarray:
    p_values = np.asarray(p_values, dtype=np.float64)
    tested = ~np.isnan(p_values)
    corrected = np.full(p_values.shape, np.nan)
    if tested.any():
        from statsmodels.stats.multitest import multipletests

        corrected[tested] = multipletests(p_values[tested], method=method)[1]
    return corrected


def _cluster_index(clusters: np.ndarray) -> tuple[np.ndarray, int]:
    clusters = np.asarray(clusters)
    if clusters.ndim != 1 or not len(clusters):
        raise InputError("There is nothing to resample: give one cluster label per row and at least one row.")
    names, index = np.unique(clusters, return_inverse=True)
    return index, len(names)


def _resampled_weights(
    index: np.ndarray, n_clusters: int, n_resamples: int, seed: int
) -> Iterator[np.ndarray]:
    rng = numpy_generator(seed, "clustered_bootstrap")
    chunk = max(1, _CHUNK_CELLS // len(index))
    for start in range(0, n_resamples, chunk):
        n_rows = min(chunk, n_resamples - start)
        drawn = rng.integers(n_clusters, size=(n_rows, n_clusters)) + np.arange(n_rows)[:, None] * n_clusters
        counts = np.bincount(drawn.ravel(), minlength=n_rows * n_clusters).reshape(n_rows, n_clusters)
        yield counts.astype(np.float64)[:, index]


def _percentiles(value: float, draws: np.ndarray, n_clusters: int, confidence: float) -> Interval:
    known = draws[np.isfinite(draws)]
    if n_clusters < 2 or not len(known):
        return Interval(float(value), float("nan"), float("nan"), n_clusters)
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(value), float(low), float(high), n_clusters)


def _placements(positive: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return for each positive the share of negatives below it, for each negative that of positives above."""
    overall = midranks(scores)
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    wins = (overall[positive] - midranks(scores[positive])) / n_negative
    losses = 1 - (overall[~positive] - midranks(scores[~positive])) / n_positive
    return wins, losses
