"""Does LightGCN, trained as RLMRec trained its base model, reach the figures of RLMRec's table 1?

Paper: RLMRec (WWW 2024), table 1, rows "LightGCN, base": means over five initialisations.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from rec_core.metrics.intervals import clustered_bootstrap, weighted_mean
from rec_core.store import Workspace
from rec_core.types import InputError, Progress, ignore_progress
from rec_core.workbench.seeded_verbs import ensure_run

NAME = "rlmrec.lightgcn"
PAPER: dict[str, dict[str, float]] = {
    "rlmrec-amazon": {
        "recall@5": 0.0570,
        "recall@10": 0.0915,
        "recall@20": 0.1411,
        "ndcg@5": 0.0574,
        "ndcg@10": 0.0694,
        "ndcg@20": 0.0856,
    },
    "rlmrec-yelp": {
        "recall@5": 0.0421,
        "recall@10": 0.0706,
        "recall@20": 0.1157,
        "ndcg@5": 0.0491,
        "ndcg@10": 0.0580,
        "ndcg@20": 0.0733,
    },
}


def run(
    data: str,
    seeds: int = 5,
    preset: str = "paper",
    progress: Progress = ignore_progress,
    *,
    workspace: Workspace | None = None,
) -> dict[str, Any]:
    """Return {"study", "rows": [{label, metric, value, low, high, n, paper}]}: the mean over seeds.

    The interval is over test users, of each user's mean over the seeds; runs that are there are not repeated.

    Args:
        data: "rlmrec-amazon" or "rlmrec-yelp".
        seeds: how many, from 0.
        preset: of graph_cf; "paper" holds RLMRec's settings.
        progress: called while runs are trained.
        workspace: where datasets and runs live.

    Raises:
        InputError: another dataset.
    """
    if data not in PAPER:
        raise InputError(f"The study {NAME} is about {' and '.join(PAPER)}; {data!r} is neither.")
    space = workspace or Workspace.from_environment()
    tables, rows = [], []
    for seed in range(seeds):
        result = ensure_run("graph_cf", data, preset, seed=seed, progress=progress, workspace=space)
        tables.append(pd.read_parquet(space.run_path(result["run"]) / "per_user.parquet"))
        rows.append(_row(f"seed {seed}", "recall@20", tables[-1]["user_num"], tables[-1]["recall@20"], None))
    users = tables[0]["user_num"]
    means = [
        _row(
            "LightGCN, mean of seeds",
            metric,
            users,
            np.mean([table[metric] for table in tables], axis=0),
            paper,
        )
        for metric, paper in PAPER[data].items()
    ]
    return {"study": NAME, "data": data, "seeds": seeds, "rows": means + rows}


def _row(label: str, metric: str, users: Any, values: Any, paper: float | None) -> dict[str, Any]:
    interval = clustered_bootstrap(weighted_mean(np.asarray(values, dtype=np.float64)), np.asarray(users))
    return {"label": label, "metric": metric, **interval.as_dict(), "paper": paper}
