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
from rec_core.workbench.capability_verbs import capable
from rec_core.workbench.rerank_verbs import NEEDS

ALPHAS = tuple(round(0.1 * step, 1) for step in range(11))
BETAS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
_N_QUESTIONS = 200


def surface(run_id: str, seed: int = 0, *, workspace: Workspace | None = None) -> pd.DataFrame:
    """Return the mean over validation questions at each alpha and beta, computed once per run.

    Columns: alpha, beta, text_cosine (mean cosine of the evidence to the target in the text view, higher is
    closer), age (mean number of history items newer than a piece of evidence, lower is more recent),
    semantic_share (share of the evidence that the semantic channel brought).

    Raises:
        InputError: a run without a reranker.
    """
    space = workspace or Workspace.from_environment()
    system = capable(run_id, *NEEDS, workspace=space)
    key = {
        "run": run_id,
        "dataset": system.dataset.content_hash,
        "config": system.config.model_dump(mode="json"),
        "seed": seed,
    }

    def build(folder: Path) -> None:
        write_table(folder / "surface.parquet", _measure(system, seed))

    return pd.read_parquet(space.cached("surfaces", key, build) / "surface.parquet")


def _measure(system: Any, seed: int) -> pd.DataFrame:
    from rec_core.systems.like_questions import Parts, requests_of

    parts = Parts.of(system.dataset, system.config.min_history)
    rng = numpy_generator(seed, "surface", "questions")
    drawn = rng.permutation(parts.split.valid)[:_N_QUESTIONS]
    requests = requests_of(system.dataset, parts.samples.take(np.sort(drawn)))
    top_k = system.reranker.top_k
    channels = system.channels(requests, top_k)
    text = system.views["text"].values
    closeness = [cosines(text, r.item_num, r.history.item_nums) for r in requests]
    rows = []
    for alpha in ALPHAS:
        for beta in BETAS:
            config = RerankConfig(alpha=alpha, beta=beta, top_k=top_k)
            means = []
            for request, (near, late), cosine in zip(requests, channels, closeness, strict=True):
                chosen = rerank(near, late, config)
                positions = np.array([row.position for row in chosen])
                ages = len(request.history) - 1 - positions
                share = np.mean([row.channel == "semantic" for row in chosen])
                means.append((cosine[positions].mean(), ages.mean(), share))
            cosine_mean, age, share_mean = np.mean(means, axis=0)
            rows.append((alpha, beta, cosine_mean, age, share_mean))
    return pd.DataFrame(rows, columns=["alpha", "beta", "text_cosine", "age", "semantic_share"])
