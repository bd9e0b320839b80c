"""Simulated viewers with planted truth: who they are, what they see, how they rate, all known afterwards.

A viewer holds 2 to 4 personas whose weights drift between the first and the last day. Films are watched
in sittings; each sitting follows one persona, and what is seen depends on popularity and on liking. A rating
is a latent value cut at fixed points:

    latent = affinity + attribute effects + item quality + leniency + noise
    affinity = log(sum over personas of weight(t) * exp(SHARPNESS * persona's liking)) / SHARPNESS

The soft maximum means that one persona that likes a film is enough: no one taste vector stands for a viewer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rec_core.data.sources.sample.tastes import (
    ATTRIBUTES,
    PERSONAS,
    TASTES,
    effect_matrix,
    feature_scores,
    persona_matrix,
)
from rec_core.seeding import numpy_generator

START = 1_672_531_200  # 2023-01-01 00:00 UTC
DAYS = 730
MAX_PERSONAS = 4
HIDDEN_SHARE = 0.25  # of a taste's variance, shown by no feature: what behaviour knows and words do not
SHARPNESS = 1.5
CHOICE_BY_POPULARITY = 1.0  # exponents of what is watched
CHOICE_BY_PERSONA = 0.95
ZIPF_EXPONENT = 0.95
ZIPF_OFFSET = 12.0
AFFINITY_WEIGHT = 1.4
ATTRIBUTE_WEIGHT = 0.4  # of the effects on taste, in what is watched and in ratings
QUALITY_WEIGHT = 0.4
LENIENCY_WEIGHT = 0.45
NOISE_WEIGHT = 1.2
RATING_SHARES = (0.05, 0.11, 0.28, 0.34, 0.22)  # of ratings 1 .. 5


@dataclass(frozen=True)
class Simulation:
    """N ratings in the order of viewers, with the planted truth behind each."""

    user_nums: np.ndarray  # (N,) int64
    item_nums: np.ndarray  # (N,) int64
    ratings: np.ndarray  # (N,) float32, 1 .. 5
    timestamps: np.ndarray  # (N,) int64 seconds
    expected: np.ndarray  # (N,) the latent value without its noise: what an all-knowing predictor would say
    users: pd.DataFrame  # (U,) user_id and attributes
    truth: dict[str, Any]  # JSON-able


def simulate(films: pd.DataFrame, n_viewers: int, seed: int) -> Simulation:
    """Draw viewers and their ratings.

    Args:
        films: I rows of the catalogue.
        n_viewers: U.
        seed: decides everything; every part draws from a stream of its own.
    """
    appeal = _appeal(films, seed)  # (I, tastes)
    liking = _standard(persona_matrix() @ appeal.T)  # (personas, I)
    quality = numpy_generator(seed, "sample", "quality").standard_normal(len(films))
    popularity = _popularity(films, quality, seed)
    users, attribute_tastes = _draw_viewers(n_viewers, seed)
    personas, first, last = _draw_personas(attribute_tastes, seed)
    leniency = numpy_generator(seed, "sample", "leniency").standard_normal(n_viewers)
    by_attributes = ATTRIBUTE_WEIGHT * attribute_tastes @ appeal.T  # (U, I)

    user_nums, item_nums, timestamps = _watch(popularity, liking, by_attributes, personas, first, last, seed)
    expected = (
        AFFINITY_WEIGHT * _affinity(liking, personas, first, last, user_nums, item_nums, timestamps)
        + by_attributes[user_nums, item_nums]
        + QUALITY_WEIGHT * quality[item_nums]
        + LENIENCY_WEIGHT * leniency[user_nums]
    )
    noise = numpy_generator(seed, "sample", "noise").standard_normal(len(expected))
    latent = expected + NOISE_WEIGHT * noise
    cuts = np.quantile(latent, np.cumsum(RATING_SHARES)[:-1])
    ratings = (1 + np.searchsorted(cuts, latent)).astype(np.float32)
    truth = {
        "seed": seed,
        "tastes": list(TASTES),
        "personas": PERSONAS,
        "viewers": _true_viewers(personas, first, last, leniency),
        "items": {
            "quality": np.round(quality, 4).tolist(),
            "popularity": popularity.tolist(),
            "appeal": np.round(appeal, 4).tolist(),
        },
        "attributes": _true_attributes(),
        "rating": {
            "cut_points": cuts.tolist(),
            "affinity_weight": AFFINITY_WEIGHT,
            "attribute_weight": ATTRIBUTE_WEIGHT,
            "quality_weight": QUALITY_WEIGHT,
            "leniency_weight": LENIENCY_WEIGHT,
            "noise_weight": NOISE_WEIGHT,
        },
        "oracle_auc": _auc(ratings > 3, expected),
    }
    return Simulation(user_nums, item_nums, ratings, timestamps, expected, users, truth)


def _affinity(
    liking: np.ndarray,
    personas: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    user_nums: np.ndarray,
    item_nums: np.ndarray,
    timestamps: np.ndarray,
) -> np.ndarray:
    """Return how much each viewer's personas of that moment like each film watched (N,): a soft maximum."""
    weights = _weights_at(first[user_nums], last[user_nums], _elapsed(timestamps))  # (N, MAX_PERSONAS)
    persona_liking = liking[personas[user_nums], item_nums[:, None]]  # (N, MAX_PERSONAS)
    return np.log((weights * np.exp(SHARPNESS * persona_liking)).sum(1)) / SHARPNESS


