"""The runs behind a study of reading systems: trained where they are missing, one per seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from rec_core.config import Config
from rec_core.store import Workspace
from rec_core.studies.readings import Reading
from rec_core.types import InputError, Progress, ignore_progress
from rec_core.workbench.arm_verbs import score_arms_of
from rec_core.workbench.run_verbs import config_of
from rec_core.workbench.seeded_verbs import ensure_run

RECENT = {"tuning.augmentation": "recent"}
"""What makes a run of RALLRec one without retrieval in tuning; its arm "recent" reads without it, too."""
_READERS = ("rallrec", "rella", "hybrid_score", "zero_shot")
_BASELINE_PRESET = "paper"  # chosen on validation; the smaller ones are for a first look
_FEW_BATCH = 256  # with the preset's 2,048 a thousand samples would be one step per epoch


@dataclass(frozen=True)
class ReadingRuns:
    """Trains and reads the runs of one dataset, preset and language model.

    Attributes:
        data: dataset's name.
        preset: of every system.
        backbone: a language model's name or folder; "" leaves the preset's.
        seeds: every run is trained with each.
        overrides: fields of the reading systems, for every run of a system that has them.
        progress: called while runs are trained and prompts scored.
        workspace: where datasets and runs live.
    """

    data: str
    preset: str
    backbone: str
    seeds: tuple[int, ...]
    progress: Progress
    workspace: Workspace
    overrides: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check that every override is a field of some system.

        Raises:
            InputError: one is of none.
        """
        fitting = {name for system in _READERS for name in self._fitting(system)}
        unknown = next((name for name in self.overrides if name not in fitting), None)
        if unknown is not None:
            raise InputError(
                f"No reading system has a field {unknown!r}; check the spelling (`rec_core train --help` "
                "lists the fields of each)."
            )

    def settings(self, system: str, more: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields that the config of a system's run has replaced."""
        model = {"backbone.name": self.backbone} if self.backbone else {}
        return {"compare_arms": False, **model, **self._fitting(system), **more}

    def _fitting(self, system: str) -> dict[str, Any]:
        """Return the overrides that a system has a field for: an untuned one has none for tuning."""
        config = config_of(system, self.preset, None, self.data)
        return {name: value for name, value in self.overrides.items() if _has(config, name)}

    def n_shots(self) -> int:
        """Return the samples that RALLRec is tuned on here."""
        config: Any = config_of("rallrec", self.preset, self.settings("rallrec", {}), self.data)
        return int(config.tuning.n_shots)

    def run_ids(self, system: str, more: Mapping[str, Any] | None = None) -> list[str]:
        """Return the runs of a system, one per seed."""
        changes = self.settings(system, more or {})
        return [self._ensure(system, self.preset, changes, seed)["run"] for seed in self.seeds]

    def reading(self, label: str, system: str, arm: str, more: Mapping[str, Any] | None = None) -> Reading:
        """Return what one arm of a reading system answers.

        Args:
            label: what the study calls it.
            system: of the roster.
            arm: one that the system knows, or "k=15".
            more: fields replaced for this reading alone.
        """
        runs = self.run_ids(system, more)
        tables = [score_arms_of(run, [arm], self.progress, workspace=self.workspace) for run in runs]
        return Reading.of(label, tables, arm)

    def baseline(self, label: str, model: str, n_shots: int, like: Reading) -> Reading:
        """Return what an ID-based net answers on another reading's rows, trained on `n_shots`, 0 for all."""
        changes: dict[str, Any] = {"model": model, "n_shots": n_shots}
        if n_shots:
            changes["batch_size"] = _FEW_BATCH
        tables = []
        for seed in self.seeds:
            run = self._ensure("ctr_baselines", _BASELINE_PRESET, changes, seed)["run"]
            table = pd.read_parquet(self.workspace.run_path(run) / "predictions.parquet")
            tables.append(table.set_index("row").loc[like.tables[0]["row"]].reset_index())
        return Reading.of(label, tables, model)

    def _ensure(self, system: str, preset: str, changes: dict[str, Any], seed: int) -> dict[str, Any]:
        return ensure_run(system, self.data, preset, changes, seed, self.progress, workspace=self.workspace)


def _has(config: Config, name: str) -> bool:
    try:
        config.value(name)
    except AttributeError:
        return False
    return True


def reading_study(
    name: str, rows_of: Callable[[ReadingRuns], list[dict[str, Any]]]
) -> Callable[..., dict[str, Any]]:
    """Return the `run` function of a study of reading systems.

    Args:
        name: the study's.
        rows_of: trains what is missing and returns the study's rows.
    """

    def run(
        data: str,
        preset: str = "small",
        backbone: str = "",
        seeds: int = 1,
        settings: dict[str, Any] | None = None,
        progress: Progress = ignore_progress,
        *,
        workspace: Workspace | None = None,
    ) -> dict[str, Any]:
        """Return {"study", "data", "rows": [{label, metric, value, low, high, n, n_rows, paper}]}.

        Args:
            data: a dataset with ratings.
            preset: of the reading systems.
            backbone: a language model's name or folder; "" leaves the preset's.
            seeds: every run is trained with seeds 0, 1, ...; figures are means over them.
            settings: fields to replace in every reading system that has them.
            progress: called while runs are trained and prompts scored; what is there is not repeated.
            workspace: where datasets and runs live.
        """
        space = workspace or Workspace.from_environment()
        runs = ReadingRuns(data, preset, backbone, tuple(range(seeds)), progress, space, settings or {})
        return {"study": name, "data": data, "rows": rows_of(runs)}

    return run
