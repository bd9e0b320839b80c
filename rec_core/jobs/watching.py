"""What detached work is doing, read from its folder by anybody: another process, a reopened page, a shell."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal

from rec_core.jobs.claims import worker_of
from rec_core.jobs.folders import everything, find, is_command
from rec_core.run_folder import RunFolder, true_state
from rec_core.store import Workspace

AT_WORK = ("running", "cancelling")
LOG_BYTES = 200_000


@dataclass(frozen=True)
class Job:
    """Something that is being worked on. `status` is its status.json: stage, step, total, heartbeat, pid."""

    name: str
    kind: Literal["run", "command"]
    state: str
    status: dict[str, Any]


def state(workspace: Workspace, name: str) -> str:
    """Return queued, running, cancelling, cancelled, failed, done or lost.

    Raises:
        InputError: there is no run, tuning or job of that name.
    """
    return state_of(find(workspace, name))


def state_of(folder: RunFolder) -> str:
    """Return the state of a folder as it really is, whatever its status file says.

    "lost": it was running and its process is gone. "cancelling": it is running and STOP is there. A worker
    that holds the lock and has not said a word yet counts as running.
    """
    written = true_state(folder.status)
    if written in ("cancelled", "failed", "done") or worker_of(folder) is None:
        return written
    return "cancelling" if folder.stop_requested else "running"


def active(workspace: Workspace) -> list[Job]:
    """Return every run and command job that a live process works on."""
    jobs = []
    for folder in everything(workspace):
        now = state_of(folder)
        if now in AT_WORK:
            jobs.append(Job(folder.run_id, "command" if is_command(folder) else "run", now, folder.status))
    return jobs


def wait(workspace: Workspace, name: str, timeout: float, poll: float = 0.1) -> str:
    """Return the state once nobody is at it and it is not queued, or after `timeout` seconds."""
    folder = find(workspace, name)
    end = time.monotonic() + timeout
    while (now := state_of(folder)) in ("queued", *AT_WORK) and time.monotonic() < end:
        time.sleep(poll)
    return now


def events(workspace: Workspace, name: str, since: int = 0) -> list[dict[str, Any]]:
    """Return the progress events from number `since` on."""
    return find(workspace, name).events(since)


def log_tail(workspace: Workspace, name: str, n_lines: int = 200) -> str:
    """Return the last lines of the log ("" before the worker's first word); it is untrusted text."""
    file = find(workspace, name).path / "log.txt"
    if not file.exists():
        return ""
    with file.open("rb") as log:
        log.seek(max(0, file.stat().st_size - LOG_BYTES))
        text = log.read().decode("utf-8", errors="replace")
    return "\n".join(text.splitlines()[-n_lines:])
