"""Start detached workers: own process session, output in log.txt, outliving the page that started them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

import psutil

from rec_core.jobs.claims import guard, refuse_second, take
from rec_core.jobs.folders import arguments, find_run, job_path, new_command
from rec_core.run_folder import RunFolder
from rec_core.store import PROJECT_ROOT, Workspace, write_json
from rec_core.types import InputError

PROGRAM: tuple[str, ...] = (sys.executable, "-m", "rec_core")
_OF_A_LAUNCHER = (
    "RANK",
    "LOCAL_RANK",
    "WORLD_SIZE",
    "LOCAL_WORLD_SIZE",
    "MASTER_",
    "TORCHELASTIC_",
    "GROUP_",
)
POLITENESS = 10  # steps of scheduling priority a worker lets others go first: the page stays quick beside it


def start(workspace: Workspace, run_id: str, n_threads: int | None = None) -> int:
    """Start, or continue, a run in a detached worker now, whatever else is running; return the worker's pid.

    Args:
        workspace: where the run is.
        run_id: a run that is not done.
        n_threads: OMP_NUM_THREADS of the worker; None = the cores this process may use.

    Raises:
        InputError: no such run, it is done, or another live process works on it.
    """
    workspace.check_writable()
    folder = find_run(workspace, run_id)
    with guard(workspace):
        refuse_start(folder)
        return spawn(workspace, folder, n_threads)


def start_command(workspace: Workspace, name: str, argv: Sequence[str], n_threads: int | None = None) -> int:
    """Start a command as a detached job now, under jobs/<name>/; return the worker's pid.

    A finished job of the same name is replaced. What the command returns is kept in the job's result.json.

    Args:
        workspace: where the job is kept, and the workspace the command works on.
        name: of the job.
        argv: what follows `python -m rec_core`, for example ["sample", "build"].
        n_threads: OMP_NUM_THREADS of the worker; None = the cores this process may use.

    Raises:
        InputError: a bad name, no command, or the job of that name is still at work.
    """
    workspace.check_writable()
    with guard(workspace):
        refuse_second(RunFolder(job_path(workspace, name)))
        return spawn(workspace, new_command(workspace, name, argv), n_threads)


def refuse_start(folder: RunFolder) -> None:
    """Raise `InputError` when a run is done or has a live worker."""
    refuse_second(folder)
    if folder.status.get("state") == "done":
        raise InputError(f"Run {folder.run_id} is done; train a new one to repeat it.")


def spawn(workspace: Workspace, folder: RunFolder, n_threads: int | None) -> int:
    """Start a folder's worker, write its lock and first status (under the guard, which the worker awaits)."""
    folder.clear_stop()
    with (folder.path / "log.txt").open("ab") as log:
        worker = subprocess.Popen(  # noqa: S603 - a list of our own words, no shell
            [*PROGRAM, *arguments(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=worker_environment(workspace, n_threads),
            start_new_session=True,
        )
    process = psutil.Process(worker.pid)
    process.nice(min(process.nice() + POLITENESS, 19))
    take(folder, process)
    first = {
        "state": "running",
        "pid": worker.pid,
        "pid_started": process.create_time(),
        "heartbeat": time.time(),
    }
    write_json(folder.path / "status.json", {**folder.status, **first, "stage": "starting", "error": ""})
    threading.Thread(target=worker.wait, daemon=True).start()  # takes the exit code: no zombie stays
    return worker.pid


def worker_environment(workspace: Workspace, n_threads: int | None) -> dict[str, str]:
    """Return a worker's environment: this one's, with PYTHONPATH, the workspace and the threads set.

    Idle threads sleep ("passive"): on shared cores waiting in a loop costs everybody's time. A worker is one
    process, also where a launcher (`torchrun`) started this one among several.
    """
    paths = [str(PROJECT_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(_OF_A_LAUNCHER)},
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUNBUFFERED": "1",
        "ROSETTA_WORKSPACE": str(workspace.root),
        "OMP_WAIT_POLICY": "passive",
        "OMP_NUM_THREADS": str(n_threads or usable_cores()),
    }


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(psutil.Process, "cpu_affinity"):
        return len(psutil.Process().cpu_affinity())
    return os.cpu_count() or 1
