"""Verbs on runs: create, train, resume, list, show, load."""

from __future__ import annotations

import time
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from rec_core.config import Config
from rec_core.processes import by_main, ending_together, main_first
from rec_core.roster import SYSTEMS, SystemCard, card
from rec_core.run_folder import RunFolder, environment_facts, true_state
from rec_core.store import Workspace, content_hash, read_json, write_json
from rec_core.types import Dataset, InputError, Progress, ProgressEvent, ignore_progress
from rec_core.workbench.at_work import at_work, refuse_second_worker
from rec_core.workbench.data_verbs import load_dataset

SAMPLE_DATASET, SAMPLE_PRESET = "sample", "tiny"


def systems() -> list[SystemCard]:
    """Return the systems that can be trained."""
    return list(SYSTEMS)


def config_of(
    system: str, preset: str = "small", overrides: dict[str, Any] | None = None, data: str = ""
) -> Config:
    """Return a system's config for a preset, as published for a dataset, with some fields replaced."""
    module, _, name = card(system).config_path.rpartition(".")
    config: Config = getattr(import_module(module), name).preset(preset, data, overrides)
    return config.with_values(overrides) if overrides else config


def new_run(
    system: str,
    data: str,
    preset: str = "small",
    overrides: dict[str, Any] | None = None,
    seed: int = 0,
    progress: Progress = ignore_progress,
    *,
    workspace: Workspace | None = None,
) -> str:
    """Create a queued run and return its id; `resume` (or a worker) carries it out.

    Raises:
        InputError: unknown system, dataset, preset or field.
    """
    space = workspace or Workspace.from_environment()
    space.check_writable()
    config = config_of(system, preset, overrides, data)

    def make() -> str:
        return _make_run(space, config, system, data, preset, overrides or {}, seed, progress)

    return by_main(make)


def _make_run(
    space: Workspace,
    config: Config,
    system: str,
    data: str,
    preset: str,
    overrides: dict[str, Any],
    seed: int,
    progress: Progress,
) -> str:
    """Read the dataset, write the run's folder and return its name."""
    dataset = load_dataset(data, progress, workspace=space)
    digest = content_hash(system, config.model_dump(mode="json"), dataset.content_hash, seed, length=6)
    folder = _fresh_folder(space, f"{system}-{data}-{preset}-s{seed}-{digest}")
    facts = {
        "system": system,
        "dataset": data,
        "dataset_hash": dataset.content_hash,
        "preset": preset,
        "overrides": overrides,
        "seed": seed,
        "created": time.time(),
        "title": "",
        "notes": "",
    }
    config.save(folder / "config.yaml")
    write_json(folder / "run.json", facts)
    write_json(folder / "env.json", environment_facts())
    write_json(folder / "status.json", {"state": "queued"})
    return folder.name


def train(
    system: str,
    data: str,
    preset: str = "small",
    overrides: dict[str, Any] | None = None,
    seed: int = 0,
    progress: Progress = ignore_progress,
    *,
    workspace: Workspace | None = None,
) -> dict[str, Any]:
    """Create a run, carry it out here and return its result: run, seconds, metrics, arms, ..."""
    run_id = new_run(system, data, preset, overrides, seed, progress, workspace=workspace)
    return resume(run_id, progress, workspace=workspace)


def resume(
    run_id: str, progress: Progress = ignore_progress, *, workspace: Workspace | None = None
) -> dict[str, Any]:
    """Carry out a queued run or continue an unfinished one, and return its result.

    A finished run is only reported. Several processes share the work; what ends one of them ends all, and
    the status says what it was.

    Raises:
        InputError: there is no such run, another process is at it, or its dataset has changed.
        Cancelled: somebody asked it to stop; the status says "cancelled".
    """
    space = workspace or Workspace.from_environment()
    run = open_run(space, run_id)
    facts = read_json(run.path / "run.json")
    if run.status.get("state") == "done":
        return _result(run, facts)
    space.check_writable()
    by_main(lambda: refuse_second_worker(run, "Run"))

    def report(event: ProgressEvent) -> None:
        run.report(event)
        progress(event)

    with at_work(run), ending_together():
        dataset = main_first(lambda: _dataset_of(space, facts))
        config = config_of(facts["system"]).load(run.path / "config.yaml")
        import_module(card(facts["system"]).module).fit(
            dataset, config, run.path, space, facts["seed"], report
        )
    return _result(run, facts)


def build_sample(
    progress: Progress = ignore_progress, *, workspace: Workspace | None = None
) -> dict[str, Any]:
    """Build what the app shows first, once: the sample dataset and a RALLRec trained on it."""
    space = workspace or Workspace.from_environment()
    progress(ProgressEvent("sample dataset", 0, 1))
    load_dataset(SAMPLE_DATASET, progress, workspace=space)
    progress(ProgressEvent("sample dataset", 1, 1))
    run_id = sample_run(workspace=space) or new_run("rallrec", SAMPLE_DATASET, SAMPLE_PRESET, workspace=space)
    resume(run_id, progress, workspace=space)
    return {"dataset": SAMPLE_DATASET, "runs": [run_id]}


