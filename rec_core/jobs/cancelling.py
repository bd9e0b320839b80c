"""Stop detached work: ask with STOP, then TERM the process group, then KILL it, and look that it is gone."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

import psutil

from rec_core.jobs.claims import guard, release, worker_of
from rec_core.jobs.folders import find
from rec_core.jobs.lane import advance, leave
from rec_core.run_folder import RunFolder, true_state
from rec_core.store import Workspace, write_json

STOP_SECONDS, TERM_SECONDS, KILL_SECONDS = 3.0, 0.8, 0.8  # together under 5 seconds


def cancel(workspace: Workspace, name: str, grace: float = STOP_SECONDS) -> str:
    """Stop a run, tuning or job, or take it out of the line; return the state it ended in, within 5 seconds.

    What was checkpointed stays, so that a cancelled run or tuning can be taken up again. Work that ended by
    itself meanwhile keeps its state. Only the process whose pid and start time were recorded is signalled,
    with those of its group; work inside this very process is only asked, and "cancelling" is returned.

    Args:
        workspace: where it is.
        name: of a run, tuning or command job.
        grace: seconds in which it may end by itself at a step boundary before it is told to.

    Raises:
        InputError: there is no run, tuning or job of that name.
        RuntimeError: the process outlives KILL.
    """
    workspace.check_writable()
    folder = find(workspace, name)
    with guard(workspace):
        leave(workspace, name)
        worker = worker_of(folder)
        if worker is None:
            return _settle(folder)
        folder.request_stop()
    if worker.pid == os.getpid():
        return "cancelling"
    _end(worker, grace)
    with guard(workspace):
        state = _settle(folder)
    advance(workspace)
    return state


def _end(worker: psutil.Process, grace: float) -> None:
    members = _group(worker)
    if _wait(members, grace):
        return
    for sent, seconds in ((signal.SIGTERM, TERM_SECONDS), (signal.SIGKILL, KILL_SECONDS)):
        members |= _group(worker)
        for process in members:
            with suppress(psutil.NoSuchProcess):  # start times are compared: a pid's later owner is spared
                process.send_signal(sent)
        if _wait(members, seconds):
            return
    raise RuntimeError(f"Process {worker.pid} is still there after KILL; its disk or driver may hang.")


def _group(worker: psutil.Process) -> set[psutil.Process]:
    """Return the worker and its process group: all of it when it leads it, else only its descendants."""
    try:
        group = os.getpgid(worker.pid)
        others = psutil.process_iter() if group == worker.pid else worker.children(recursive=True)
        return {worker} | {process for process in others if _group_id(process) == group}
    except (ProcessLookupError, psutil.NoSuchProcess):
        return {worker}


def _group_id(process: psutil.Process) -> int | None:
    try:
        return os.getpgid(process.pid)
    except (ProcessLookupError, PermissionError):
        return None


def _wait(processes: set[psutil.Process], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while any(_runs(process) for process in processes):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _settle(folder: RunFolder) -> str:
    """Clear up after a gone worker; "cancelled", unless the work had ended by itself (under the guard)."""
    release(folder)
    folder.clear_stop()
    state = true_state(folder.status)
    if state in ("cancelled", "failed", "done"):
        return state
    write_json(folder.path / "status.json", {**folder.status, "state": "cancelled", "message": "cancelled"})
    return "cancelled"
