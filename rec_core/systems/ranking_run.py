"""Train and judge a ranking system: the steps every one of them shares."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rec_core.device import set_threads
from rec_core.evaluation.beyond import beyond_accuracy, genre_matrix
from rec_core.evaluation.full_ranking import Ranking, rank_catalogue
from rec_core.evaluation.per_user import per_user_metric, per_user_metrics
from rec_core.evaluation.report import with_intervals
from rec_core.evaluation.sampled_ranking import sampled_metrics
from rec_core.processes import is_main
from rec_core.store import Workspace, write_json, write_table
from rec_core.systems.ranking_parts import Phase, RankingParts
from rec_core.systems.ranking_system import CatalogueScores, RankingSystem
from rec_core.systems.ranking_task import RankingConfig
from rec_core.types import Dataset, EmbeddingSource, Progress, ProgressEvent

# A system's own config is narrower than RankingConfig, hence Any.
Learn = Callable[[RankingParts, Any, Path, int, Progress], None]
Load = Callable[[Dataset, Any, Path], RankingSystem]


def ranking_system(learn: Learn, load: Load) -> tuple[Callable[..., dict[str, Any]], Callable[..., float]]:
    """Return the `fit` and `validate` that the verbs ask of a system's module.

    Both are called with dataset, config, folder, workspace, seed and progress. The workspace is there for
    systems that keep a cache, which none of these does.

    Args:
        learn: see `fit_ranking`.
        load: see `fit_ranking`.
    """

    def fit(
        dataset: Dataset, config: Any, folder: Path, workspace: Workspace, seed: int, progress: Progress
    ) -> dict[str, Any]:
        """Train into `folder`, rank the catalogue for the test users and return the metrics."""
        return fit_ranking(dataset, config, folder, seed, progress, learn, load)

    def validate(
        dataset: Dataset, config: Any, folder: Path, workspace: Workspace, seed: int, progress: Progress
    ) -> float:
        """Train into `folder` and return the watched validation metric."""
        return validate_ranking(dataset, config, folder, seed, progress, learn, load)

    return fit, validate


def fit_ranking(
    dataset: Dataset,
    config: RankingConfig,
    folder: Path,
    seed: int,
    progress: Progress,
    learn: Learn,
    load: Load,
) -> dict[str, Any]:
    """Learn, then rank the whole catalogue for every test user; write metrics.json and per_user.parquet.

    Args:
        dataset: what to learn from.
        config: the system's config; its `task` says how it is cut and judged.
        folder: the run's folder; what is already there is continued.
        seed: the run's seed.
        progress: called at every step; may raise `Cancelled`.
        learn: writes the trained artefacts to the folder, or does nothing when they are there.
        load: opens them.

    Returns:
        {"metrics": {name: interval}, "validation", "beyond", "protocol", "n_test_users"}; {} in any but the
        main of several processes.
    """
    set_threads(config.n_threads)
    parts = RankingParts.of(dataset, config.task, seed)
    learn(parts, config, folder, seed, progress)
    if not is_main():
        return {}
    system = load(dataset, config, folder)
    progress(ProgressEvent("evaluation", 0, 1))
    top_k = min(max(config.task.cutoffs), parts.n_items)
    ranking = _ranking(system, parts, "test", top_k)
    per_user = per_user_metrics(ranking, config.task.cutoffs)
    write_table(folder / "per_user.parquet", per_user)
    write_table(folder / "top_items.parquet", _lists(ranking))
    metrics = {
        "metrics": with_intervals(per_user, seed),
        "validation": {"metric": config.task.watch, "value": _watched(system, parts)},
        "beyond": _beyond(system, parts, ranking, seed),
        "protocol": parts.describe(),
        "n_test_users": len(ranking.users),
    }
    if config.task.n_sampled:
        metrics["sampled"] = _sampled(system, parts, seed)
    write_json(folder / "metrics.json", metrics)
    progress(ProgressEvent("evaluation", 1, 1))
    return metrics


def validate_ranking(
    dataset: Dataset,
    config: RankingConfig,
    folder: Path,
    seed: int,
    progress: Progress,
    learn: Learn,
    load: Load,
) -> float:
    """Learn and return the watched metric on validation users; the test part is not looked at."""
    set_threads(config.n_threads)
    parts = RankingParts.of(dataset, config.task, seed)
    learn(parts, config, folder, seed, progress)
    return _watched(load(dataset, config, folder), parts)


def watch(parts: RankingParts, scores: Callable[[], CatalogueScores]) -> Callable[[], float]:
    """Return the function the training loop calls to look at the watched validation metric.

    Args:
        parts: holds the validation users and names the metric.
        scores: returns the scorer of the net as it is now.
    """

    def look() -> float:
        return mean_metric(scores(), parts)

    return look


def mean_metric(scores: CatalogueScores, parts: RankingParts) -> float:
    """Return the watched metric, the mean over validation users."""
    ranking = rank_catalogue(scores, parts.valid, parts.n_items, top_k=0)
    return float(per_user_metric(ranking, parts.task.watch).mean())


def _watched(system: RankingSystem, parts: RankingParts) -> float:
    return mean_metric(system.user_scores(parts, "valid"), parts)


def _ranking(system: RankingSystem, parts: RankingParts, phase: Phase, top_k: int) -> Ranking:
    return rank_catalogue(system.user_scores(parts, phase), parts.held_out(phase), parts.n_items, top_k)


def _lists(ranking: Ranking) -> pd.DataFrame:
    """Return the recommended lists as rows user_num, rank, item_num."""
    users = np.repeat(ranking.users, ranking.top.shape[1])
    ranks = np.tile(np.arange(1, ranking.top.shape[1] + 1), len(ranking.users))
    table = pd.DataFrame({"user_num": users, "rank": ranks, "item_num": ranking.top.ravel()})
    return table[table["item_num"] >= 0]


def _beyond(system: RankingSystem, parts: RankingParts, ranking: Ranking, seed: int) -> dict[str, Any]:
    """Return what the lists are like beside right or wrong: means over users, values of the catalogue."""
    embeddings = system.embeddings() if isinstance(system, EmbeddingSource) else {}
    views = {name: table.values for name, table in embeddings.items()}
    genres = genre_matrix(parts.dataset.catalogue)
    per_user, catalogue = beyond_accuracy(ranking, parts.popularity, genres, views, ranking.held_out.hidden)
    return {"users": with_intervals(per_user, seed), "catalogue": catalogue}


def _sampled(system: RankingSystem, parts: RankingParts, seed: int) -> dict[str, Any]:
    task = parts.task
    sampled = sampled_metrics(
        system.user_scores(parts, "test"),
        parts.test,
        parts.n_items,
        task.cutoffs,
        task.n_sampled,
        "uniform",
        seed,
    )
    return {"protocol": sampled.protocol, "metrics": with_intervals(sampled.per_user, seed)}
