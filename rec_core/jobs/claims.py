"""One worker per folder: a lock file with pid and start time, and a guard for the moment of taking it.

A lock whose process is gone, or whose pid now belongs to another process, is stale and counts for nothing.
The guard is an advisory file lock that the system drops when its holder dies (Linux and macOS).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil

from rec_core.run_folder import RunFolder, is_alive
from rec_core.store import Workspace, read_json, write_json
from rec_core.types import InputError

LOCK = "worker.lock"


@contextmanager
def guard(workspace: Workspace) -> Iterator[None]:
    """Let one process at a time decide who works on what in a workspace; hold it briefly, never nest it."""
    import fcntl

    folder = workspace.root / "jobs"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".guard").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def claim(workspace: Workspace, folder: RunFolder) -> Iterator[None]:
    """Be the folder's only worker for the length of the block.

    Raises:
        InputError: the workspace is read-only, or another live process works on it.
    """
    workspace.check_writable()
    with guard(workspace):
        refuse_second(folder)
        take(folder, psutil.Process())
    try:
        yield
    finally:
        with guard(workspace):
            if _recorded(folder).get("pid") == os.getpid():
                release(folder)


def take(folder: RunFolder, process: psutil.Process) -> None:
    """Write the lock of a process (under the guard)."""
    write_json(folder.path / LOCK, {"pid": process.pid, "pid_started": process.create_time()})


def release(folder: RunFolder) -> None:
    """Remove the lock (under the guard)."""
    (folder.path / LOCK).unlink(missing_ok=True)


def refuse_second(folder: RunFolder) -> None:
    """Raise `InputError` when a live process other than this one works on the folder."""
    worker = worker_of(folder)
    if worker is not None and worker.pid != os.getpid():
        raise InputError(
            f"{folder.run_id} is already worked on by process {worker.pid}; wait for it or cancel it with "
            f"`runs cancel {folder.run_id}`."
        )


def worker_of(folder: RunFolder) -> psutil.Process | None:
    """Return the live process that works on a folder, by its lock or its status; None when there is none."""
    status = folder.status
    records = [_recorded(folder)]
    if status.get("state") in ("running", "cancelling"):
        records.append(status)
    for record in records:
        try:
            process = psutil.Process(int(record["pid"]))
        except (KeyError, TypeError, ValueError, psutil.Error):  # a lock of nonsense is nobody's
            continue
        if is_alive(record):  # asked after the handle was made: the handle is this process, not a later one
            return process
    return None


def _recorded(folder: RunFolder) -> dict[str, Any]:
    try:
        record: dict[str, Any] = read_json(folder.path / LOCK)
    except (FileNotFoundError, ValueError):
        return {}
    return record
