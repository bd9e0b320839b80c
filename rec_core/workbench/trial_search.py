"""Carry out the trials of one search: train, judge on validation, write down, clear away."""

from __future__ import annotations

import math
import shutil
import time
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from rec_core.config import Config
from rec_core.roster import card
from rec_core.run_folder import RunFolder
from rec_core.store import Workspace, read_json, write_json
from rec_core.types import Dataset, InputError, Progress, ProgressEvent
from rec_core.workbench.trial_journal import Trial, TrialJournal

_CONFIG = "trial.json"  # the config of the trial that is at work


@dataclass(frozen=True)
class Search:
    """What the trials of one tuning share."""

    system: str
    dataset: Dataset
    config: Config
    seed: int
    workspace: Workspace
    folder: RunFolder
    progress: Progress

    def train(self, journal: TrialJournal) -> None:
        """Carry out the next trial and write it down; its training folder is gone by then."""
        values, started = journal.propose(), time.time()
        value, error = None, ""
        place = self.folder.path / "trial"
        try:
            value = self._validate(self.config.with_values(values), place)
        except InputError as problem:
            error = str(problem)
        _remove(place)
        journal.add(values, value, round(time.time() - started, 3), error)

    def _validate(self, config: Config, place: Path) -> float:
        _take_place(place, config.model_dump(mode="json"))
        module = import_module(card(self.system).module)
        value = float(module.validate(self.dataset, config, place, self.workspace, self.seed, self._report))
        if not math.isfinite(value):
            raise InputError(f"The validation metric is {value}.")
        return value

    def say(self, trials: list[Trial], total: int) -> None:
        """Report how many trials are finished and the best value so far."""
        values = [trial.value for trial in trials if trial.value is not None]
        self._report(
            ProgressEvent("trials", len(trials), total, metrics={"best": max(values)} if values else {})
        )

    def _report(self, event: ProgressEvent) -> None:
        self.folder.report(event)
        self.progress(event)


def _take_place(place: Path, config: dict[str, Any]) -> None:
    """Make the training folder of a trial; one that a kill left is continued if of the same config."""
    file = place / _CONFIG
    if not file.exists() or read_json(file) != config:
        _remove(place)
        write_json(file, config)


def _remove(place: Path) -> None:
    (place / _CONFIG).unlink(missing_ok=True)  # first: what a kill leaves of the rest must not be continued
    if place.exists():
        shutil.rmtree(place)
