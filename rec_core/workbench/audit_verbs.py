"""Verbs on bias: run a probe on a trained run and keep rows, raw answers and settings in its folder."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rec_core.config import Config
from rec_core.data.candidates import candidate_sets
from rec_core.data.histories import HistoryStore
from rec_core.data.interactions import subset
from rec_core.probes import popularity, position
from rec_core.probes.baselines import popular_lists, profile_lists, random_lists
from rec_core.seeding import numpy_generator
from rec_core.store import Workspace, content_hash, new_folder, read_json, write_json, write_table
from rec_core.types import (
    ChoiceRequest,
    InputError,
    Interactions,
    ProbeResult,
    Progress,
    ProgressEvent,
    ScoreRequest,
    ignore_progress,
)
from rec_core.workbench.capability_verbs import config_of_run, lacking
from rec_core.workbench.run_verbs import load_run

NEEDS = {"position": ("EvidenceScorer", "ListChooser"), "popularity": ("Recommender",)}
PROBES = tuple(NEEDS)
DEFAULT_USERS = 100
_MIN_HISTORY = 5  # earlier items of a like question, where a run's config does not say
_CANDIDATES = 5  # the list length the embedded model has learned to read
_LIST_LENGTH = 10


def audit(
    run_id: str,
    probe: str,
    n_users: int | None = None,
    seed: int = 0,
    progress: Progress = ignore_progress,
    *,
    workspace: Workspace | None = None,
) -> dict[str, Any]:
    """Run one probe ("position", "popularity") or "all" and return its rows, with the folder that keeps them.

    "all" runs the probes that the run can be asked (`NEEDS`).

    Args:
        run_id: a finished run.
        probe: which.
        n_users: test users asked about; default 100, fewer when there are fewer.
        seed: decides users, orders and resamples.
        progress: called at every step.
        workspace: where runs live.

    Raises:
        InputError: unknown probe, one that asks what the run cannot answer, or too few users asked for.
    """
    space = workspace or Workspace.from_environment()
    if probe not in (*PROBES, "all"):
        raise InputError(f"There is no probe {probe!r}; choose one of {', '.join((*PROBES, 'all'))}.")
    if n_users is not None and n_users < 2:
        raise InputError(f"An audit needs at least 2 users, not {n_users}.")
    space.check_writable()
    why_not = probes_of(run_id, workspace=space)
    named = PROBES if probe == "all" else (probe,)
    wanted = [name for name in named if not why_not[name]]
    if not wanted:
        raise InputError(why_not[named[-1]])
    system = load_run(run_id, workspace=space)
    audited = _Audited(system, *config_of_run(space, run_id), n_users or DEFAULT_USERS, seed)
    results = [_RUNNERS[name](audited, progress) for name in wanted]
    folder = _keep(space.run_path(run_id) / "audits", probe, results, {"n_users": n_users, "seed": seed})
    rows = [_json_row(row) for result in results for row in result.rows.to_dict("records")]
    return {"run": run_id, "probe": probe, "rows": rows, "report": str(folder)}


def audits(run_id: str, *, workspace: Workspace | None = None) -> list[dict[str, Any]]:
    """Return the kept audits of a run, the newest first: probe, settings, report (folder)."""
    space = workspace or Workspace.from_environment()
    folders = sorted(
        (space.run_path(run_id) / "audits").glob("*/audit.json"), key=lambda f: -f.stat().st_mtime
    )
    return [{**read_json(file), "report": str(file.parent)} for file in folders]


def probes_of(run_id: str, *, workspace: Workspace | None = None) -> dict[str, str]:
    """Return by probe why a run cannot be asked it, "" where it can."""
    return {probe: lacking(run_id, *needs, workspace=workspace) for probe, needs in NEEDS.items()}


@dataclass(frozen=True)
class _Audited:
    """A run under audit, and how many of its test users are asked; `seed` draws them."""

    system: Any
    config: Config
    run_seed: int
    n_users: int
    seed: int

    def drawn(self, users: np.ndarray) -> np.ndarray:
        """Return some of the users, in ascending order."""
        rng = numpy_generator(self.seed, "audit", "users")
        return np.sort(rng.permutation(users)[: self.n_users])


def _like_parts(audited: _Audited) -> Any:
    from rec_core.systems.like_questions import Parts

    return Parts.of(audited.system.dataset, getattr(audited.config, "min_history", _MIN_HISTORY))


def _audience(audited: _Audited) -> tuple[Interactions, np.ndarray]:
    """Return the training part and the test users asked, by the split that the run itself was judged on.

    That is the ranking task of its config; for a run that answers like questions, the questions cut by time.
    """
    from rec_core.systems.ranking_parts import RankingParts
    from rec_core.systems.ranking_task import RankingConfig

    dataset = audited.system.dataset
    if isinstance(audited.config, RankingConfig):
        parts = RankingParts.of(dataset, audited.config.task, audited.run_seed)
        return subset(dataset.interactions, parts.split.train), audited.drawn(parts.test.users)
    likes = _like_parts(audited)
    users = np.unique(likes.samples.take(likes.split.test).user_nums)
    return subset(dataset.interactions, likes.train_rows), audited.drawn(users)


def _position(audited: _Audited, progress: Progress) -> ProbeResult:
    """Ask the last like question of some test users in several orders."""
    from rec_core.systems.like_questions import requests_of

    likes = _like_parts(audited)
    test = likes.samples.take(likes.split.test)
    last = {int(user): row for row, user in enumerate(test.user_nums)}
    chosen = audited.drawn(np.unique(test.user_nums))
    samples = test.take(np.array(sorted(last[int(user)] for user in chosen)))
    requests = requests_of(audited.system.dataset, samples)
    choices, targets = _choices(audited, requests, samples.user_nums)
    config = position.PositionConfig(seed=audited.seed)
    return position.run(audited.system, requests, samples.labels, choices, targets, config, progress)


def _choices(
    audited: _Audited, requests: list[ScoreRequest], users: np.ndarray
) -> tuple[list[ChoiceRequest], np.ndarray]:
    """Return list questions (the true next item among unseen ones) and the place of the true item."""
    others = candidate_sets(audited.system.dataset.interactions, users, _CANDIDATES - 1, audited.seed)
    slots = numpy_generator(audited.seed, "audit", "slots").integers(_CANDIDATES, size=len(users))
    choices = [
        ChoiceRequest(r.user_num, r.history, tuple(int(i) for i in np.insert(wrong, slot, r.item_num)))
        for r, wrong, slot in zip(requests, others, slots, strict=True)
    ]
    return choices, slots


def _popularity(audited: _Audited, progress: Progress) -> ProbeResult:
    """Compare the lists of some test users with their training histories and with plain lists."""
    system, seed = audited.system, audited.seed
    train, asked = _audience(audited)
    histories = HistoryStore(train)
    users = [int(u) for u in asked if histories.lengths[u] > 0]
    if not users:
        raise InputError("No test user has a training history, so there is no profile to compare lists with.")
    lists: dict[int, list[int]] = {}
    for done, user in enumerate(users, start=1):
        found = system.recommend(histories.of(user), _LIST_LENGTH, user)
        lists[user] = [recommendation.item_num for recommendation in found]
        progress(ProgressEvent("recommending", done, len(users)))
    recommendations = {
        "system": lists,
        "training data": profile_lists(train, users),
        "random": random_lists(train, users, _LIST_LENGTH, seed),
        "most popular": popular_lists(train, users, _LIST_LENGTH),
        **_id_model(system, histories, users),
    }
    return popularity.run(recommendations, train, popularity.PopularityConfig(seed=seed), progress)


def _id_model(system: Any, histories: HistoryStore, users: list[int]) -> dict[str, dict[int, list[int]]]:
    """Return the lists of the behaviour model that a system builds on, nothing where it builds on none."""
    if not (hasattr(system, "views") and hasattr(system, "users")):
        return {}
    import torch

    from rec_core.evaluation.exact_top import exact_top

    def best_unseen(user: int) -> list[int]:
        scores = torch.from_numpy(system.views["id"].values @ system.users[user])
        scores[histories.of(user).item_nums] = -torch.inf
        return [item for item in exact_top(scores.unsqueeze(0), _LIST_LENGTH)[0].tolist() if item >= 0]

    return {"id model": {user: best_unseen(user) for user in users}}


_RUNNERS: dict[str, Callable[[_Audited, Progress], ProbeResult]] = {
    "position": _position,
    "popularity": _popularity,
}


def _keep(root: Path, probe: str, results: list[ProbeResult], settings: dict[str, Any]) -> Path:
    facts = {"probe": probe, **settings, "settings": {r.probe: r.settings for r in results}}
    rows = pd.concat([r.rows.assign(probe=r.probe) for r in results], ignore_index=True)
    folder = root / f"{probe}-{content_hash(facts, rows.to_json(), length=8)}"
    with new_folder(folder) as fresh:
        write_table(fresh / "rows.parquet", rows)
        for result in results:
            write_table(fresh / f"{result.probe}-raw.parquet", result.raw)
        write_json(fresh / "audit.json", facts)
    return folder


def _json_row(row: Mapping[Hashable, Any]) -> dict[str, Any]:
    plain = {str(key): value.item() if isinstance(value, np.generic) else value for key, value in row.items()}
    return {key: None if value != value else value for key, value in plain.items()}
