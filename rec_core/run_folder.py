"""A run's folder: the only truth about it, for the worker that writes and for everybody who watches.

Files: config.yaml, env.json, status.json (atomic, with a heartbeat), events.jsonl, log.txt, metrics.json,
checkpoints/, artefacts of the system, and STOP, whose presence asks the worker to end at the next step
boundary.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import psutil

from rec_core.processes import is_main
from rec_core.store import read_json, write_json
from rec_core.types import Cancelled, ProgressEvent

HEARTBEAT_SECONDS = 1.0
STEP_SECONDS = 0.1  # a step without numbers is written down at most this often


class RunFolder:
    """Read and write one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run_id = path.name
        self._last_write = 0.0
        self._last_step = ("", 0.0)  # stage and time of the last event written

    @property
    def status(self) -> dict[str, Any]:
        """Return status.json ({} before the worker's first word)."""
        file = self.path / "status.json"
        return read_json(file) if file.exists() else {}

    def set_status(self, state: str, **values: Any) -> None:
        """Write the state (queued, running, cancelling, cancelled, failed or done) with pid and heartbeat.

        Of several processes only the main one writes.
        """
        if not is_main():
            return
        process = psutil.Process()
        status = {
            **self.status,
            "state": state,
            "pid": process.pid,
            "pid_started": process.create_time(),
            "heartbeat": time.time(),
            **values,
        }
        write_json(self.path / "status.json", status)
        self._last_write = time.monotonic()

    def report(self, event: ProgressEvent) -> None:
        """Append an event; refresh the heartbeat at most once a second; raise `Cancelled` on STOP.

        Steps may follow each other within a millisecond: one that carries no numbers and ends nothing is not
        written when the last one of its stage is younger than a tenth of a second.
        """
        if is_main() and not self._may_pass_over(event):
            self._append(event)
            if time.monotonic() - self._last_write > HEARTBEAT_SECONDS or event.step >= event.total:
                self.set_status(
                    "running", stage=event.stage, step=event.step, total=event.total, message=event.message
                )
        if self.stop_requested:
            raise Cancelled(f"Run {self.run_id} was asked to stop during {event.stage}.")

    def _may_pass_over(self, event: ProgressEvent) -> bool:
        stage, at = self._last_step
        recent = stage == event.stage and time.monotonic() - at < STEP_SECONDS
        return recent and not event.metrics and event.step < event.total

    def _append(self, event: ProgressEvent) -> None:
        self._last_step = (event.stage, time.monotonic())
        line = {
            "time": time.time(),
            "stage": event.stage,
            "step": event.step,
            "total": event.total,
            "message": event.message,
            "metrics": event.metrics,
        }
        with (self.path / "events.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def events(self, since: int = 0) -> list[dict[str, Any]]:
        """Return the events from line `since` on; an unfinished last line is left for the next call."""
        file = self.path / "events.jsonl"
        if not file.exists():
            return []
        # Bytes: in text there are more line breaks than those JSON lines end at.
        lines = file.read_bytes().split(b"\n")[:-1]
        return [json.loads(line) for line in lines[since:]]

    @property
    def stop_requested(self) -> bool:
        """Tell whether somebody wrote STOP."""
        return (self.path / "STOP").exists()

    def request_stop(self) -> None:
        """Ask the worker to end at its next step boundary."""
        (self.path / "STOP").touch()

    def clear_stop(self) -> None:
        """Withdraw the request (a resume starts clean)."""
        (self.path / "STOP").unlink(missing_ok=True)

    @property
    def checkpoints(self) -> Path:
        """Return the checkpoint folder, made when absent."""
        folder = self.path / "checkpoints"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def metrics(self) -> dict[str, Any]:
        """Return metrics.json ({} before the run ended)."""
        file = self.path / "metrics.json"
        return read_json(file) if file.exists() else {}


def ending(error: BaseException) -> tuple[str, str]:
    """Return the state of work that an error has ended, "cancelled" or "failed", and the sentence on it.

    Work is cancelled also where a library has put an error of its own in the place of `Cancelled`: TERM can
    come in the middle of an import, which then reports that a module is missing.
    """
    links: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in links:
        links.append(link)
        link = link.__cause__ or link.__context__
    told = next((link for link in links if isinstance(link, Cancelled | KeyboardInterrupt)), None)
    state, said = ("failed", error) if told is None else ("cancelled", told)
    return state, f"{type(said).__name__}: {said}"[:500]


def is_alive(status: dict[str, Any]) -> bool:
    """Tell whether the process that wrote a status still runs (pid and start time must both match)."""
    try:
        process = psutil.Process(int(status["pid"]))
        same = abs(process.create_time() - float(status["pid_started"])) < 1.0
        return same and process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except (KeyError, TypeError, psutil.Error):
        return False


def true_state(status: dict[str, Any]) -> str:
    """Return the state as it really is: a "running" run whose process is gone is "lost"."""
    state = status.get("state", "unknown")
    if state in ("running", "cancelling") and not is_alive(status):
        return "lost"
    return state


def environment_facts() -> dict[str, Any]:
    """Return what a reader needs to repeat a run: versions, cores, threads."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    versions = {}
    for package in ("torch", "transformers", "peft", "numpy", "pandas", "faiss-cpu", "streamlit"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "missing"
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "versions": versions,
    }
