"""Does the order in which a language model is shown things decide what it answers?

Two interventions on the input: the same candidates in other slots (for systems that pick from a list), and
the same history items in another order (for systems that score with evidence). Asking the very same thing
twice is the noise floor of both. Orders are changed by us, so a difference beyond the floor is caused by the
order.

Paper: arXiv 2508.02020 compares the lists of an LLM recommender under different input orders by Kendall's
tau. Differs from paper: the unit is the user, effects carry intervals and a noise floor, and the test
permutes slots within users.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from pydantic import Field

from rec_core.config import Config
from rec_core.probes import candidate_order, history_order
from rec_core.probes.verdicts import Row, tidy
from rec_core.types import (
    ChoiceRequest,
    EvidenceScorer,
    InputError,
    ListChooser,
    ProbeResult,
    Progress,
    ScoreRequest,
    ignore_progress,
)


class PositionConfig(Config):
    """What the position probe asks, and which changes would be material."""

    n_orders: int = Field(
        default=0, ge=0, description="candidate orders per choice; 0: as many as there are candidates"
    )
    n_shuffles: int = Field(default=3, ge=1, description="random history orders per request")
    n_permutations: int = Field(default=999, ge=99, description="draws of each permutation test")
    n_resamples: int = Field(default=2_000, ge=100, description="bootstrap draws of each interval")
    rbo_persistence: float = Field(
        default=0.9, gt=0, lt=1, description="chance that a reader goes on to the next rank"
    )
    material_pick_rate: float = Field(
        default=0.05, gt=0, description="material gap between best and worst slot, share of picks"
    )
    material_flip_rate: float = Field(
        default=0.05, gt=0, description="material share of first choices changed by the order"
    )
    material_score: float = Field(
        default=0.02, gt=0, description="material mean change of a score, in units of the score"
    )
    material_auc: float = Field(default=0.01, gt=0, description="material change of the AUC")
    alpha: float = Field(default=0.05, gt=0, lt=1, description="level of the corrected tests")
    min_users: int = Field(default=30, ge=2, description="fewer users than this are never judged")
    seed: int = Field(default=0, ge=0, description="decides orders, shuffles, permutations and resamples")


def run(
    system: object,
    requests: Sequence[ScoreRequest],
    labels: Sequence[int] | np.ndarray,
    choices: Sequence[ChoiceRequest],
    targets: Sequence[int] | np.ndarray,
    config: PositionConfig | None = None,
    progress: Progress = ignore_progress,
) -> ProbeResult:
    """Measure the effect of candidate order and of history order, whichever the system can be asked about.

    Args:
        system: a `ListChooser` (for `choices`), an `EvidenceScorer` (for `requests`) or both.
        requests: B score questions; those with fewer than two evidence items are left out.
        labels: (B,) 0 or 1, the true answers.
        choices: lists of equally many candidates.
        targets: for each choice, the position of the true item in its `candidates`; -1 where none is true.
        config: settings; the default is `PositionConfig()`.
        progress: told after each batch of questions.

    Returns:
        Tidy rows (see `candidate_order` and `history_order` for the measures), the raw answers, and the
        settings with what was left out.

    Raises:
        InputError: nothing can be asked: no questions, or the system satisfies neither Protocol.
    """
    config = config or PositionConfig()
    rows: list[Row] = []
    raw: list[pd.DataFrame] = []
    settings = {**config.model_dump(mode="json"), "n_choices": 0, "n_requests": 0, "requests_left_out": 0}
    if choices and isinstance(system, ListChooser):
        answers = candidate_order.ask(system, choices, targets, config.n_orders, config.seed, progress)
        rows += candidate_order.measure(answers, config)
        raw.append(answers.table())
        settings["n_choices"] = len(choices)
    if requests and isinstance(system, EvidenceScorer):
        scores = history_order.ask(system, requests, labels, config.n_shuffles, config.seed, progress)
        rows += history_order.measure(scores, config)
        raw.append(scores.table())
        settings["n_requests"] = len(scores.clusters)
        settings["requests_left_out"] = len(requests) - len(scores.clusters)
    if not rows:
        raise InputError(
            "The position probe has nothing to ask: give choices to a system that picks from lists, or score "
            "requests to a system that shows its evidence."
        )
    table = tidy(rows, config.alpha, config.min_users)
    return ProbeResult("position", table, pd.concat(raw, ignore_index=True), settings)
