"""Is what text retrieval finds close to the target, and what does the published off-by-one do to it?

Published code of ReLLa and RALLRec ranks movie m by the similarities of movie m + 1 on ML-1M, because a row
number is compared with a 1-based id. This study measures the mean cosine of the retrieved history to the
target in the text view: as it should be, with that quirk, and for random picks from the same history.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rec_core.llm.text_encoder import TextEncoderConfig
from rec_core.metrics.intervals import Interval, clustered_bootstrap, paired_difference, weighted_mean
from rec_core.retrieval.channels import semantic_channel
from rec_core.retrieval.quality import random_quality, retrieval_quality
from rec_core.retrieval.similarity import CosineSimilarity, ShiftedNeighbours, Similarity
from rec_core.seeding import numpy_generator
from rec_core.store import Workspace
from rec_core.types import Progress, ignore_progress
from rec_core.workbench.data_verbs import load_dataset

NAME = "retrieval.quality"
_N_TARGETS = 4000
_TOP_K = 30
_MIN_HISTORY = 60  # with shorter histories, 30 picks are nearly the whole history whatever picks them


def run(
    data: str, seed: int = 0, progress: Progress = ignore_progress, *, workspace: Workspace | None = None
) -> dict[str, Any]:
    """Return {"study", "rows": [{label, metric, value, low, high, n, paper}]} for one dataset.

    Args:
        data: dataset name; targets are test questions with at least 60 earlier items, 4,000 of them at most.
        seed: decides targets, random picks and resamples.
        progress: called while text is encoded.
        workspace: where datasets and the cache live.
    """
    from rec_core.systems.like_questions import Parts, requests_of
    from rec_core.systems.text_view import text_view

    space = workspace or Workspace.from_environment()
    dataset = load_dataset(data, progress, workspace=space)
    parts = Parts.of(dataset, _MIN_HISTORY)
    drawn = numpy_generator(seed, NAME, "targets").permutation(parts.split.test)[:_N_TARGETS]
    samples = parts.samples.take(np.sort(drawn))
    requests = requests_of(dataset, samples)
    histories, targets = [request.history for request in requests], samples.item_nums
    values = text_view(dataset, TextEncoderConfig(), space, progress).values
    cosine = CosineSimilarity(values)

    def retrieved(similarity: Similarity) -> np.ndarray:
        chosen = semantic_channel(similarity, targets, histories, _TOP_K)
        items = [history.item_nums[rows] for history, rows in zip(histories, chosen, strict=True)]
        return retrieval_quality(values, targets, items)

    cosines = {
        "retrieved": retrieved(cosine),
        "shifted_neighbours": retrieved(ShiftedNeighbours(cosine)),
        "random": random_quality(values, targets, histories, _TOP_K, seed),
    }
    rows = [
        _row(label, clustered_bootstrap(weighted_mean(values_), samples.user_nums, seed=seed))
        for label, values_ in cosines.items()
    ]
    for label in ("retrieved", "shifted_neighbours"):
        difference = paired_difference(
            weighted_mean(cosines[label]), weighted_mean(cosines["random"]), samples.user_nums, seed=seed
        )
        rows.append(_row(f"{label} - random", difference))
    return {"study": NAME, "data": data, "targets": len(samples), "rows": rows}


def _row(label: str, interval: Interval) -> dict[str, Any]:
    return {"label": label, "metric": "mean text cosine to the target", **interval.as_dict(), "paper": None}
