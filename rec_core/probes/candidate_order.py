"""The same candidates in other slots: does the slot decide the pick?

Measures (rows of `measure`): `slot_pick_rate` and `slot_probability` by slot; `slot_range` (best minus worst
slot, headline), `slot_range_by_chance` (the range a meaningless slot shows on average), `slot_slope` (change
of the pick rate per slot), `slot_total_variation` (distance of the pick rates from uniform, 0..1);
`hit_rate_by_slot` of the true item; `top1_flip_rate`, `kendall_tau`, `rbo` between each choice's first order
and its others, and between the first order and its exact repeat; `top1_flip_excess` (others minus repeat,
headline).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rec_core.metrics.agreement import kendall_tau, rbo
from rec_core.metrics.intervals import Interval, clustered_bootstrap, clustered_bootstraps, weighted_mean
from rec_core.metrics.permutation import sign_flip_test, slot_test
from rec_core.probes.users import cluster_labels, sums_by_cluster
from rec_core.probes.verdicts import Row
from rec_core.seeding import numpy_generator
from rec_core.types import ChoiceRequest, InputError, ListChooser, Progress, ProgressEvent, ignore_progress

if TYPE_CHECKING:
    from rec_core.probes.position import PositionConfig


@dataclass(frozen=True)
class OrderedAnswers:
    """What was shown and answered: B choices in M orders, then the first order again."""

    clusters: np.ndarray  # (B,) user
    candidates: np.ndarray  # (B, C) item numbers as given
    targets: np.ndarray  # (B,) position in candidates, -1: none
    orders: np.ndarray  # (B, M + 1, C) which candidate stood in each slot
    probs: np.ndarray  # (B, M + 1, C) answered probability of each slot

    def by_candidate(self) -> np.ndarray:
        """Return the probability of each candidate, wherever it stood (B, M + 1, C)."""
        aligned = np.empty_like(self.probs)
        np.put_along_axis(aligned, self.orders, self.probs, axis=2)
        return aligned

    def rankings(self) -> np.ndarray:
        """Return candidates, most probable first (B, M + 1, C); ties go by position in `candidates`."""
        return np.argsort(-self.by_candidate(), axis=2, kind="stable")

    def picks(self) -> np.ndarray:
        """Return each slot's share of the pick (B, M + 1, C): 1 for the most probable, split by ties."""
        best = self.probs == self.probs.max(axis=2, keepdims=True)
        return best / best.sum(axis=2, keepdims=True)

    def target_slots(self) -> np.ndarray:
        """Return in which slot the true item stood (B, M + 1), -1 where there is none."""
        found = self.orders == self.targets[:, None, None]
        return np.where(found.any(axis=2), found.argmax(axis=2), -1)

    def table(self) -> pd.DataFrame:
        """Return one raw row per question."""
        n_choices, n_asked, _ = self.orders.shape
        arms = [*(f"order {m}" for m in range(1, n_asked)), "exact repeat"]
        top = self.rankings()[:, :, 0]
        return pd.DataFrame(
            {
                "part": "candidate order",
                "user": np.repeat(self.clusters, n_asked),
                "question": np.repeat(np.arange(n_choices), n_asked),
                "arm": arms * n_choices,
                "slot_picked": self.probs.argmax(axis=2).ravel() + 1,
                "item_picked": np.take_along_axis(self.candidates, top, axis=1).ravel(),
                "target_slot": self.target_slots().ravel() + 1,  # 0: no true item
                "prob": self.probs.max(axis=2).ravel(),
            }
        )


