"""Test metrics of like probabilities, each with an interval that resamples users."""

from __future__ import annotations

from typing import Any

import numpy as np

from rec_core.metrics.ctr import user_aucs
from rec_core.metrics.intervals import (
    WeightedStatistic,
    clustered_bootstrap,
    weighted_accuracy,
    weighted_auc,
    weighted_log_loss,
    weighted_mean,
)

_N_BINS = 10
_N_RESAMPLES = 1000


def ctr_metrics(labels: np.ndarray, probs: np.ndarray, users: np.ndarray, seed: int) -> dict[str, Any]:
    """Return auc, user_auc, log_loss, accuracy and calibration_error as intervals.

    Args:
        labels: (N,) 0 or 1.
        probs: (N,) P(like).
        users: (N,) whose question each row is.
        seed: decides the resamples.
    """
    row_wise: dict[str, WeightedStatistic] = {
        "auc": weighted_auc(labels, probs),
        "log_loss": weighted_log_loss(labels, probs),
        "accuracy": weighted_accuracy(labels, probs),
    }
    found = {
        name: clustered_bootstrap(statistic, users, _N_RESAMPLES, seed)
        for name, statistic in row_wise.items()
    }
    found["calibration_error"] = clustered_bootstrap(
        _weighted_calibration_error(labels, probs), users, _N_RESAMPLES, seed, centred=True
    )
    per_user = user_aucs(labels, probs, users)
    known = per_user.users[~np.isnan(per_user.aucs)]
    aucs = per_user.aucs[~np.isnan(per_user.aucs)]
    if len(aucs):
        found["user_auc"] = clustered_bootstrap(weighted_mean(aucs), known, _N_RESAMPLES, seed)
    return {name: interval.as_dict() for name, interval in found.items()}


def _weighted_calibration_error(labels: np.ndarray, probs: np.ndarray) -> WeightedStatistic:
    """Return the statistic "expected calibration error of weighted rows" (R, N) -> (R,), ten equal bins."""
    bins = np.clip((probs * _N_BINS).astype(int), 0, _N_BINS - 1)
    gaps = np.zeros((len(probs), _N_BINS))
    gaps[np.arange(len(probs)), bins] = labels - probs

    def statistic(weights: np.ndarray) -> np.ndarray:
        return np.abs(weights @ gaps).sum(axis=1) / weights.sum(axis=1)

    return statistic
