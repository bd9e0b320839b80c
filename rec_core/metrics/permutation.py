"""Permutation tests with the user as the unit: what would the statistic be if the label meant nothing?

Every p value counts the observed arrangement among the permuted ones, (1 + as extreme) / (1 + permutations):
it is valid at any number of permutations and never 0.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rec_core.seeding import numpy_generator

_CHUNK_CELLS = 1_000_000
_ROUNDING = 1e-12  # relative: an arrangement this close to the observed one counts as equally extreme


def slot_test(table: np.ndarray, n_permutations: int, seed: int) -> tuple[float, float]:
    """Test whether columns of a user-by-slot table differ, by relabelling the slots inside each user.

    Args:
        table: (U, C) what fell into each slot, one row per user.
        n_permutations: draws.
        seed: decides the draws.

    Returns:
        The p value of the variance between the column means, and the range (max - min) of the column means
        that a meaningless slot label shows on average: how large a range is nothing.
    """
    table = np.asarray(table, dtype=np.float64)

    def permuted_means(rng: np.random.Generator, n_draws: int) -> np.ndarray:
        tables = np.broadcast_to(table, (n_draws, *table.shape))
        return rng.permuted(tables, axis=2).mean(axis=1)

    means = _draw(permuted_means, n_permutations, table.size, seed)
    return _p_value(table.mean(axis=0).var(), means.var(axis=1)), float(np.ptp(means, axis=1).mean())


def sign_flip_test(differences: np.ndarray, n_permutations: int, seed: int) -> float:
    """Return the two-sided p value of the mean of paired differences, one per user, by swapping the arms.

    Args:
        differences: (U,) arm a - arm b, already averaged within the user.
        n_permutations: draws.
        seed: decides the draws.
    """
    (p,) = sign_flip_tests(np.asarray(differences, dtype=np.float64)[:, None], n_permutations, seed)
    return float(p)


def sign_flip_tests(differences: np.ndarray, n_permutations: int, seed: int) -> np.ndarray:
    """Do `sign_flip_test` for M metrics of the same users at once, (U, M) -> (M,), under the same swaps.

    NaN entries count as absent; a metric without any other gives NaN.
    """
    differences = np.asarray(differences, dtype=np.float64)
    known = ~np.isnan(differences)
    filled, counts = np.where(known, differences, 0.0), known.sum(axis=0)

    def flipped_sums(rng: np.random.Generator, n_draws: int) -> np.ndarray:
        signs = rng.integers(0, 2, size=(n_draws, len(filled))) * 2.0 - 1
        return signs @ filled

    draws = np.abs(_draw(flipped_sums, n_permutations, len(filled), seed))
    observed = np.abs(filled.sum(axis=0))
    return np.array(
        [
            _p_value(float(sum_) / n, column / n) if n else np.nan
            for sum_, column, n in zip(observed, draws.T, counts, strict=True)
        ]
    )


def group_test(values: np.ndarray, in_first: np.ndarray, n_permutations: int, seed: int) -> float:
    """Return the two-sided p value of the difference of two groups' means, by shuffling the membership.

    Args:
        values: (U,) one per user.
        in_first: (U,) bool, membership of the first group; the rest is the second.
        n_permutations: draws.
        seed: decides the draws.
    """
    values, in_first = np.asarray(values, dtype=np.float64), np.asarray(in_first, dtype=bool)
    n_first = int(in_first.sum())

    def gaps(first_sums: np.ndarray) -> np.ndarray:
        return first_sums / n_first - (values.sum() - first_sums) / (len(values) - n_first)

    def shuffled_gaps(rng: np.random.Generator, n_draws: int) -> np.ndarray:
        shuffled = rng.permuted(np.broadcast_to(values, (n_draws, len(values))), axis=1)
        return gaps(shuffled[:, :n_first].sum(axis=1))

    draws = _draw(shuffled_gaps, n_permutations, len(values), seed)
    return _p_value(abs(float(gaps(values[in_first].sum()))), np.abs(draws))


def arm_swap_auc_test(
    labels: np.ndarray, scores: np.ndarray, clusters: np.ndarray, n_permutations: int, seed: int
) -> float:
    """Return the two-sided p value of an AUC difference between arms, by swapping the arms within users.

    The statistic is the mean AUC of the later arms minus that of the first; a permutation deals every user's
    arms out anew. Exact when no arm differs from any other.

    Args:
        labels: (N,) 0 or 1, both present.
        scores: (A, N) one row of scores per arm.
        clusters: (N,) the user of each row.
        n_permutations: draws.
        seed: decides the draws.
    """
    positive = np.asarray(labels) == 1
    scores = np.asarray(scores, dtype=np.float64)
    names, index = np.unique(clusters, return_inverse=True)
    arms = np.arange(len(scores))

    def difference(dealt: np.ndarray) -> float:
        areas = [_auc(positive, row) for row in dealt]
        return float(np.mean(areas[1:]) - areas[0])

    def dealt_differences(rng: np.random.Generator, n_draws: int) -> np.ndarray:
        users = np.broadcast_to(arms[:, None], (n_draws, len(arms), len(names)))
        deals = rng.permuted(users, axis=1)[:, :, index]
        return np.array([difference(np.take_along_axis(scores, deal, axis=0)) for deal in deals])

    draws = _draw(dealt_differences, n_permutations, scores.size, seed)
    return _p_value(abs(difference(scores)), np.abs(draws))


def _auc(positive: np.ndarray, scores: np.ndarray) -> float:
    winners, losers = scores[positive], np.sort(scores[~positive])
    beaten = np.searchsorted(losers, winners, "left") + np.searchsorted(losers, winners, "right")
    return float(beaten.sum() / 2 / (len(winners) * len(losers)))


def _draw(
    statistic: Callable[[np.random.Generator, int], np.ndarray], n_draws: int, cells: int, seed: int
) -> np.ndarray:
    rng = numpy_generator(seed, "permutation")
    chunk = max(1, _CHUNK_CELLS // max(cells, 1))
    return np.concatenate([statistic(rng, min(chunk, n_draws - at)) for at in range(0, n_draws, chunk)])


def _p_value(observed: float, draws: np.ndarray) -> float:
    as_extreme = draws >= observed - _ROUNDING * max(abs(observed), 1.0)
    return float((1 + as_extreme.sum()) / (1 + len(draws)))
