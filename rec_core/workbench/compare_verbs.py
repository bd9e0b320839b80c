"""Two runs beside each other: paired differences on what both were tested on."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from rec_core.metrics.intervals import Interval, holm, paired_difference
from rec_core.run_folder import RunFolder
from rec_core.store import Workspace, read_json
from rec_core.types import InputError
from rec_core.workbench.run_verbs import open_run

_KEYS = ["row", "user_num", "item_num", "label"]


def compare(
    run_a: str,
    run_b: str,
    arm_a: str | None = None,
    arm_b: str | None = None,
    *,
    workspace: Workspace | None = None,
) -> dict[str, Any]:
    """Return paired differences a - b with user-clustered 95 % intervals, p-values corrected after Holm.

    Runs that answered like questions are compared on the test rows both scored (AUC, log loss, accuracy);
    runs that ranked the catalogue on the test users both ranked for. Where a run compared several arms, its
    main one counts unless another is named.

    Raises:
        InputError: a run is not finished, or the two were not asked the same questions.
    """
    space = workspace or Workspace.from_environment()
    runs = [open_run(space, run_id) for run_id in (run_a, run_b)]
    for run in runs:
        if run.status.get("state") != "done":
            raise InputError(
                f"Run {run.run_id} has no test results yet; finish it with `resume {run.run_id}`."
            )
    if len({read_json(run.path / "run.json")["dataset_hash"] for run in runs}) > 1:
        raise InputError(f"Runs {run_a} and {run_b} share no test rows; compare runs on the same data.")
    files = [{name for name in _COMPARE if (run.path / name).exists()} for run in runs]
    shared = files[0] & files[1]
    if not shared:
        raise InputError(
            f"Runs {run_a} and {run_b} were asked different questions (likes, rankings), so nothing can be "
            "paired; compare runs of one kind."
        )
    result = _COMPARE[shared.pop()](runs, (arm_a, arm_b))
    return {"a": run_a, "b": run_b, **result}


def _compare_likes(runs: list[RunFolder], arms: tuple[str | None, str | None]) -> dict[str, Any]:
    from rec_core.systems.arms import METRICS

    tables = [_predictions(run, arm) for run, arm in zip(runs, arms, strict=True)]
    shared = tables[0].merge(tables[1], on=_KEYS, suffixes=("_a", "_b"))
    if shared.empty:
        raise InputError(
            f"Runs {runs[0].run_id} and {runs[1].run_id} share no test rows; compare runs on the same data."
        )
    labels, users = shared["label"].to_numpy(), shared["user_num"].to_numpy()
    plain, rows, p_values = np.ones((1, len(labels))), [], []
    for name, make in METRICS.items():
        a, b = (make(labels, shared[f"p_{side}"].to_numpy()) for side in ("a", "b"))
        difference = paired_difference(a, b, users)
        limits = {key: value for key, value in difference.as_dict().items() if key in ("low", "high", "n")}
        p_values.append(_p_value(difference))
        rows.append(
            {
                "metric": name,
                "a": float(a(plain)[0]),
                "b": float(b(plain)[0]),
                "difference": difference.value,
                **limits,
            }
        )
    corrected = holm(np.array(p_values))
    for row, p, p_corrected in zip(rows, p_values, corrected, strict=True):
        row |= {"p": float(p), "p_corrected": float(p_corrected)}
    return {
        "arms": [_arm(run, arm) for run, arm in zip(runs, arms, strict=True)],
        "n_rows": len(shared),
        "rows": rows,
    }


def _compare_rankings(runs: list[RunFolder], arms: tuple[str | None, str | None]) -> dict[str, Any]:
    from rec_core.evaluation.report import compare_per_user

    protocols = [run.metrics["protocol"] for run in runs]
    if protocols[0] != protocols[1]:
        raise InputError(
            f"Runs {runs[0].run_id} and {runs[1].run_id} were judged differently ({protocols[0]}; "
            f"{protocols[1]}); compare runs with the same task settings."
        )
    tables = [pd.read_parquet(run.path / "per_user.parquet") for run in runs]
    rows = compare_per_user(tables[0], tables[1], seed=0)
    return {"protocol": protocols[0], "rows": rows.to_dict("records")}


def _p_value(difference: Interval) -> float:
    """Return the two-sided p of no difference, taking the interval for a normal one."""
    error = (difference.high - difference.low) / (2 * 1.959964)
    return math.erfc(abs(difference.value) / error / math.sqrt(2)) if error > 0 else float("nan")


_COMPARE = {"predictions.parquet": _compare_likes, "per_user.parquet": _compare_rankings}


def _predictions(run: RunFolder, arm: str | None) -> pd.DataFrame:
    table = pd.read_parquet(run.path / "predictions.parquet")
    column = f"p_{_arm(run, arm)}"
    if column not in table:
        known = ", ".join(c.removeprefix("p_") for c in table.columns if c.startswith("p_"))
        raise InputError(f"Run {run.run_id} has no arm {arm!r}; it has {known}.")
    return table[[*_KEYS, column]].rename(columns={column: "p"})


def _arm(run: RunFolder, arm: str | None) -> str:
    main = arm or run.metrics.get("main_arm")
    if not main:
        raise InputError(f"Run {run.run_id} does not say which of its arms is its own; train it anew.")
    return str(main)
