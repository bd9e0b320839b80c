"""Does a system push what is popular already, and away from what its users like?

The audited system and its baselines are seen only through their lists; popularity is the number of
interactions in the training part. Every comparison is between lists for the same users.

Measures (rows): `popularity_change` (mean ln(1 + popularity) of a user's list minus that of the user's
history; for all users of the audited system a headline) and `popularity_lift` (as a ratio), by thirds of
users from niche to mainstream histories; `popularity_change_gap` (niche minus mainstream, headline: who is
moved more); `log_popularity_difference` (audited minus each baseline, paired by user, headline);
`log_popularity`, `arp`, `aplt`, `gini`, `coverage` of every system and their differences; `exposure_share` by
popularity decile.

Paper: popularity lift (GAP) by user group after Abdollahpouri et al. (2019); the log-scaled change after
Lichtenberg et al. (arXiv 2406.01285).
Differs from paper: groups are thirds of the users by the mean log popularity of their histories; lift is the
mean of the users' own ratios; Gini and coverage have bootstrap limits centred on the observed value, because
a resample of users always shows fewer distinct items than the sample. Users pulled from an extreme third move
back towards the middle under any system that does not read the history; compare the gap with that of the
baselines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import Field

from rec_core.config import Config
from rec_core.metrics import exposure
from rec_core.metrics.intervals import (
    Interval,
    WeightedStatistic,
    clustered_bootstrap,
    clustered_bootstraps,
    weighted_mean,
)
from rec_core.metrics.permutation import group_test, sign_flip_test
from rec_core.probes.baselines import profile_lists
from rec_core.probes.verdicts import Row, tidy
from rec_core.types import InputError, Interactions, ProbeResult, Progress, ProgressEvent, ignore_progress

THIRDS = ("niche", "middle", "mainstream")
HIDDEN_BELOW = 10  # groups of fewer users are not shown: single users could be recognised
_BLOCK_CELLS = 2_000_000  # resampled exposures held at once: 16 MB


class PopularityConfig(Config):
    """What the popularity probe computes, and which changes would be material."""

    head_share: float = Field(
        default=0.2, gt=0, lt=1, description="share of the items, most popular first, that is not long tail"
    )
    material_log_change: float = Field(
        default=0.2,
        gt=0,
        description="material change of mean ln(1 + popularity); 0.2 is about 22 % more popular",
    )
    n_permutations: int = Field(default=999, ge=99, description="draws of each permutation test")
    n_resamples: int = Field(default=2_000, ge=100, description="bootstrap draws of each interval")
    alpha: float = Field(default=0.05, gt=0, lt=1, description="level of the corrected tests")
    min_users: int = Field(default=30, ge=2, description="fewer users than this are never judged")
    seed: int = Field(default=0, ge=0, description="decides permutations and resamples")


@dataclass(frozen=True)
class _Lists:
    """One system's lists and what they measure, a row per audited user."""

    items: list[list[int]]
    table: np.ndarray  # (U, 3) log popularity, ARP, APLT
    deciles: np.ndarray  # (U, 10) items shown from each decile
    change: np.ndarray  # (U,)
    lift: np.ndarray  # (U,)


PER_USER = ("log_popularity", "arp", "aplt")


def run(
    recommendations: Mapping[str, Mapping[int, Sequence[int]]],
    interactions: Interactions,
    config: PopularityConfig | None = None,
    progress: Progress = ignore_progress,
) -> ProbeResult:
    """Measure how popular the lists of the first system are, against histories and against the other systems.

    Args:
        recommendations: name -> user number -> item numbers. The first name is the audited system, the rest
            are
            baselines (see `baselines` for the training data, random and most popular lists). Users that lack
            a list in any of them, or a history, are left out and counted in the settings.
        interactions: the training part; popularity and histories are read from it.
        config: settings; the default is `PopularityConfig()`.
        progress: told after each step.

    Returns:
        Tidy rows, one raw row per user and system, and the settings with the counts of users.

    Raises:
        InputError: nobody has lists from all systems, or an item number does not exist.
    """
    config = config or PopularityConfig()
    if not recommendations:
        raise InputError("The popularity probe needs the lists of at least one system.")
    users, profiles = _common_users(recommendations, interactions)
    popularity = np.bincount(interactions.item_nums, minlength=interactions.n_items)
    systems: dict[str, _Lists] = {}
    for name, lists in recommendations.items():
        systems[name] = _measure_lists(
            name, [list(lists[user]) for user in users], profiles, popularity, config
        )
    total = len(systems) + 3
    progress(ProgressEvent("popularity", 1, total, "lists measured"))
    mainstreamness = exposure.log_popularity(profiles, popularity)
    thirds = _thirds(mainstreamness)
    audited = next(iter(systems))
    rows = _difference_rows(systems, audited, config)
    progress(ProgressEvent("popularity", 2, total, "differences"))
    for step, (name, system) in enumerate(systems.items(), start=3):
        rows += _change_rows(name, system, thirds, name == audited, config)
        rows += _decile_rows(name, system, config)
        progress(ProgressEvent("popularity", step, total, name))
    rows += _catalogue_rows(systems, audited, interactions.n_items, config)
    progress(ProgressEvent("popularity", total, total, "catalogue"))
    asked = set().union(*(lists.keys() for lists in recommendations.values()))
    settings = {
        **config.model_dump(mode="json"),
        "audited": audited,
        "baselines": list(systems)[1:],
        "n_users": len(users),
        "users_left_out": len(asked) - len(users),
        "n_items": interactions.n_items,
    }
    raw = _raw_table(systems, users, thirds)
    return ProbeResult("popularity", tidy(rows, config.alpha, config.min_users), raw, settings)


