"""Compare ways of choosing evidence on the same test rows: metrics with intervals, paired differences.

Paper: RALLRec tables 1, 3 and 4: untuned, recent items, text retrieval (as ReLLa), ID retrieval,
concatenation without alignment, and the whole method.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from rec_core.metrics.intervals import (
    Interval,
    clustered_bootstrap,
    paired_difference,
    weighted_accuracy,
    weighted_auc,
    weighted_log_loss,
)

METRICS: dict[str, Callable[[np.ndarray, np.ndarray], Any]] = {
    "auc": weighted_auc,
    "log_loss": weighted_log_loss,
    "accuracy": weighted_accuracy,
}


def compare_arms(
    predictions: pd.DataFrame, main_arm: str, seed: int, n_resamples: int = 1000
) -> dict[str, Any]:
    """Return metrics of every arm and the difference of the main arm to each other one.

    Args:
        predictions: one row per test sample with user_num, label and one probability column per arm
            ("p_<arm>").
        main_arm: the one the others are compared with.
        seed: decides the bootstrap.
        n_resamples: draws per interval.

    Returns:
        {"arms": {arm: {metric: interval}}, "main_arm", "differences": {"main - arm": {metric: interval}}};
        `n` of an interval counts users, `n_rows` the test rows.
    """
    labels, users = predictions["label"].to_numpy(), predictions["user_num"].to_numpy()
    arms = [name.removeprefix("p_") for name in predictions.columns if name.startswith("p_")]
    statistics = {
        arm: {name: make(labels, predictions[f"p_{arm}"].to_numpy()) for name, make in METRICS.items()}
        for arm in arms
    }

    def interval(estimate: Interval) -> dict[str, Any]:
        return {**estimate.as_dict(), "n_rows": len(labels)}

    return {
        "arms": {
            arm: {
                name: interval(clustered_bootstrap(statistic, users, n_resamples, seed))
                for name, statistic in statistics[arm].items()
            }
            for arm in arms
        },
        "main_arm": main_arm,
        "differences": {
            f"{main_arm} - {arm}": {
                name: interval(
                    paired_difference(
                        statistics[main_arm][name], statistics[arm][name], users, n_resamples, seed
                    )
                )
                for name in METRICS
            }
            for arm in arms
            if arm != main_arm
        },
    }
