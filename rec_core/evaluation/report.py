"""From per-user metrics to what a table prints: means with intervals, and paired comparisons."""

from __future__ import annotations

import numpy as np
import pandas as pd

from rec_core.metrics.intervals import N_RESAMPLES, clustered_bootstraps, holm, weighted_mean
from rec_core.metrics.permutation import sign_flip_tests
from rec_core.types import InputError

_USER = "user_num"


def with_intervals(
    per_user: pd.DataFrame, seed: int, n_resamples: int = N_RESAMPLES
) -> dict[str, dict[str, float | int | None]]:
    """Return the mean of every metric over users with its 95 % bootstrap limits.

    Args:
        per_user: user_num (each once) and one column per metric; NaN where a metric is unknown for a user.
        seed: decides the resamples; all metrics share them.
        n_resamples: draws.

    Returns:
        Per metric: value, low, high and n, the users it is known for; None where it cannot be known.

    Raises:
        InputError: there are no users, or one has several rows.
    """
    values = _by_user(per_user)
    known = values.notna().sum()
    found = clustered_bootstraps(
        weighted_mean(values.to_numpy(np.float64)), values.index.to_numpy(), n_resamples, seed
    )
    return {
        str(name): {**interval.as_dict(), "n": int(known[name])}
        for name, interval in zip(values.columns, found, strict=True)
    }


def compare_per_user(
    a: pd.DataFrame, b: pd.DataFrame, seed: int, n_resamples: int = N_RESAMPLES
) -> pd.DataFrame:
    """Compare two systems on the users and metrics that both have: a - b, user by user.

    The interval comes from resampled users, the p value from swapping the two systems within users, and
    `p_corrected` keeps the chance of one false alarm among all metrics of the table below its level (Holm).

    Args:
        a: per-user metrics of one system: user_num (each once) and one column per metric.
        b: the same of the other.
        seed: decides resamples and swaps.
        n_resamples: draws of either kind; no p value is below 1 / (1 + n_resamples).

    Returns:
        One row per metric: metric, a, b (means over the users compared), difference, low, high, p,
        p_corrected, n.

    Raises:
        InputError: no user or no metric is shared, or a user has several rows.
    """
    first, second = _by_user(a), _by_user(b)
    names = [name for name in first.columns if name in second.columns]
    users = first.index.intersection(second.index)
    if not len(users) or not names:
        raise InputError(
            "The two tables share no user or no metric; evaluate both systems on the same held-out rows."
        )
    left, right = (table.loc[users, names].to_numpy(np.float64) for table in (first, second))
    differences = left - right
    known = ~np.isnan(differences)
    intervals = clustered_bootstraps(weighted_mean(differences), users.to_numpy(), n_resamples, seed)
    p_values = sign_flip_tests(differences, n_resamples, seed)
    return pd.DataFrame(
        {
            "metric": names,
            "a": _means(left, known),
            "b": _means(right, known),
            "difference": [interval.value for interval in intervals],
            "low": [interval.low for interval in intervals],
            "high": [interval.high for interval in intervals],
            "p": p_values,
            "p_corrected": holm(p_values),
            "n": known.sum(axis=0),
        }
    )


def _by_user(per_user: pd.DataFrame) -> pd.DataFrame:
    values = per_user.set_index(_USER)
    if not len(values) or values.index.has_duplicates:
        raise InputError("Per-user metrics need one row per user and at least one user; check `user_num`.")
    return values


def _means(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.where(known, values, 0.0).sum(axis=0) / known.sum(axis=0)
