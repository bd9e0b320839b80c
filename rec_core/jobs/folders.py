"""Where work lives: a run in `runs/`, a tuning in `tunings/`, a command in `jobs/`, with the same files."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rec_core.run_folder import RunFolder
from rec_core.store import Workspace, check_name, read_json, write_json
from rec_core.types import InputError

COMMAND_FILE = "job.json"


def find(workspace: Workspace, name: str) -> RunFolder:
    """Return the folder of the run, else the tuning, else the command job of that name.

    Raises:
        InputError: there is none of them.
    """
    for path in (workspace.run_path(name), workspace.tuning_path(name), job_path(workspace, name)):
        if path.is_dir():
            return RunFolder(path)
    raise InputError(
        f"There is no run, tuning or job {name!r} in {workspace.root}; `runs list` shows the runs."
    )


def find_run(workspace: Workspace, run_id: str) -> RunFolder:
    """Return the folder of a run.

    Raises:
        InputError: there is no run of that name.
    """
    path = workspace.run_path(run_id)
    if not path.is_dir():
        known = ", ".join(workspace.names("runs")) or "none yet"
        raise InputError(f"There is no run {run_id!r} in {workspace.root}; known runs: {known}.")
    return RunFolder(path)


def job_path(workspace: Workspace, name: str) -> Path:
    """Return the folder of a command job (which may not exist yet)."""
    return workspace.root / "jobs" / check_name(name, "job")


def everything(workspace: Workspace) -> Iterator[RunFolder]:
    """Yield the folder of every run, then of every command job."""
    for kind in ("runs", "jobs"):
        for name in workspace.names(kind):
            yield RunFolder(workspace.root / kind / name)


def is_command(folder: RunFolder) -> bool:
    """Tell whether a folder is a command job's, not a run's."""
    return (folder.path / COMMAND_FILE).exists()


def arguments(folder: RunFolder) -> list[str]:
    """Return what the worker of a folder is called with, after `python -m rec_core`."""
    if not is_command(folder):
        return ["resume", folder.run_id, "--worker"]
    argv: list[str] = read_json(folder.path / COMMAND_FILE)["argv"]
    return ["--job", str(folder.path), *argv]


def new_command(workspace: Workspace, name: str, argv: Sequence[str]) -> RunFolder:
    """Make, or empty, the folder of a command job and return it, queued.

    Raises:
        InputError: the name is a run's or a tuning's, or `argv` is empty.
    """
    for kind, path in (("run", workspace.run_path(name)), ("tuning", workspace.tuning_path(name))):
        if path.exists():
            raise InputError(f"{name!r} is the name of a {kind}; give the job another name.")
    if not argv:
        raise InputError(f"The job {name!r} has no command; name one, for example `sample build`.")
    folder = RunFolder(job_path(workspace, name))
    folder.path.mkdir(parents=True, exist_ok=True)
    for file in folder.path.iterdir():
        if file.is_file():
            file.unlink()
    write_json(folder.path / COMMAND_FILE, {"argv": list(argv), "created": time.time()})
    write_json(folder.path / "status.json", {"state": "queued"})
    return folder
