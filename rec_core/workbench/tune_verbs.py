"""Verbs on tunings: search a system's declared ranges for the settings that validation likes best.

A tuning lives in `tunings/<id>/`, a folder like a run's: tuning.json, status.json, events.jsonl, log.txt,
STOP, trials.jsonl with a line per finished trial, and trial/ while one is at work. The test part is never
looked at.
"""

from __future__ import annotations

import math
import shlex
import time
from collections.abc import Iterator
from dataclasses import asdict
from importlib import import_module
from typing import Any

import yaml

from rec_core.config import Config, Range
from rec_core.processes import n_processes
from rec_core.roster import card
from rec_core.run_folder import RunFolder, environment_facts
from rec_core.store import Workspace, content_hash, write_json
from rec_core.types import InputError, Progress, ignore_progress
from rec_core.workbench.at_work import at_work, refuse_second_worker
from rec_core.workbench.data_verbs import load_dataset
from rec_core.workbench.run_verbs import config_of
from rec_core.workbench.trial_journal import Trial, TrialJournal
from rec_core.workbench.trial_search import Search


def new_tuning(
    system: str,
    data: str,
    preset: str = "small",
    overrides: dict[str, Any] | None = None,
    seed: int = 0,
    progress: Progress = ignore_progress,
    *,
    workspace: Workspace | None = None,
) -> RunFolder:
    """Return the folder of a tuning, made when absent; the same question always has the same folder.

    Raises:
        InputError: unknown system, dataset, preset or field; nothing to search; several processes; another
            process is at it.
    """
    space = workspace or Workspace.from_environment()
    space.check_writable()
    if n_processes() > 1:
        raise InputError("A search runs in one process; start `tune` without a launcher.")
    config = config_of(system, preset, overrides, data)
    ranges = _ranges(system, data, config, overrides or {})
    dataset = load_dataset(data, progress, workspace=space)
    searched = {name: [type(limits).__name__, asdict(limits)] for name, limits in ranges.items()}
    key = (system, config.model_dump(mode="json"), dataset.content_hash, seed, searched)
    name = f"{system}-{data}-{preset}-s{seed}-{content_hash(*key, length=6)}"
    folder = RunFolder(space.tuning_path(name))
    facts = {
        "system": system,
        "dataset": data,
        "dataset_hash": dataset.content_hash,
        "preset": preset,
        "overrides": overrides or {},
        "seed": seed,
        "searched": searched,
        "created": time.time(),
    }
    refuse_second_worker(folder, "Tuning")
    if not (folder.path / "tuning.json").exists():
        write_json(folder.path / "env.json", environment_facts())
        write_json(folder.path / "tuning.json", facts)
    return folder


def tune(
    system: str,
    data: str,
    preset: str = "small",
    overrides: dict[str, Any] | None = None,
    n_trials: int = 20,
    seed: int = 0,
    progress: Progress = ignore_progress,
    *,
    workspace: Workspace | None = None,
) -> dict[str, Any]:
    """Search until `n_trials` trials are finished, and return them with the best one.

    Every trial is trained with the same seed and judged on validation. The same call takes up a search that
    was stopped: finished trials count, the one that was at work continues. A trial whose training ends in an
    `InputError`, such as a loss that is no longer finite, has failed, and the search goes on.

    Args:
        system: which system.
        data: a dataset's name.
        preset: the settings that are not searched.
        overrides: fields to replace in the preset; they are not searched either.
        n_trials: finished trials in all, failed ones included; nothing is done when there are as many.
        seed: of the proposals and of every training.
        progress: called at every step; may raise `Cancelled`.
        workspace: where tunings live.

    Returns:
        {"tuning", "system", "dataset", "metric", "trials": [{"number", "values", "value", "state", "seconds",
        "error"}], "best": {"values", "value"}, "command"}: `value` is the validation metric, higher is
        better; `command` trains with the best values.

    Raises:
        InputError: as `new_tuning`, or every trial failed.
        Cancelled: somebody asked it to stop.
    """
    space = workspace or Workspace.from_environment()
    folder = new_tuning(system, data, preset, overrides, seed, progress, workspace=space)
    config, fixed = config_of(system, preset, overrides, data), overrides or {}
    with at_work(folder):
        dataset = load_dataset(data, workspace=space)
        search = Search(system, dataset, config, seed, space, folder, progress)
        journal = TrialJournal(folder.path, _ranges(system, data, config, fixed), seed)
        while len(journal.trials) < n_trials:
            search.say(journal.trials, n_trials)
            search.train(journal)
        trials = journal.trials
        best = _best(trials)
        search.say(trials, len(trials))
    return {
        "tuning": folder.run_id,
        "system": system,
        "dataset": data,
        "metric": _metric(system, config),
        "trials": [_row(trial) for trial in trials],
        "best": {"values": best.values, "value": best.value},
        "command": _command(system, data, preset, fixed | best.values, seed),
    }


def _ranges(system: str, data: str, config: Config, overrides: dict[str, Any]) -> dict[str, Range]:
    """Return what is searched: the ranges that this config declares, but for fields that were set."""
    declared = config.open_ranges()
    if not declared or not hasattr(import_module(card(system).module), "validate"):
        raise InputError(
            f"The system {system!r} declares no range to search; train it as it is: `train {system} --data "
            f"{data}`."
        )
    ranges = {name: limits for name, limits in declared.items() if name not in set(_names(overrides))}
    if not ranges:
        raise InputError(
            f"Every field of {system!r} that has a range is set already; leave out --set for one of "
            f"{', '.join(declared)}."
        )
    return ranges


def _names(values: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the dotted name of every field in (nested) values."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _names(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _best(trials: list[Trial]) -> Trial:
    """Return the trial of the highest value, the first of equals."""
    done = [trial for trial in trials if trial.value is not None]
    if not done:
        raise InputError(
            f"All {len(trials)} trials failed, the last one so: {trials[-1].error.rstrip('.')}; ask for more "
            "--trials or change the settings that are not searched."
        )
    return max(done, key=lambda trial: trial.value or 0.0)


def _metric(system: str, config: Config) -> str:
    """Return the validation metric's name: the one the task watches, else the system's headline."""
    watched: str = getattr(getattr(config, "task", None), "watch", card(system).headline)
    return watched


def _row(trial: Trial) -> dict[str, Any]:
    columns = ("number", "values", "value", "state", "seconds", "error")
    return {name: getattr(trial, name) for name in columns}


def _command(system: str, data: str, preset: str, values: dict[str, Any], seed: int) -> str:
    """Return the command that trains with these values."""
    words = ["python", "-m", "rec_core", "train", system, "--data", data, "--preset", preset]
    for name, value in values.items():
        words += ["--set", f"{name}={_yaml(value)}"]
    return shlex.join([*words, "--seed", str(seed)])


def _yaml(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=math.inf, sort_keys=False)
    return text.removesuffix("...\n").strip()
