"""The queue: one lane for heavy work, the next starts when nobody is at work.

The line is kept in jobs/queue.json. A worker that ends calls `advance`; whoever watches calls it too, in
case the worker was killed and could not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rec_core.jobs.claims import guard, refuse_second
from rec_core.jobs.folders import find, find_run, job_path, new_command
from rec_core.jobs.launching import refuse_start, spawn
from rec_core.jobs.watching import active
from rec_core.run_folder import RunFolder
from rec_core.store import Workspace, read_json, write_json
from rec_core.types import InputError


def enqueue(workspace: Workspace, run_id: str, n_threads: int | None = None) -> int:
    """Put a run at the end of the line and return its place: 0 = it started at once, 1 = it is next.

    Raises:
        InputError: no such run, it is done, already in line or being worked on.
    """
    workspace.check_writable()
    folder = find_run(workspace, run_id)
    with guard(workspace):
        refuse_start(folder)
        _append(workspace, folder, n_threads)
    return _move(workspace, run_id)


def enqueue_command(
    workspace: Workspace, name: str, argv: Sequence[str], n_threads: int | None = None
) -> int:
    """Put a command job (see `start_command`) at the end of the line; return its place, as `enqueue` does."""
    workspace.check_writable()
    with guard(workspace):
        refuse_second(RunFolder(job_path(workspace, name)))
        _refuse_twice(workspace, name)
        _append(workspace, new_command(workspace, name, argv), n_threads)
    return _move(workspace, name)


def queue(workspace: Workspace) -> list[str]:
    """Return the names in line, the next first."""
    return [entry["name"] for entry in _line(workspace)]


def advance(workspace: Workspace) -> str | None:
    """Start the next in line when nobody is at work; return its name, None when nothing was started."""
    if workspace.read_only or not _line(workspace):
        return None
    with guard(workspace):
        while (line := _line(workspace)) and not active(workspace):
            entry, *rest = line
            _write(workspace, rest)
            try:
                folder = find(workspace, entry["name"])
            except InputError:
                continue  # somebody removed it while it stood in line
            spawn(workspace, folder, entry["n_threads"])
            return folder.run_id
    return None


def leave(workspace: Workspace, name: str) -> None:
    """Take a name out of the line, if it is there (under the guard)."""
    line = _line(workspace)
    rest = [entry for entry in line if entry["name"] != name]
    if len(rest) < len(line):
        _write(workspace, rest)


def _append(workspace: Workspace, folder: RunFolder, n_threads: int | None) -> None:
    _refuse_twice(workspace, folder.run_id)
    write_json(folder.path / "status.json", {**folder.status, "state": "queued", "error": ""})
    _write(workspace, [*_line(workspace), {"name": folder.run_id, "n_threads": n_threads}])


def _refuse_twice(workspace: Workspace, name: str) -> None:
    if name in queue(workspace):
        raise InputError(f"{name} is already in line; `runs queue` shows the order.")


def _move(workspace: Workspace, name: str) -> int:
    advance(workspace)
    line = queue(workspace)
    return line.index(name) + 1 if name in line else 0


def _line(workspace: Workspace) -> list[dict[str, Any]]:
    file = workspace.root / "jobs" / "queue.json"
    return list(read_json(file)) if file.exists() else []


def _write(workspace: Workspace, line: list[dict[str, Any]]) -> None:
    write_json(workspace.root / "jobs" / "queue.json", line)
