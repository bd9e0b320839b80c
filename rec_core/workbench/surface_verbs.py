"""The verb behind the heat map: what alpha and beta do to the evidence of validation questions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rec_core.retrieval.cosine import cosines
from rec_core.retrieval.rerank import RerankConfig, rerank
from rec_core.seeding import numpy_generator
from rec_core.store import Workspace, write_table
from rec_core.types import ScoreRequest
from rec_core.workbench.capability_verbs import capable
from rec_core.workbench.rerank_verbs import NEEDS

ALPHAS = tuple(round(0.1 * step, 1) for step in range(11))
BETAS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
_N_QUESTIONS = 200


def surface(run_id: str, seed: int = 0, *, workspace: Workspace | None = None) -> pd.DataFrame:
    """Return the mean over validation questions at each alpha and beta, computed once per run.

    Columns: alpha, beta, text_cosine (mean cosine of the evidence to the target in the text view, higher is
    closer), age (mean number of history items newer than a piece of evidence, lower is more recent),
    semantic_share (share of the evidence that the semantic channel brought), label_agreement (share of the
    evidence that was liked as the target was).

    Raises:
        InputError: a run without a reranker.
    """
    space = workspace or Workspace.from_environment()
    system = capable(run_id, *NEEDS, workspace=space)

    def build(folder: Path) -> None:
        write_table(folder / "surface.parquet", _measure(system, seed))

    return pd.read_parquet(
        space.cached("surfaces", surface_key(run_id, system, seed), build) / "surface.parquet"
    )


def surface_key(run_id: str, system: Any, seed: int) -> dict[str, Any]:
    """Return what a surface of a run depends on."""
    config = system.config.model_dump(mode="json")
    return {"run": run_id, "dataset": system.dataset.content_hash, "config": config, "seed": seed}


def surface_questions(system: Any, n_questions: int, seed: int) -> tuple[list[ScoreRequest], np.ndarray]:
    """Return validation questions in time order and their labels."""
    from rec_core.systems.like_questions import Parts, requests_of

    parts = Parts.of(system.dataset, system.config.min_history)
    rng = numpy_generator(seed, "surface", "questions")
    drawn = rng.permutation(parts.split.valid)[:n_questions]
    samples = parts.samples.take(np.sort(drawn))
    return requests_of(system.dataset, samples), samples.labels


def _measure(system: Any, seed: int) -> pd.DataFrame:
    requests, labels = surface_questions(system, _N_QUESTIONS, seed)
    threshold = system.dataset.like_threshold
    top_k = system.reranker.top_k
    channels = system.channels(requests, top_k)
    text = system.views["text"].values
    closeness = [cosines(text, r.item_num, r.history.item_nums) for r in requests]
    rows = []
    for alpha in ALPHAS:
        for beta in BETAS:
            config = RerankConfig(alpha=alpha, beta=beta, top_k=top_k)
            means = []
            asked = zip(requests, labels, channels, closeness, strict=True)
            for request, label, (near, late), cosine in asked:
                chosen = rerank(near, late, config)
                positions = np.array([row.position for row in chosen])
                ages = len(request.history) - 1 - positions
                share = np.mean([row.channel == "semantic" for row in chosen])
                agreement = np.mean((request.history.ratings[positions] > threshold) == bool(label))
                means.append((cosine[positions].mean(), ages.mean(), share, agreement))
            rows.append((alpha, beta, *np.mean(means, axis=0)))
    columns = ["alpha", "beta", "text_cosine", "age", "semantic_share", "label_agreement"]
    return pd.DataFrame(rows, columns=columns)
