"""The verb behind the heat map of accuracy: the validation AUC at every alpha and beta."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rec_core.retrieval.rerank import rerank
from rec_core.store import Workspace, write_table
from rec_core.types import Progress, ignore_progress
from rec_core.workbench.capability_verbs import capable
from rec_core.workbench.rerank_verbs import NEEDS
from rec_core.workbench.surface_verbs import ALPHAS, BETAS, surface_key, surface_questions


def auc_surface(
    run_id: str,
    n_questions: int = 500,
    seed: int = 0,
    progress: Progress = ignore_progress,
    *,
    workspace: Workspace | None = None,
) -> pd.DataFrame:
    """Return the validation AUC at each alpha and beta, computed once per run: columns alpha, beta, auc.

    The run's language model reads each question's evidence at every point; points that show the same rows in
    the same order are asked once. A stopped measurement goes on where it was.

    Args:
        run_id: a finished run that merges channels.
        n_questions: validation questions, a seeded sample; the same at every point.
        seed: decides the sample.
        progress: called while prompts are scored; may raise `Cancelled`.
        workspace: where runs live.

    Raises:
        InputError: a run without a reranker.
    """
    space = workspace or Workspace.from_environment()
    system = capable(run_id, *NEEDS, workspace=space)

    def build(folder: Path) -> None:
        write_table(folder / "auc.parquet", _auc(system, space.run_path(run_id), n_questions, seed, progress))

    key = surface_key(run_id, system, seed) | {"questions": n_questions}
    return pd.read_parquet(space.cached("auc_surfaces", key, build) / "auc.parquet")


def known_auc_surface(
    run_id: str, n_questions: int = 500, seed: int = 0, *, workspace: Workspace | None = None
) -> pd.DataFrame | None:
    """Return what `auc_surface` measured before, None when it has not; nothing is scored."""
    space = workspace or Workspace.from_environment()
    system = capable(run_id, *NEEDS, workspace=space)
    file = (
        space.cache_path("auc_surfaces", surface_key(run_id, system, seed) | {"questions": n_questions})
        / "auc.parquet"
    )
    return pd.read_parquet(file) if file.exists() else None


def _auc(system: Any, folder: Path, n_questions: int, seed: int, progress: Progress) -> pd.DataFrame:
    from rec_core.metrics.ctr import auc
    from rec_core.systems.evidence import evidence_item
    from rec_core.systems.kept_logits import kept_logits

    requests, labels = surface_questions(system, n_questions, seed)
    channels = system.channels(requests, system.reranker.top_k)
    points: dict[tuple[float, float], list[str]] = {}
    for alpha in ALPHAS:
        for beta in BETAS:
            config = system.reranker.with_values({"alpha": alpha, "beta": beta})
            points[alpha, beta] = [
                system.prompt(
                    request, [evidence_item(request, row) for row in rerank(near, late, config)]
                ).text
                for request, (near, late) in zip(requests, channels, strict=True)
            ]
    prompts = list(dict.fromkeys(text for texts in points.values() for text in texts))

    def score(some: Sequence[str], report: Progress) -> np.ndarray:
        return system.logits(some, progress=report, mass=True)

    logits = kept_logits(prompts, score, folder / "scores" / "tuned", progress, "reading every point")
    probs = dict(zip(prompts, system.probs(logits), strict=True))
    rows = [
        (*point, auc(labels, np.array([probs[text] for text in texts]))) for point, texts in points.items()
    ]
    return pd.DataFrame(rows, columns=["alpha", "beta", "auc"])