def _common_users(
    recommendations: Mapping[str, Mapping[int, Sequence[int]]], interactions: Interactions
) -> tuple[list[int], list[list[int]]]:
    served = [{user for user, items in lists.items() if len(items)} for lists in recommendations.values()]
    histories = profile_lists(interactions, sorted(set.intersection(*served)))
    users = [user for user, items in histories.items() if items]
    if not users:
        raise InputError("No user has a history and lists from all systems; give lists for the same users.")
    return users, [histories[user] for user in users]


def _measure_lists(
    name: str,
    items: list[list[int]],
    profiles: list[list[int]],
    popularity: np.ndarray,
    config: PopularityConfig,
) -> _Lists:
    shown = np.concatenate([np.asarray(row) for row in items])
    if shown.min() < 0 or shown.max() >= len(popularity):
        wrong = shown[(shown < 0) | (shown >= len(popularity))][0]
        raise InputError(
            f"The lists of {name!r} hold item number {wrong}; numbers go from 0 to {len(popularity) - 1}."
        )
    log_popularity = exposure.log_popularity(items, popularity)
    in_tail = exposure.long_tail(popularity, config.head_share)
    columns = [log_popularity, exposure.arp(items, popularity), exposure.aplt(items, in_tail)]
    decile = exposure.popularity_deciles(popularity)
    return _Lists(
        items=items,
        table=np.stack(columns, axis=1),
        deciles=np.stack([np.bincount(decile[row], minlength=11)[1:] for row in items]),
        change=log_popularity - exposure.log_popularity(profiles, popularity),
        lift=exposure.popularity_lift(items, profiles, popularity),
    )


def _thirds(mainstreamness: np.ndarray) -> np.ndarray:
    """Return each user's third (U,): 0 niche, 1 middle, 2 mainstream; equal sizes, ties by user number."""
    thirds = np.empty(len(mainstreamness), dtype=np.int64)
    thirds[np.argsort(mainstreamness, kind="stable")] = (
        np.arange(len(mainstreamness)) * 3 // len(mainstreamness)
    )
    return thirds


def _difference_rows(systems: dict[str, _Lists], audited: str, config: PopularityConfig) -> list[Row]:
    rows = []
    for name, system in systems.items():
        own = _boot(weighted_mean(system.table), len(system.table), config)
        rows += [Row(measure, name, interval) for measure, interval in zip(PER_USER, own, strict=True)]
        if name == audited:
            continue
        differences = systems[audited].table - system.table
        p = sign_flip_test(differences[:, 0], config.n_permutations, config.seed)
        group = f"{audited} - {name}"
        first, *rest = _boot(weighted_mean(differences), len(differences), config)
        rows.append(Row("log_popularity_difference", group, first, p, config.material_log_change))
        rows += [Row(f"{m}_difference", group, i) for m, i in zip(PER_USER[1:], rest, strict=True)]
    return rows


def _change_rows(
    name: str, system: _Lists, thirds: np.ndarray, headline: bool, config: PopularityConfig
) -> list[Row]:
    material = config.material_log_change if headline else None
    (overall,) = _boot(weighted_mean(system.change[:, None]), len(thirds), config)
    (lift,) = _boot(weighted_mean(system.lift[:, None]), len(thirds), config)
    p = sign_flip_test(system.change, config.n_permutations, config.seed) if headline else float("nan")
    rows = [
        Row("popularity_change", f"{name}, all users", overall, p, material),
        Row("popularity_lift", f"{name}, all users", lift),
    ]
    for number, third in enumerate(THIRDS):
        both = np.stack([system.change, system.lift], axis=1)[thirds == number]
        change, lift = _group_intervals(both, config)
        rows += [
            Row("popularity_change", f"{name}, {third}", change),
            Row("popularity_lift", f"{name}, {third}", lift),
        ]
    return [*rows, _gap_row(name, system.change, thirds, headline, config)]


