"""Verbs on bias: run a probe on a trained run and keep rows, raw answers and settings in its folder."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rec_core.data.candidates import candidate_sets
from rec_core.data.histories import HistoryStore
from rec_core.data.interactions import subset
from rec_core.probes import popularity, position
from rec_core.probes.baselines import popular_lists, profile_lists, random_lists
from rec_core.retrieval.full_ranking import top_unseen
from rec_core.seeding import numpy_generator
from rec_core.store import Workspace, content_hash, new_folder, read_json, write_json, write_table
from rec_core.types import (
    ChoiceRequest,
    InputError,
    ProbeResult,
    Progress,
    ProgressEvent,
    ScoreRequest,
    ignore_progress,
)
from rec_core.workbench.run_verbs import load_run

PROBES = ("position", "popularity")
DEFAULT_USERS = 100
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

    Args:
        run_id: a finished run.
        probe: which.
        n_users: test users asked about; default 100, fewer when there are fewer.
        seed: decides users, orders and resamples.
        progress: called at every step.
        workspace: where runs live.

    Raises:
        InputError: unknown probe, or too few users asked for.
    """
    space = workspace or Workspace.from_environment()
    if probe not in (*PROBES, "all"):
        raise InputError(f"There is no probe {probe!r}; choose one of {', '.join((*PROBES, 'all'))}.")
    if n_users is not None and n_users < 2:
        raise InputError(f"An audit needs at least 2 users, not {n_users}.")
    space.check_writable()
    system = load_run(run_id, workspace=space)
    wanted = PROBES if probe == "all" else (probe,)
    questions = _Questions(system, n_users or DEFAULT_USERS, seed)
    results = [_RUNNERS[name](questions, progress) for name in wanted]
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


class _Questions:
    """The users and rows a probe asks about: the last like question of some test users, drawn by seed."""

    def __init__(self, system: Any, n_users: int, seed: int) -> None:
        from rec_core.systems.like_questions import Parts, requests_of

        self.system, self.seed = system, seed
        interactions = system.dataset.interactions
        parts = Parts.of(system.dataset, system.config.min_history)
        self.train = subset(interactions, parts.train_rows)
        test = parts.samples.take(parts.split.test)
        users = np.unique(test.user_nums)
        chosen = numpy_generator(seed, "audit", "users").permutation(users)[:n_users]
        last = {int(user): row for row, user in enumerate(test.user_nums)}
        self.samples = test.take(np.array(sorted(last[int(user)] for user in chosen)))
        self.requests: list[ScoreRequest] = requests_of(system.dataset, self.samples)

    def choices(self) -> tuple[list[ChoiceRequest], np.ndarray]:
        """Return list questions (the true next item among unseen ones) and the place of the true item."""
        interactions = self.system.dataset.interactions
        users = self.samples.user_nums
        others = candidate_sets(interactions, users, _CANDIDATES - 1, self.seed)
        slots = numpy_generator(self.seed, "audit", "slots").integers(_CANDIDATES, size=len(users))
        requests = [
            ChoiceRequest(r.user_num, r.history, tuple(int(i) for i in np.insert(wrong, slot, r.item_num)))
            for r, wrong, slot in zip(self.requests, others, slots, strict=True)
        ]
        return requests, slots


def _position(questions: _Questions, progress: Progress) -> ProbeResult:
    choices, targets = questions.choices()
    config = position.PositionConfig(seed=questions.seed)
    labels = questions.samples.labels
    return position.run(questions.system, questions.requests, labels, choices, targets, config, progress)


def _popularity(questions: _Questions, progress: Progress) -> ProbeResult:
    system, train, seed = questions.system, questions.train, questions.seed
    histories = HistoryStore(train)
    users = [int(u) for u in np.unique(questions.samples.user_nums) if histories.lengths[u] > 0]
    if not users:
        raise InputError("No test user has a training history, so there is no profile to compare lists with.")
    lists: dict[int, list[int]] = {}
    for done, user in enumerate(users, start=1):
        found = system.recommend(histories.of(user), _LIST_LENGTH, user)
        lists[user] = [recommendation.item_num for recommendation in found]
        progress(ProgressEvent("recommending", done, len(users)))
    by_id = top_unseen(
        system.users[users],
        system.views["id"].values,
        [histories.of(user).item_nums for user in users],
        _LIST_LENGTH,
    )
    recommendations = {
        "system": lists,
        "training data": profile_lists(train, users),
        "random": random_lists(train, users, _LIST_LENGTH, seed),
        "most popular": popular_lists(train, users, _LIST_LENGTH),
        "id model": {user: [int(i) for i in row if i >= 0] for user, row in zip(users, by_id, strict=True)},
    }
    return popularity.run(recommendations, train, popularity.PopularityConfig(seed=seed), progress)


_RUNNERS = {"position": _position, "popularity": _popularity}


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
