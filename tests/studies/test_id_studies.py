"""Studies of ID-based systems: what they train, what they average, what they print beside it."""

import numpy as np
import pandas as pd
import pytest

from rec_core.evaluation.report import with_intervals
from rec_core.store import Workspace, write_table
from rec_core.studies import ctr_shots, rlmrec_lightgcn, yardsticks
from rec_core.types import InputError

USERS = np.arange(40)
CUTOFFS = (5, 10, 20)


@pytest.fixture
def trainings(tmp_path, monkeypatch):
    """Runs that are drawn instead of trained: the metric of a user depends on system, settings and seed."""
    space, asked = Workspace(tmp_path), []

    def ensure_run(system, data, preset="small", overrides=None, seed=0, progress=None, *, workspace=None):
        asked.append((system, preset, dict(overrides or {}), seed))
        rng = np.random.default_rng(len(asked))
        columns = {f"{name}@{k}": rng.random(40) for name in ("recall", "ndcg") for k in CUTOFFS}
        table = pd.DataFrame({"user_num": USERS, **columns})
        name = f"run-{len(asked)}"
        write_table(space.run_path(name) / "per_user.parquet", table)
        shots = (overrides or {}).get("n_shots", 0)
        auc = {"value": 0.6 + 0.02 * len(asked), "low": 0.5, "high": 0.9, "n": 40}
        metrics = with_intervals(table, 0) | {"auc": auc}
        return {"run": name, "metrics": metrics, "n_train_rows": shots or 99_999}

    for module in (rlmrec_lightgcn, yardsticks, ctr_shots):
        monkeypatch.setattr(module, "ensure_run", ensure_run)
    return space, asked


def test_rlmrec_reports_the_mean_of_the_seeds_beside_the_paper(trainings):
    space, asked = trainings
    found = rlmrec_lightgcn.run("rlmrec-amazon", seeds=3, workspace=space)
    assert asked == [("graph_cf", "paper", {}, seed) for seed in range(3)]
    tables = [pd.read_parquet(space.run_path(f"run-{i}") / "per_user.parquet") for i in (1, 2, 3)]
    rows = {(row["label"], row["metric"]): row for row in found["rows"]}
    mean = rows["LightGCN, mean of seeds", "recall@20"]
    assert mean["value"] == pytest.approx(np.mean([table["recall@20"].mean() for table in tables]))
    assert mean["paper"] == 0.1411 and mean["low"] < mean["value"] < mean["high"] and mean["n"] == 40
    assert rows["seed 1", "recall@20"]["value"] == pytest.approx(tables[1]["recall@20"].mean())
    assert {metric for label, metric in rows if "mean" in label} == set(
        rlmrec_lightgcn.PAPER["rlmrec-amazon"]
    )
    with pytest.raises(InputError, match="neither"):
        rlmrec_lightgcn.run("ml-1m", workspace=space)


def test_yardsticks_compare_everything_with_the_best_simple_method(trainings):
    space, asked = trainings
    found = yardsticks.run("sample", "tiny", workspace=space)
    assert [system for system, *_ in asked][:4] == list(yardsticks.YARDSTICKS) and len(asked) == 12
    values = {row["label"]: row["value"] for row in found["rows"] if row["metric"] == "ndcg@10"}
    best = max(yardsticks.YARDSTICKS, key=lambda name: values[name])
    assert found["best_yardstick"] == best
    assert values[f"SASRec - {best}"] == pytest.approx(values["SASRec"] - values[best])
    assert sum(" - " in label for label in values) == len(yardsticks.TRAINED)


def test_shots_are_nested_runs_and_the_closest_to_the_printed_figure_is_named(trainings):
    space, asked = trainings
    found = ctr_shots.run("ml-1m", workspace=space)
    assert [overrides.get("n_shots", 0) for _, _, overrides, _ in asked] == list(ctr_shots.SHOTS)
    assert {overrides.get("batch_size") for _, _, overrides, _ in asked} == {256, None}
    papers = [row["paper"] for row in found["rows"] if row["paper"]]
    assert papers == [0.7915, 0.7184]
    closest = found["rows"][-1]  # 0.62, 0.64, ... 0.74: the sixth is the nearest to 0.7184
    assert closest["value"] == pytest.approx(0.72) and closest["label"].startswith("DeepFM, 65,536 samples")
