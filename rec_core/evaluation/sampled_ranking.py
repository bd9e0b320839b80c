"""Metrics against a few sampled items instead of the catalogue: only for comparing with papers that did so.

Beating 99 random items says little about the top of a catalogue of thousands: nearly all of those items are
easy. Sampled metrics are no estimate of the exact ones, they can even order two models the other way round,
and the fewer the samples, the closer every metric comes to AUC. They exist here so that published tables can
be met on their own terms, and whatever comes out carries the protocol in its name.

Paper: Krichene and Rendle, On Sampled Metrics for Item Recommendation (KDD 2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import torch

from rec_core.evaluation.full_ranking import Score, rank_catalogue
from rec_core.evaluation.held_out import HeldOut
from rec_core.evaluation.per_user import per_user_metrics
from rec_core.seeding import numpy_generator
from rec_core.types import InputError


@dataclass(frozen=True)
class SampledMetrics:
    """Metrics per user against sampled candidates; every column but user_num says so."""

    protocol: str  # such as "sampled-99-uniform"
    per_user: pd.DataFrame  # user_num, "ndcg@10 (99 sampled, uniform)", ...


def sampled_metrics(
    score: Score,
    held_out: HeldOut,
    n_items: int,
    ks: Sequence[int],
    n_negatives: int,
    draw: Literal["uniform", "popularity"],
    seed: int,
    popularity: np.ndarray | None = None,
    chunk: int | None = None,
) -> SampledMetrics:
    """Rank each user's wanted items among themselves and `n_negatives` items drawn for that user.

    Drawn without replacement from what is neither hidden nor wanted: each free item gets an exponential
    waiting time divided by its weight, and those that come first are taken.

    Paper: the draw is that of Efraimidis and Spirakis (2006), weighted sampling with a reservoir.

    Args:
        score: as in `rank_catalogue`.
        held_out: as in `rank_catalogue`.
        n_items: I.
        ks: list lengths.
        n_negatives: items drawn per user.
        draw: every free item alike, or in proportion to `popularity`.
        seed: decides the draws, whatever the chunk.
        popularity: (I,) interactions per item, needed where it decides the draw.
        chunk: users per block.

    Raises:
        InputError: a user has fewer items to draw from than asked for, none are asked for, or popularity is
            missing.
    """
    if n_negatives < 1:
        raise InputError(
            f"Sampling {n_negatives} items leaves nothing to compare; draw at least one negative."
        )
    if draw == "popularity" and popularity is None:
        raise InputError("Sampling by popularity needs the interactions per item; pass `popularity`.")
    weights = np.ones(n_items) if draw == "uniform" else np.asarray(popularity, dtype=np.float64)
    rng = numpy_generator(seed, "sampled ranking", draw, n_negatives)
    done = 0

    def score_candidates(users: np.ndarray) -> torch.Tensor:
        nonlocal done
        asked = held_out.take(np.arange(done, done + len(users)))
        done += len(users)
        outside = torch.from_numpy(~_candidates(asked, weights, n_negatives, rng))
        scores = score(users)
        return scores.masked_fill_(outside.to(scores.device), -torch.inf)

    ranking = rank_catalogue(score_candidates, held_out, n_items, 0, chunk)
    label = f"({n_negatives} sampled, {draw})"
    frame = per_user_metrics(ranking, ks).rename(columns=lambda c: c if c == "user_num" else f"{c} {label}")
    return SampledMetrics(f"sampled-{n_negatives}-{draw}", frame)


def _candidates(
    asked: HeldOut, weights: np.ndarray, n_negatives: int, rng: np.random.Generator
) -> np.ndarray:
    """Return who competes (C, I) bool: the wanted items and the drawn ones."""
    with np.errstate(divide="ignore"):
        waiting = rng.standard_exponential((len(asked), len(weights))) / weights
    wanted, hidden = asked.wanted_places, asked.hidden_places
    waiting[wanted], waiting[hidden] = np.inf, np.inf
    free = np.isfinite(waiting).sum(axis=1)
    if (free < n_negatives).any():
        row = int(np.argmin(free))
        raise InputError(
            f"User number {asked.users[row]} has {free[row]} items to draw {n_negatives} negatives from; "
            "draw fewer."
        )
    drawn = np.argpartition(waiting, n_negatives - 1, axis=1)[:, :n_negatives]
    competes = np.zeros(waiting.shape, dtype=bool)
    np.put_along_axis(competes, drawn, True, axis=1)
    competes[wanted] = True
    return competes
