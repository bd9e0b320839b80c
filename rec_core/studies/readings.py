"""What several seeds of one way of answering gave, measured and compared on the same test rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from rec_core.metrics.intervals import (
    WeightedStatistic,
    clustered_bootstrap,
    delong,
    mean_statistic,
    paired_difference,
    weighted_accuracy,
    weighted_auc,
    weighted_log_loss,
    weighted_mean,
)
from rec_core.types import InputError

Row = dict[str, Any]
PUBLISHED_LOSS = "log_loss, double softmax"
EVIDENCE_MEASURES = {
    "text_cosine": "text cosine to the target",
    "id_cosine": "ID cosine to the target",
    "aligned_cosine": "aligned cosine to the target",
    "label_agreement": "share liked as the target was",
}
METRICS = ("auc", "log_loss", PUBLISHED_LOSS, "accuracy")


@dataclass(frozen=True)
class Reading:
    """One way of answering, one table per seed: row, user_num, label, p (P(like)), mass (P(yes) + P(no)).

    `mass` is 1 for a model that has no other words.
    """

    label: str
    tables: tuple[pd.DataFrame, ...]

    @classmethod
    def of(cls, label: str, predictions: Sequence[pd.DataFrame], arm: str) -> Reading:
        """Return the reading of one arm of predictions.parquet tables, one per seed."""
        return cls(label, tuple(_one_arm(table, arm) for table in predictions))

    @property
    def labels(self) -> np.ndarray:
        """Return the labels of the test rows (N,)."""
        return self.tables[0]["label"].to_numpy()

    @property
    def users(self) -> np.ndarray:
        """Return whose row each is (N,)."""
        return self.tables[0]["user_num"].to_numpy()

    def statistic(self, metric: str) -> WeightedStatistic:
        """Return a metric of weighted rows, the mean over seeds."""
        return mean_statistic([_statistic(metric, self.labels, table) for table in self.tables])


def measured(reading: Reading, paper: dict[str, float], seed: int) -> list[Row]:
    """Return a row per metric with its interval over users, beside the paper's figure where it prints one.

    A paper's log loss stands beside the one it is (ReLLa's beside the plain, RALLRec's beside the double
    softmax); `paper` says which by its key.
    """
    return [
        {
            "label": reading.label,
            "metric": metric,
            **clustered_bootstrap(reading.statistic(metric), reading.users, seed=seed).as_dict(),
            "n_rows": len(reading.labels),
            "paper": paper.get(metric),
        }
        for metric in METRICS
    ]


def evidence_measured(reading: Reading, seed: int) -> list[Row]:
    """Return a row per measure of the evidence: mean cosine to the target by view, and label agreement."""
    rows = []
    for column, name in EVIDENCE_MEASURES.items():
        if column not in reading.tables[0]:
            continue
        statistic = mean_statistic([weighted_mean(table[column].to_numpy()) for table in reading.tables])
        found = clustered_bootstrap(statistic, reading.users, seed=seed).as_dict()
        rows.append(
            {
                "label": reading.label,
                "metric": name,
                **found,
                "n_rows": len(reading.labels),
                "paper": None,
            }
        )
    return rows


def compared(first: Reading, second: Reading, seed: int) -> list[Row]:
    """Return a row per metric for first - second on the same rows, paired by user.

    The row of AUC has DeLong's p, which takes rows for independent; with several seeds it is of the mean
    scores.

    Raises:
        InputError: the two did not answer the same rows.
    """
    if not np.array_equal(first.tables[0]["row"], second.tables[0]["row"]):
        raise InputError(
            f"{first.label} and {second.label} did not answer the same test rows, so nothing can be paired; "
            "score both on the same rows (n_test, quirks)."
        )
    rows = []
    for metric in METRICS:
        sides = first.statistic(metric), second.statistic(metric)
        found = paired_difference(*sides, first.users, seed=seed).as_dict()
        rows.append(
            {
                "label": f"{first.label} - {second.label}",
                "metric": metric,
                **found,
                "n_rows": len(first.labels),
                "paper": None,
            }
        )
    rows[0]["p_delong"] = delong(first.labels, _mean_probs(first), _mean_probs(second)).p
    return rows


def _one_arm(table: pd.DataFrame, arm: str) -> pd.DataFrame:
    kept = table[["row", "user_num", "label"]].assign(p=table[f"p_{arm}"])
    kept["mass"] = table[f"mass_{arm}"] if f"mass_{arm}" in table else 1.0
    for measure in EVIDENCE_MEASURES:
        if f"{measure}_{arm}" in table:
            kept[measure] = table[f"{measure}_{arm}"]
    return kept


def _mean_probs(reading: Reading) -> np.ndarray:
    """Return the mean over seeds of each row's rank: scores of two seeds need not be on one scale."""
    return np.mean([stats.rankdata(table["p"]) for table in reading.tables], axis=0)


def _statistic(metric: str, labels: np.ndarray, table: pd.DataFrame) -> WeightedStatistic:
    probs = table["p"].to_numpy()
    if metric == "auc":
        return weighted_auc(labels, probs)
    if metric == "accuracy":
        return weighted_accuracy(labels, probs)
    if metric == PUBLISHED_LOSS:
        gap = (2 * probs - 1) * table["mass"].to_numpy()  # P(yes) - P(no) over the whole vocabulary
        return weighted_log_loss(labels, 1 / (1 + np.exp(-gap)))
    return weighted_log_loss(labels, probs)