def _true_viewers(
    personas: np.ndarray, first: np.ndarray, last: np.ndarray, leniency: np.ndarray
) -> dict[str, Any]:
    names = list(PERSONAS)
    return {
        "personas": [[names[p] for p in row[w > 0]] for row, w in zip(personas, first, strict=True)],
        "weights_first_day": [np.round(row[row > 0], 4).tolist() for row in first],
        "weights_last_day": [np.round(row[row > 0], 4).tolist() for row in last],
        "leniency": np.round(leniency, 4).tolist(),
    }


def _true_attributes() -> dict[str, Any]:
    return {
        "influence": [name for name, attribute in ATTRIBUTES.items() if attribute.influences],
        "no_influence": [name for name, attribute in ATTRIBUTES.items() if not attribute.influences],
        "effects": {name: attribute.effects for name, attribute in ATTRIBUTES.items()},
    }


def _appeal(films: pd.DataFrame, seed: int) -> np.ndarray:
    """Return how much each film speaks to each taste (I, tastes): features, and a part none of them shows."""
    shown = feature_scores(films)
    hidden = numpy_generator(seed, "sample", "hidden appeal").standard_normal(shown.shape)
    return np.sqrt(1 - HIDDEN_SHARE) * shown + np.sqrt(HIDDEN_SHARE) * hidden


def _popularity(films: pd.DataFrame, quality: np.ndarray, seed: int) -> np.ndarray:
    """Return the planted popularity of each film (I,), sum 1: a Zipf tail over a partly random order."""
    fame = numpy_generator(seed, "sample", "fame").standard_normal(len(films)) + 0.3 * quality
    fame += 0.4 * (films["country"] == "United States").to_numpy()
    rank = np.empty(len(films))
    rank[np.argsort(-fame, kind="stable")] = np.arange(len(films))
    weight = (rank + ZIPF_OFFSET) ** -ZIPF_EXPONENT
    return weight / weight.sum()