def sample_run(*, workspace: Workspace | None = None) -> str | None:
    """Return the id of the RALLRec run that `build_sample` makes, finished or not; None without one."""
    space = workspace or Workspace.from_environment()
    wanted = {
        "system": "rallrec",
        "dataset": SAMPLE_DATASET,
        "preset": SAMPLE_PRESET,
        "overrides": {},
        "seed": 0,
    }
    for run_id in _run_ids(space):
        facts = read_json(space.run_path(run_id) / "run.json")
        if all(facts.get(key) == value for key, value in wanted.items()):
            return run_id
    return None


def runs(*, workspace: Workspace | None = None) -> pd.DataFrame:
    """Return a row per run, newest first.

    Columns: run, title, system, dataset, preset, seed, created, state, seconds, metric (the system's headline
    test metric) and its value.
    """
    space = workspace or Workspace.from_environment()
    rows = []
    for run_id in _run_ids(space):
        run = RunFolder(space.run_path(run_id))
        facts, status = read_json(run.path / "run.json"), run.status
        headline = card(facts["system"]).headline
        rows.append(
            {
                "run": run_id,
                "title": facts["title"],
                **{key: facts[key] for key in ("system", "dataset", "preset", "seed", "created")},
                "state": true_state(status),
                "seconds": status.get("seconds"),
                "metric": headline,
                "value": _test_metrics(run).get(headline, {}).get("value"),
            }
        )
    columns = ["run", "title", "system", "dataset", "preset", "seed", "created", "state", "seconds"]
    return pd.DataFrame(rows, columns=[*columns, "metric", "value"]).sort_values(
        "created", ascending=False, ignore_index=True
    )


def show_run(run_id: str, *, workspace: Workspace | None = None) -> dict[str, Any]:
    """Return everything known about a run, JSON-able."""
    space = workspace or Workspace.from_environment()
    run = open_run(space, run_id)
    facts = read_json(run.path / "run.json")
    return {
        "run": run_id,
        **facts,
        "state": true_state(run.status),
        "status": run.status,
        "config": yaml.safe_load((run.path / "config.yaml").read_text(encoding="utf-8")),
        "metrics": run.metrics,
        "env": read_json(run.path / "env.json"),
    }


def rename_run(run_id: str, title: str, *, workspace: Workspace | None = None) -> None:
    """Give a run a title for people; its id stays."""
    _annotate(run_id, "title", title.strip()[:120], workspace)


def annotate_run(run_id: str, notes: str, *, workspace: Workspace | None = None) -> None:
    """Keep notes with a run."""
    _annotate(run_id, "notes", notes, workspace)


def load_run(run_id: str, *, workspace: Workspace | None = None) -> Any:
    """Return the trained system of a finished run; the last few are kept in memory.

    Raises:
        InputError: the run is not finished.
    """
    space = workspace or Workspace.from_environment()
    run = open_run(space, run_id)
    if run.status.get("state") != "done":
        state = true_state(run.status)
        raise InputError(f"Run {run_id} is {state}, not done; continue it with `resume {run_id}` first.")
    return _load(space.root, run_id)


@lru_cache(maxsize=4)
def _load(root: Path, run_id: str) -> Any:
    space = Workspace(root)
    run = open_run(space, run_id)
    facts = read_json(run.path / "run.json")
    return import_module(card(facts["system"]).module).load(
        _dataset_of(space, facts), _config(space, run_id, facts), run.path
    )


def _run_ids(space: Workspace) -> list[str]:
    """Return the runs; a folder without facts was left by a kill before its run began."""
    return [run_id for run_id in space.names("runs") if (space.run_path(run_id) / "run.json").exists()]


def open_run(space: Workspace, run_id: str) -> RunFolder:
    """Return the folder of a run (`InputError`: there is none of that id)."""
    folder = space.run_path(run_id)
    if not (folder / "run.json").exists():
        known = ", ".join(_run_ids(space)) or "none yet"
        raise InputError(f"There is no run {run_id!r} in {space.root}; known runs: {known}.")
    return RunFolder(folder)


def _config(space: Workspace, run_id: str, facts: dict[str, Any]) -> Config:
    return type(config_of(facts["system"])).load(space.run_path(run_id) / "config.yaml")


def _dataset_of(space: Workspace, facts: dict[str, Any]) -> Dataset:
    dataset = load_dataset(facts["dataset"], workspace=space)
    if dataset.content_hash != facts["dataset_hash"]:
        raise InputError(
            f"The dataset {facts['dataset']!r} has changed since this run was created; train a new run on it."
        )
    return dataset


def _fresh_folder(space: Workspace, name: str) -> Path:
    for number in range(1, 1000):
        folder = space.run_path(name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise InputError(f"There are already 999 runs called {name}; remove some.")


def _annotate(run_id: str, key: str, value: str, workspace: Workspace | None) -> None:
    space = workspace or Workspace.from_environment()
    space.check_writable()
    run = open_run(space, run_id)
    write_json(run.path / "run.json", {**read_json(run.path / "run.json"), key: value})


def _test_metrics(run: RunFolder) -> dict[str, Any]:
    """Return a run's test metrics; of several arms the main one's."""
    metrics = run.metrics
    own: dict[str, Any] = metrics.get("metrics") or metrics.get("arms", {}).get(metrics.get("main_arm"), {})
    return own


def _result(run: RunFolder, facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "run": run.run_id,
        "system": facts["system"],
        "dataset": facts["dataset"],
        "seconds": round(float(run.status.get("seconds", 0.0)), 3),
        **run.metrics,
        "metrics": _test_metrics(run),
    }
