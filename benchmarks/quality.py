"""Judge what both libraries left by one metric code: the engine's, on the same held-out rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmarks.cases import ClickCase, RankingCase
from benchmarks.timing import row
from rec_core.evaluation.full_ranking import Score, rank_catalogue
from rec_core.evaluation.per_user import per_user_metrics
from rec_core.evaluation.report import compare_per_user, with_intervals
from rec_core.metrics.intervals import (
    clustered_bootstrap,
    mean_statistic,
    paired_difference,
    weighted_auc,
    weighted_log_loss,
)
from rec_core.systems.ranking_parts import RankingParts
from rec_core.systems.ranking_task import RankingTask

CUTOFFS = (10, 20)
Folders = Sequence[Path]
REPORTED = ("ndcg@10", "recall@10", "mrr@10", "ndcg@20", "recall@20")


def ranking_rows(
    name: str, case: RankingCase, ours: Folders, peer: Folders, seed: int
) -> list[dict[str, Any]]:
    """Return a row per metric with both means, their intervals, and the interval of the paired difference.

    With several seeds a user's metric is the mean over them, so intervals speak of users for these seeds;
    `by_seed` has the difference of each.

    Args:
        name: what the rows are called.
        case: whose test users are ranked for; items of training and validation are left out.
        ours: folders with our scores, one per seed.
        peer: folders with the peer's, in the same order.
        seed: decides the resamples.
    """
    parts = RankingParts(case.dataset, RankingTask(), case.split)
    by_seed = [[metrics_of_test_users(parts, folder) for folder in folders] for folders in (ours, peer)]
    tables = [pd.concat(found).groupby("user_num", as_index=False).mean() for found in by_seed]
    intervals = [with_intervals(table, seed) for table in tables]
    compared = compare_per_user(tables[0], tables[1], seed).set_index("metric")
    return [
        row(
            name,
            f"test {metric}",
            "",
            intervals[0][metric]["value"],
            intervals[1][metric]["value"],
            True,
            ours_interval=_limits(intervals[0][metric]),
            peer_interval=_limits(intervals[1][metric]),
            **{key: float(compared.loc[metric, key]) for key in ("difference", "low", "high", "p")},
            n=int(compared.loc[metric, "n"]),
            by_seed=[
                float((a[metric] - b[metric]).mean()) for a, b in zip(by_seed[0], by_seed[1], strict=True)
            ],
        )
        for metric in REPORTED
    ]


def click_rows(name: str, case: ClickCase, ours: Folders, peer: Folders, seed: int) -> list[dict[str, Any]]:
    """Return rows for AUC and log loss of the test rows; intervals resample users, both sides alike.

    Args:
        name: what the rows are called.
        case: whose test rows were scored.
        ours: folders with our scores, one per seed; a metric is the mean over them.
        peer: folders with the peer's, in the same order.
        seed: decides the resamples.
    """
    test = case.samples.take(case.split.test)
    everyone = np.ones((1, len(test.labels)))
    rows = []
    for metric, statistic, higher in (("auc", weighted_auc, True), ("log loss", weighted_log_loss, False)):
        by_seed = [[statistic(test.labels, _probs(folder)) for folder in folders] for folders in (ours, peer)]
        sides = [mean_statistic(statistics) for statistics in by_seed]
        first, second = (clustered_bootstrap(side, test.user_nums, seed=seed).as_dict() for side in sides)
        difference = paired_difference(sides[0], sides[1], test.user_nums, seed=seed).as_dict()
        rows.append(
            row(
                name,
                f"test {metric}",
                "",
                first["value"],
                second["value"],
                higher,
                ours_interval=_limits(first),
                peer_interval=_limits(second),
                difference=difference["value"],
                low=difference["low"],
                high=difference["high"],
                n=difference["n"],
                by_seed=[float(a(everyone)[0] - b(everyone)[0]) for a, b in zip(*by_seed, strict=True)],
            )
        )
    return rows


def metrics_of_test_users(parts: RankingParts, folder: Path) -> pd.DataFrame:
    """Return one row of metrics per test user for the scores a job left."""
    return per_user_metrics(rank_catalogue(scores_of(folder), parts.test, parts.n_items, 0), CUTOFFS)


def scores_of(folder: Path) -> Score:
    """Return the function users -> scores over the catalogue: vectors multiplied, or rows looked up."""
    if (folder / "user_vectors.npy").exists():
        users, items = (
            torch.from_numpy(np.load(folder / f"{side}_vectors.npy")) for side in ("user", "item")
        )
        return lambda asked: users[torch.from_numpy(asked)] @ items.T
    names, scores = np.load(folder / "score_users.npy"), np.load(folder / "scores.npy", mmap_mode="r")
    place = np.full(int(names.max()) + 1, -1)
    place[names] = np.arange(len(names))
    return lambda asked: torch.from_numpy(scores[place[asked]])


def seconds_to(
    validation: list[list[float]], target: float, epoch_seconds: float, evaluation_seconds: float
) -> float | None:
    """Return the seconds until the validation metric first reaches a target; None where it never does.

    Args:
        validation: (seconds, metric) after each epoch.
        target: what is to be reached.
        epoch_seconds: what an epoch takes.
        evaluation_seconds: what a validation takes; there is one after each epoch.
    """
    reached = [epoch for epoch, (_, metric) in enumerate(validation, start=1) if metric >= target]
    return reached[0] * (epoch_seconds + evaluation_seconds) if reached else None


def _probs(folder: Path) -> np.ndarray:
    return np.load(folder / "test_scores.npy").astype(np.float64)


def _limits(interval: dict[str, Any]) -> list[float]:
    return [interval["low"], interval["high"]]