def balanced_orders(n_candidates: int, n_orders: int, rng: np.random.Generator) -> np.ndarray:
    """Return orders of C candidates in which every candidate stands in every slot equally often.

    Rows of Williams' Latin square: within a full square each candidate also follows each other one equally
    often (for odd C over two squares, the second mirrored). Which candidate plays which part is drawn anew
    for every square, and the rows are shuffled. The balance is exact when `n_orders` is a multiple of C.

    Args:
        n_candidates: C.
        n_orders: M.
        rng: draws the parts.

    Returns:
        (M, C): the candidate in each slot.
    """
    zigzag = np.empty(n_candidates, dtype=np.int64)
    zigzag[0::2] = np.arange((n_candidates + 1) // 2)
    zigzag[1::2] = n_candidates - 1 - np.arange(n_candidates // 2)
    square = (zigzag[None, :] + np.arange(n_candidates)[:, None]) % n_candidates
    blocks, parts = [], rng.permutation(n_candidates)
    for block in range(-(-n_orders // n_candidates)):
        mirrored = n_candidates % 2 == 1 and block % 2 == 1
        if not mirrored:
            parts = rng.permutation(n_candidates)
        rows = parts[square[:, ::-1] if mirrored else square]
        blocks.append(rows[rng.permutation(n_candidates)])
    return np.concatenate(blocks)[:n_orders]


def ask(
    system: ListChooser,
    choices: Sequence[ChoiceRequest],
    targets: Sequence[int] | np.ndarray,
    n_orders: int,
    seed: int,
    progress: Progress = ignore_progress,
) -> OrderedAnswers:
    """Show every choice in `n_orders` balanced orders (0: as many as candidates), and the first order twice.

    Raises:
        InputError: lists differ in length, have fewer than two candidates, or do not match the targets.
    """
    lengths = {len(choice.candidates) for choice in choices}
    if len(lengths) != 1 or min(lengths) < 2:
        raise InputError("All choices must list the same number of candidates, at least two.")
    if len(targets) != len(choices):
        raise InputError(
            f"{len(choices)} choices need as many targets, not {len(targets)} (use -1 for none)."
        )
    n_candidates = lengths.pop()
    rng = numpy_generator(seed, "candidate_order")
    orders = np.stack([balanced_orders(n_candidates, n_orders or n_candidates, rng) for _ in choices])
    orders = np.concatenate([orders, orders[:, :1]], axis=1)
    candidates = np.array([choice.candidates for choice in choices])
    probs = np.empty(orders.shape)
    for m in range(orders.shape[1]):
        shown = np.take_along_axis(candidates, orders[:, m], axis=1)
        asked = [
            ChoiceRequest(choice.user_num, choice.history, tuple(items))
            for choice, items in zip(choices, shown.tolist(), strict=True)
        ]
        probs[:, m] = system.choose(asked)
        progress(ProgressEvent("candidate order", m + 1, orders.shape[1]))
    clusters = cluster_labels([choice.user_num for choice in choices])
    return OrderedAnswers(clusters, candidates, np.asarray(targets), orders, probs)


def measure(answers: OrderedAnswers, config: PositionConfig) -> list[Row]:
    """Return the rows named in the module's docstring."""
    return [*_slot_rows(answers, config), *_hit_rows(answers, config), *_agreement_rows(answers, config)]


def _slot_rows(answers: OrderedAnswers, config: PositionConfig) -> list[Row]:
    picks = answers.picks()[:, :-1].mean(axis=1)  # (B, C): each choice's orders, without the repeat
    probs = answers.probs[:, :-1].mean(axis=1)
    curve, chances = weighted_mean(picks), weighted_mean(probs)
    n_slots = picks.shape[1]
    centred_slots = np.arange(n_slots) - (n_slots - 1) / 2

    def spread(weights: np.ndarray) -> np.ndarray:
        rates = curve(weights)
        return np.stack([np.ptp(rates, axis=1), np.abs(rates - 1 / n_slots).sum(axis=1) / 2], axis=1)

    def slope(weights: np.ndarray) -> np.ndarray:
        return curve(weights) @ centred_slots / (centred_slots**2).sum()

    by_user = sums_by_cluster(picks, answers.clusters)
    p, by_chance = slot_test(by_user, config.n_permutations, config.seed)
    how = (answers.clusters, config.n_resamples, config.seed)
    slot_range, variation = clustered_bootstraps(spread, *how, centred=True)
    chance = Interval(by_chance * len(by_user) / len(picks), float("nan"), float("nan"), len(by_user))
    return [
        Row("slot_range", "all slots", slot_range, p, config.material_pick_rate),
        Row("slot_range_by_chance", "all slots", chance),
        Row("slot_slope", "all slots", clustered_bootstrap(slope, *how)),
        Row("slot_total_variation", "all slots", variation),
        *_by_slot("slot_pick_rate", clustered_bootstraps(curve, *how)),
        *_by_slot("slot_probability", clustered_bootstraps(chances, *how)),
    ]


def _hit_rows(answers: OrderedAnswers, config: PositionConfig) -> list[Row]:
    if (answers.targets < 0).all():
        return []
    picks, slots = answers.picks()[:, :-1], answers.target_slots()[:, :-1]
    here = np.arange(picks.shape[2]) == slots[:, :, None]  # (B, M, C): the true item stands in this slot
    with np.errstate(invalid="ignore"):
        hits = (picks * here).sum(axis=1) / here.sum(axis=1)  # NaN where it never stood there
    how = (answers.clusters, config.n_resamples, config.seed)
    return _by_slot("hit_rate_by_slot", clustered_bootstraps(weighted_mean(hits), *how))


def _agreement_rows(answers: OrderedAnswers, config: PositionConfig) -> list[Row]:
    aligned, rankings = answers.by_candidate(), answers.rankings()
    flips = (rankings[:, 1:, 0] != rankings[:, :1, 0]).astype(float)  # (B, M): others, then the repeat
    taus = kendall_tau(aligned[:, 1:], aligned[:, :1])
    overlaps = rbo(rankings[:, 1:], rankings[:, :1], config.rbo_persistence)
    how = (answers.clusters, config.n_resamples, config.seed)
    rows = []
    for name, values in (("top1_flip_rate", flips), ("kendall_tau", taus), ("rbo", overlaps)):
        arms = np.stack([_mean_known(values[:, :-1]), values[:, -1]], axis=1)
        others, repeat = clustered_bootstraps(weighted_mean(arms), *how)
        rows += [Row(name, "other orders", others), Row(name, "exact repeat", repeat)]
    excess = flips[:, :-1].mean(axis=1) - flips[:, -1]
    p = sign_flip_test(sums_by_cluster(excess, answers.clusters), config.n_permutations, config.seed)
    interval = clustered_bootstrap(weighted_mean(excess), *how)
    return [Row("top1_flip_excess", "other orders", interval, p, config.material_flip_rate), *rows]


def _mean_known(values: np.ndarray) -> np.ndarray:
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.where(known, values, 0.0).sum(axis=1) / known.sum(axis=1)


def _by_slot(measure_name: str, intervals: list[Interval]) -> list[Row]:
    return [Row(measure_name, f"slot {slot}", interval) for slot, interval in enumerate(intervals, start=1)]