def _draw_viewers(n_viewers: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the users table and what each viewer's attributes add to each taste (U, tastes).

    Attributes are drawn independently, so one without influence has none through another either.
    """
    columns: dict[str, Any] = {"user_id": [f"v{n + 1:04d}" for n in range(n_viewers)]}
    added = np.zeros((n_viewers, len(TASTES)))
    for name, attribute in ATTRIBUTES.items():
        rng = numpy_generator(seed, "sample", name)
        drawn = rng.choice(len(attribute.values), n_viewers, p=attribute.shares)
        columns[name] = np.array(attribute.values)[drawn]
        added += effect_matrix(attribute)[drawn]
    return pd.DataFrame(columns), added


def _draw_personas(attribute_tastes: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each viewer's personas, and their weights on the first and last day, each (U, MAX_PERSONAS).

    Weights sum to 1 over a viewer's 2 to 4 personas; unused places have weight 0. Attributes that influence
    taste make the personas that share it more likely: Gumbel top-k over the agreement of persona and viewer.
    """
    rng = numpy_generator(seed, "sample", "personas")
    n_viewers = len(attribute_tastes)
    agreement = 1.5 * attribute_tastes @ persona_matrix().T
    personas = np.argsort(-(agreement + rng.gumbel(size=agreement.shape)), axis=1)[:, :MAX_PERSONAS]
    used = np.arange(MAX_PERSONAS) < rng.integers(2, MAX_PERSONAS + 1, n_viewers)[:, None]
    first, last = (_normal(np.where(used, rng.gamma(0.8, size=used.shape) + 0.05, 0.0)) for _ in range(2))
    return personas, first, _normal(0.2 * first + 0.8 * last)


def _watch(
    popularity: np.ndarray,
    liking: np.ndarray,
    by_attributes: np.ndarray,
    personas: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    seed: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return who watches what, when: three (N,) arrays, viewer by viewer, each viewer's rows in time order.

    Sitting after sitting, all viewers at once: one persona decides, and films not yet seen are drawn without
    replacement with probability proportional to popularity times exp(liking).
    """
    rng = numpy_generator(seed, "sample", "watching")
    n_viewers, n_films = by_attributes.shape
    sizes, starts = _sittings(n_viewers, rng)  # (U, sittings) each; size 0 = no such sitting
    base = CHOICE_BY_POPULARITY * np.log(popularity) + by_attributes  # (U, I)
    seen = np.zeros((n_viewers, n_films), bool)
    parts = []
    for sitting in range(sizes.shape[1]):
        active = np.flatnonzero(sizes[:, sitting])
        weights = _weights_at(first[active], last[active], _elapsed(starts[active, sitting]))
        mood = (weights.cumsum(1) < rng.random(len(active))[:, None]).sum(1).clip(max=MAX_PERSONAS - 1)
        drawn_to = base[active] + CHOICE_BY_PERSONA * liking[personas[active, mood]]
        drawn_to += rng.gumbel(size=drawn_to.shape)
        drawn_to[seen[active]] = -np.inf
        largest = int(sizes[active, sitting].max())
        films = np.argpartition(-drawn_to, largest, axis=1)[:, :largest]
        films = np.take_along_axis(films, np.argsort(-np.take_along_axis(drawn_to, films, 1), axis=1), 1)
        kept = np.arange(largest) < sizes[active, sitting][:, None]
        gaps = rng.integers(15, 240, kept.shape).cumsum(1)  # seconds between two ratings of one sitting
        who = np.broadcast_to(active[:, None], kept.shape)[kept]
        seen[who, films[kept]] = True
        parts.append((who, films[kept], (starts[active, sitting][:, None] + gaps)[kept]))
    user_nums, item_nums, timestamps = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((timestamps, user_nums))
    return user_nums[order], item_nums[order], timestamps[order]


def _sittings(n_viewers: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return how many films each sitting has and when it starts, both (U, S), sittings in time order.

    A viewer rates 20 to 120 films (log-normal tail), 2 to 7 a sitting, on evenings spread over an active
    period. Periods overlap: most viewers join in the first months and most are still there at the end.
    """
    totals = np.clip(np.rint(rng.lognormal(3.72, 0.45, n_viewers)), 20, 120).astype(int)
    planned = rng.integers(2, 8, (n_viewers, 60))
    sizes = np.diff(np.minimum(planned.cumsum(1), totals[:, None]), axis=1, prepend=0)
    n_sittings = (sizes > 0).sum(1)
    sizes = sizes[:, : n_sittings.max()]
    joined = DAYS * 0.7 * rng.beta(1.0, 2.2, n_viewers)
    left = DAYS - (DAYS - joined) * 0.3 * rng.beta(0.4, 2.0, n_viewers)
    days = joined[:, None] + (left - joined)[:, None] * rng.random(sizes.shape)
    days[sizes == 0] = np.inf
    evening = np.clip(rng.normal(20.5, 2.0, sizes.shape), 8.0, 23.4) * 3600
    starts = np.sort(START + np.floor(days) * 86_400 + evening, axis=1)  # unused ones come last
    return sizes, np.where(sizes > 0, starts, START).astype(np.int64)


def _elapsed(timestamps: np.ndarray) -> np.ndarray:
    """Return the share of the simulated time that has passed: 0 on the first day, 1 at the end."""
    return (timestamps - START) / (DAYS * 86_400)


def _weights_at(first: np.ndarray, last: np.ndarray, elapsed: np.ndarray) -> np.ndarray:
    """Return persona weights at a moment: a straight line from the first day (0) to the last (1)."""
    return first + (last - first) * elapsed[:, None]


def _standard(values: np.ndarray) -> np.ndarray:
    return (values - values.mean(1, keepdims=True)) / values.std(1, keepdims=True)


def _normal(weights: np.ndarray) -> np.ndarray:
    return weights / weights.sum(1, keepdims=True)


def _auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Return the chance that a liked row scores above one that is not (ties count half)."""
    n_liked = int(labels.sum())
    ranks = pd.Series(scores).rank().to_numpy()
    return float((ranks[labels].sum() - n_liked * (n_liked + 1) / 2) / (n_liked * (len(labels) - n_liked)))
