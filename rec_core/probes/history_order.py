"""The same history items in another order: does the score change, and does it still rank?

Arms: the evidence as the system orders it ("as given"), once more ("exact repeat", the noise floor),
"reversed", and "shuffled" (the mean over several random orders).

Measures (rows of `measure`): `score_change` (mean absolute change against as given); `score_change_excess`
(beyond the exact repeat, headline); `decision_flip_rate` (decisions at the median as-given score that
change); `auc` by arm; `auc_difference` (arm minus as given, headline).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rec_core.metrics.intervals import (
    WeightedStatistic,
    clustered_bootstrap,
    paired_difference,
    weighted_auc,
    weighted_mean,
)
from rec_core.metrics.permutation import arm_swap_auc_test, sign_flip_test
from rec_core.probes.users import cluster_labels, sums_by_cluster
from rec_core.probes.verdicts import Row
from rec_core.seeding import numpy_generator
from rec_core.types import EvidenceScorer, InputError, Progress, ProgressEvent, ScoreRequest, ignore_progress

if TYPE_CHECKING:
    from rec_core.probes.position import PositionConfig

GIVEN, REPEAT, REVERSED, SHUFFLED = "as given", "exact repeat", "reversed", "shuffled"


@dataclass(frozen=True)
class OrderedScores:
    """Scores of B requests in every order of their evidence."""

    clusters: np.ndarray  # (B,) user
    labels: np.ndarray  # (B,) 0 or 1
    given: np.ndarray  # (B,)
    arms: dict[str, np.ndarray]  # exact repeat and reversed (1, B), shuffled (n_shuffles, B)

    def table(self) -> pd.DataFrame:
        """Return one raw row per question."""
        named = [(GIVEN, self.given)]
        for arm, scores in self.arms.items():
            named += [
                (f"{arm} {at}" if len(scores) > 1 else arm, row) for at, row in enumerate(scores, start=1)
            ]
        tables = [
            pd.DataFrame(
                {
                    "part": "history order",
                    "user": self.clusters,
                    "question": np.arange(len(row)),
                    "arm": arm,
                    "score": row,
                    "label": self.labels,
                }
            )
            for arm, row in named
        ]
        return pd.concat(tables, ignore_index=True)


def ask(
    system: EvidenceScorer,
    requests: Sequence[ScoreRequest],
    labels: Sequence[int] | np.ndarray,
    n_shuffles: int,
    seed: int,
    progress: Progress = ignore_progress,
) -> OrderedScores:
    """Score every request with its evidence in every order; requests with fewer than two items are left out.

    Raises:
        InputError: labels do not match the requests, or no request has two evidence items.
    """
    if len(labels) != len(requests):
        raise InputError(f"{len(requests)} requests need as many labels, not {len(labels)}.")
    evidence = [system.select_evidence(request) for request in requests]
    kept = [row for row, items in enumerate(evidence) if len(items) > 1]
    if not kept:
        raise InputError(
            "No request has two evidence items, so there is no order to change; take longer histories."
        )
    asked = [requests[row] for row in kept]
    shown = [tuple(evidence[row]) for row in kept]
    rng = numpy_generator(seed, "history_order")
    steps = [shown, shown, [items[::-1] for items in shown]]
    for _ in range(n_shuffles):
        steps.append([tuple(items[at] for at in rng.permutation(len(items))) for items in shown])
    scores = np.empty((len(steps), len(asked)))
    for step, ordered in enumerate(steps):
        scores[step] = system.score_evidence(asked, ordered)
        progress(ProgressEvent("history order", step + 1, len(steps)))
    return OrderedScores(
        clusters=cluster_labels([request.user_num for request in asked]),
        labels=np.asarray(labels)[kept],
        given=scores[0],
        arms={REPEAT: scores[1:2], REVERSED: scores[2:3], SHUFFLED: scores[3:]},
    )


def measure(scores: OrderedScores, config: PositionConfig) -> list[Row]:
    """Return the rows named in the module's docstring; those of AUC only when both labels occur."""
    rows = _change_rows(scores, config)
    if 0 < scores.labels.sum() < len(scores.labels):
        rows += _auc_rows(scores, config)
    return rows


def _change_rows(scores: OrderedScores, config: PositionConfig) -> list[Row]:
    how = (scores.clusters, config.n_resamples, config.seed)
    likes = scores.given > np.median(scores.given)
    change = {arm: np.abs(values - scores.given).mean(axis=0) for arm, values in scores.arms.items()}
    flips = {
        arm: ((values > np.median(scores.given)) != likes).mean(axis=0) for arm, values in scores.arms.items()
    }
    rows = []
    for arm in (REVERSED, SHUFFLED):
        excess = change[arm] - change[REPEAT]
        p = sign_flip_test(sums_by_cluster(excess, scores.clusters), config.n_permutations, config.seed)
        interval = clustered_bootstrap(weighted_mean(excess), *how)
        rows.append(Row("score_change_excess", arm, interval, p, config.material_score))
    for name, by_arm in (("score_change", change), ("decision_flip_rate", flips)):
        rows += [Row(name, arm, clustered_bootstrap(weighted_mean(v), *how)) for arm, v in by_arm.items()]
    return rows


def _auc_rows(scores: OrderedScores, config: PositionConfig) -> list[Row]:
    how = (scores.clusters, config.n_resamples, config.seed)
    given = weighted_auc(scores.labels, scores.given)
    headline, rows = [], [Row("auc", GIVEN, clustered_bootstrap(given, *how))]
    for arm, values in scores.arms.items():
        statistic = _mean_auc(scores.labels, values)
        rows.append(Row("auc", arm, clustered_bootstrap(statistic, *how)))
        if arm == REPEAT:
            continue
        both = np.concatenate([scores.given[None], values])
        p = arm_swap_auc_test(scores.labels, both, scores.clusters, config.n_permutations, config.seed)
        interval = paired_difference(statistic, given, *how)
        headline.append(Row("auc_difference", f"{arm} - {GIVEN}", interval, p, config.material_auc))
    return headline + rows


def _mean_auc(labels: np.ndarray, scores: np.ndarray) -> WeightedStatistic:
    """Return the statistic "mean AUC over several score rows" (n, B)."""
    statistics = [weighted_auc(labels, row) for row in scores]
    return lambda weights: np.mean([statistic(weights) for statistic in statistics], axis=0)
