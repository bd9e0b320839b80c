"""What do the simple methods reach, and who beats them?

A gain over a weak baseline is no gain, so every ID-based ranking system is trained on one dataset with its
own preset and laid beside the yardsticks: popularity, item-kNN, EASE and iALS. Differences are to the best
yardstick, paired by user.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from rec_core.store import Workspace
from rec_core.types import Progress, ignore_progress
from rec_core.workbench.seeded_verbs import ensure_run

NAME = "yardsticks"
METRICS = ("ndcg@10", "recall@10")
YARDSTICKS = ("popularity", "item_knn", "ease", "ials")
TRAINED: dict[str, tuple[str, dict[str, Any]]] = {
    "BPR-MF": ("matrix_factorisation", {}),
    "LightGCN": ("graph_cf", {}),
    "SGL": ("graph_cf", {"encoder": "sgl"}),
    "SimGCL": ("graph_cf", {"encoder": "simgcl"}),
    "AMP-CF": ("amp_cf", {}),
    "SASRec": ("sequential", {}),
    "GRU4Rec": ("sequential", {"encoder": "gru4rec"}),
    "Caser": ("sequential", {"encoder": "caser"}),
}


def run(
    data: str,
    preset: str = "small",
    seed: int = 0,
    progress: Progress = ignore_progress,
    *,
    workspace: Workspace | None = None,
) -> dict[str, Any]:
    """Return {"study", "rows": [{label, metric, value, low, high, n, paper}]} for one dataset.

    Args:
        data: any dataset; each user's last two items are held out.
        preset: of every system.
        seed: of every run.
        progress: called while runs are trained; those that are there are not repeated.
        workspace: where datasets and runs live.
    """
    from rec_core.evaluation.report import compare_per_user

    space = workspace or Workspace.from_environment()
    settings: dict[str, tuple[str, dict[str, Any]]] = {name: (name, {}) for name in YARDSTICKS} | TRAINED
    rows, tables = [], {}
    for label, (system, overrides) in settings.items():
        result = ensure_run(system, data, preset, overrides, seed, progress, workspace=space)
        tables[label] = pd.read_parquet(space.run_path(result["run"]) / "per_user.parquet")
        rows += [_row(label, metric, result["metrics"][metric]) for metric in METRICS]
    best = max(YARDSTICKS, key=lambda name: tables[name][METRICS[0]].mean())
    for label in TRAINED:
        found = compare_per_user(tables[label], tables[best], seed).set_index("metric")
        rows += [
            _row(f"{label} - {best}", metric, found.loc[metric].to_dict(), "difference") for metric in METRICS
        ]
    return {"study": NAME, "data": data, "best_yardstick": best, "rows": rows}


def _row(label: str, metric: str, interval: Mapping[Any, Any], value: str = "value") -> dict[str, Any]:
    limits = {key: interval[key] for key in ("low", "high", "n")}
    return {"label": label, "metric": metric, "value": interval[value], **limits, "paper": None}
