"""How good is a plain DeepFM with all the data, and how few samples bring it down to RALLRec's baseline row?

RALLRec's table 1 prints DeepFM at an AUC of 0.7184 on ML-1M; ReLLa's paper, on the same split, 0.7915 with
the full training set. The first looks like few-shot training, which neither paper says; this study trains
DeepFM on nested samples of growing size and on everything, and scores every test row.
"""

from __future__ import annotations

from typing import Any

from rec_core.store import Workspace
from rec_core.types import Progress, ignore_progress
from rec_core.workbench.seeded_verbs import ensure_run

NAME = "ctr.shots"
SHOTS = (1024, 2048, 4096, 8192, 16_384, 65_536, 0)  # 0: all
_FEW_BATCH = 256  # with the preset's 2,048 a thousand samples would be one step per epoch
PAPER = {"ml-1m": 0.7915}  # ReLLa, DeepFM with the full training set
FEW_SHOT_PAPER = {"ml-1m": 0.7184}  # RALLRec table 1, DeepFM; the number of its samples is not printed


def run(
    data: str,
    preset: str = "paper",
    seed: int = 0,
    progress: Progress = ignore_progress,
    *,
    workspace: Workspace | None = None,
) -> dict[str, Any]:
    """Return {"study", "rows": [{label, metric, value, low, high, n, paper}]}: test metrics by training size.

    Args:
        data: a dataset with ratings.
        preset: of ctr_baselines.
        seed: of every run; decides the nested samples.
        progress: called while runs are trained; those that are there are not repeated.
        workspace: where datasets and runs live.
    """
    rows: list[dict[str, Any]] = []
    for shots in SHOTS:
        overrides = {"n_shots": shots, "batch_size": _FEW_BATCH} if shots else {}
        result = ensure_run("ctr_baselines", data, preset, overrides, seed, progress, workspace=workspace)
        label = f"DeepFM, {result['n_train_rows']:,} samples"
        paper = PAPER.get(data) if not shots else None
        rows += [
            {"label": label, "metric": name, **interval, "paper": paper if name == "auc" else None}
            for name, interval in result["metrics"].items()
        ]
    printed = FEW_SHOT_PAPER.get(data)
    if printed is not None:
        reached = [row for row in rows if row["metric"] == "auc"]
        closest = min(reached, key=lambda row: abs(row["value"] - printed))
        rows.append({**closest, "label": f"{closest['label']}, closest to RALLRec's row", "paper": printed})
    return {"study": NAME, "data": data, "rows": rows}
