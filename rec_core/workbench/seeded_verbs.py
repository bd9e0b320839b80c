"""The verb behind studies: the run with these settings and this seed, trained only if it is not there yet."""

from __future__ import annotations

from typing import Any

import yaml

from rec_core.config import Config
from rec_core.run_folder import true_state
from rec_core.store import Workspace, read_json
from rec_core.types import InputError, Progress, ignore_progress
from rec_core.workbench.data_verbs import load_dataset
from rec_core.workbench.run_verbs import config_of, new_run, open_run, resume


def ensure_run(
    system: str,
    data: str,
    preset: str = "small",
    overrides: dict[str, Any] | None = None,
    seed: int = 0,
    progress: Progress = ignore_progress,
    *,
    workspace: Workspace | None = None,
) -> dict[str, Any]:
    """Return the result of a run with exactly these settings.

    A finished one is used again, an unfinished one continued; what counts is the config that preset and
    overrides mean today, so a run made under another default is not taken for it.

    Raises:
        InputError: unknown names or fields, or such a run is being worked on by another process.
    """
    space = workspace or Workspace.from_environment()
    facts = {
        "system": system,
        "dataset": data,
        "dataset_hash": load_dataset(data, progress, workspace=space).content_hash,
        "seed": seed,
    }
    found = _existing(space, facts, config_of(system, preset, overrides, data))
    run_id = found or new_run(system, data, preset, overrides, seed, progress, workspace=space)
    return resume(run_id, progress, workspace=space)


def _existing(space: Workspace, facts: dict[str, Any], config: Config) -> str | None:
    for run_id in space.names("runs"):
        file = space.run_path(run_id) / "run.json"
        if not file.exists() or any(read_json(file).get(name) != value for name, value in facts.items()):
            continue
        saved = yaml.safe_load((file.parent / "config.yaml").read_text("utf-8"))
        if not _serves(saved, config.model_dump(mode="json")):
            continue
        if true_state(open_run(space, run_id).status) in ("running", "cancelling"):
            raise InputError(
                f"Run {run_id} of this study is being trained elsewhere; wait for it and ask again."
            )
        return run_id
    return None


def _serves(saved: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Tell whether a run with one config serves who asks for another: the same, or with more arms scored."""
    return saved in (wanted, {**wanted, "compare_arms": True} if "compare_arms" in wanted else wanted)
