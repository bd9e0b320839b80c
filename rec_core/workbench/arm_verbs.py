"""The verb behind studies of reading systems: score the test questions in further ways, once each."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from rec_core.store import Workspace, read_json
from rec_core.types import InputError, Progress, ignore_progress
from rec_core.workbench.run_verbs import load_run, open_run


def score_arms_of(
    run_id: str,
    names: Sequence[str],
    progress: Progress = ignore_progress,
    *,
    workspace: Workspace | None = None,
) -> pd.DataFrame:
    """Return what `reader_training.score_arms` says of a finished run's test rows under these arms.

    What was scored before is read from the run's folder.

    Args:
        run_id: a finished run of a reading system.
        names: arms that the system knows ("recent", "untuned", ...), or "k=15": itself with 15 items shown.
        progress: called while prompts are scored.
        workspace: where runs live.

    Raises:
        InputError: the run is not finished, or its system has no such arm.
    """
    from rec_core.systems.like_questions import Parts
    from rec_core.systems.reader import Arm, Reader
    from rec_core.systems.reader_training import questions_of_test, score_arms

    space = workspace or Workspace.from_environment()
    system = load_run(run_id, workspace=space)
    if not isinstance(system, Reader):
        raise InputError(
            f"Run {run_id} is of a system that reads no prompts; choose a run of a reading system."
        )
    known = system.arms() | system.more_arms()

    def arm(name: str) -> Arm:
        if name.startswith("k=") and name[2:].isdigit() and int(name[2:]) > 0:
            return system.at_k(int(name[2:]))
        if name not in known:
            raise InputError(f"Run {run_id} has no arm {name!r}; choose of {', '.join(known)} or write k=15.")
        return known[name]

    seed = read_json(open_run(space, run_id).path / "run.json")["seed"]
    samples = questions_of_test(Parts.of(system.dataset, system.config.min_history), system.config)
    return score_arms(system, samples, {name: arm(name) for name in names}, seed, progress)