def _gap_row(
    name: str, change: np.ndarray, thirds: np.ndarray, headline: bool, config: PopularityConfig
) -> Row:
    niche, mainstream = thirds == 0, thirds == 2
    group, material = f"{name}, niche - mainstream", config.material_log_change if headline else None
    if min(niche.sum(), mainstream.sum()) < HIDDEN_BELOW:
        return Row(
            "popularity_change_gap", group, _unknown(int(niche.sum() + mainstream.sum())), material=material
        )
    extremes = niche | mainstream
    columns = np.stack([np.where(niche, change, np.nan), np.where(mainstream, change, np.nan)], axis=1)[
        extremes
    ]
    means = weighted_mean(columns)
    interval = clustered_bootstrap(
        lambda weights: means(weights) @ np.array([1.0, -1.0]),
        np.arange(len(columns)),
        config.n_resamples,
        config.seed,
    )
    p = float("nan")
    if headline:
        p = group_test(change[extremes], niche[extremes], config.n_permutations, config.seed)
    return Row("popularity_change_gap", group, interval, p, material)


def _decile_rows(name: str, system: _Lists, config: PopularityConfig) -> list[Row]:
    counts = system.deciles.astype(np.float64)

    def shares(weights: np.ndarray) -> np.ndarray:
        shown = weights @ counts
        return shown / shown.sum(axis=1, keepdims=True)

    intervals = _boot(shares, len(counts), config)
    return [Row("exposure_share", f"{name}, decile {d}", i) for d, i in enumerate(intervals, start=1)]


def _catalogue_rows(
    systems: dict[str, _Lists], audited: str, n_items: int, config: PopularityConfig
) -> list[Row]:
    names = list(systems)
    statistic = _catalogue_statistic([systems[name].items for name in names], n_items, names.index(audited))
    intervals = iter(_boot(statistic, len(systems[audited].items), config, centred=True))
    labelled = [("", name) for name in names]
    labelled += [("_difference", f"{audited} - {name}") for name in names if name != audited]
    return [
        Row(f"{measure}{suffix}", group, next(intervals))
        for suffix, group in labelled
        for measure in ("gini", "coverage")
    ]


def _catalogue_statistic(lists: list[list[list[int]]], n_items: int, audited: int) -> WeightedStatistic:
    """Return weights (R, U) -> (R, M): Gini and coverage of each system, then audited minus each other."""
    from scipy.sparse import csr_array

    shown = [
        csr_array(
            (
                np.ones(sum(map(len, rows))),
                (np.concatenate(rows), np.repeat(np.arange(len(rows)), [len(row) for row in rows])),
            ),
            shape=(n_items, len(rows)),
        )
        for rows in lists
    ]

    def block(weights: np.ndarray) -> np.ndarray:
        exposures = [(matrix @ weights.T).T for matrix in shown]
        values = np.stack([np.stack([exposure.gini(e), exposure.coverage(e)], axis=1) for e in exposures])
        differences = np.delete(values[audited] - values, audited, axis=0)
        return np.concatenate([*values, *differences], axis=1)

    def statistic(weights: np.ndarray) -> np.ndarray:
        size = max(1, _BLOCK_CELLS // n_items)
        return np.concatenate([block(weights[at : at + size]) for at in range(0, len(weights), size)])

    return statistic


def _boot(
    statistic: WeightedStatistic, n_users: int, config: PopularityConfig, centred: bool = False
) -> list[Interval]:
    return clustered_bootstraps(
        statistic, np.arange(n_users), config.n_resamples, config.seed, centred=centred
    )


def _group_intervals(values: np.ndarray, config: PopularityConfig) -> list[Interval]:
    """Return one interval per column, or unknown ones for a group too small to be shown."""
    if len(values) < HIDDEN_BELOW:
        return [_unknown(len(values))] * values.shape[1]
    return _boot(weighted_mean(values), len(values), config)


def _unknown(n: int) -> Interval:
    return Interval(float("nan"), float("nan"), float("nan"), n)


def _raw_table(systems: dict[str, _Lists], users: list[int], thirds: np.ndarray) -> pd.DataFrame:
    tables = []
    for name, system in systems.items():
        table = pd.DataFrame(system.table, columns=list(PER_USER))
        table.insert(0, "system", name)
        table.insert(1, "user", users)
        table.insert(2, "history", np.array(THIRDS)[thirds])
        tables.append(table.assign(popularity_change=system.change, popularity_lift=system.lift))
    return pd.concat(tables, ignore_index=True)
