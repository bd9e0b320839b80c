"""A workspace of its own, and a script in the place of `python -m rec_core`."""

import os
import signal
import sys

import pytest

from rec_core import jobs
from rec_core.jobs import launching
from rec_core.store import Workspace
from tests.jobs.fake_work import STEPS, new_run, until


@pytest.fixture
def space(tmp_path):
    """Give a workspace, and end whatever the test left at work in it."""
    workspace = Workspace((tmp_path / "space").resolve())
    workspace.root.mkdir()
    yield workspace
    (workspace.root / "jobs" / "queue.json").unlink(missing_ok=True)
    for job in jobs.active(workspace):
        if job.status["pid"] != os.getpid():
            os.killpg(job.status["pid"], signal.SIGKILL)


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Give a function that puts a script in the place of `python -m rec_core`."""

    def use(script):
        (tmp_path / "fake.py").write_text(script)
        monkeypatch.setattr(launching, "PROGRAM", (sys.executable, str(tmp_path / "fake.py")))

    return use


@pytest.fixture
def at_work(space, program, monkeypatch):
    """Give the run of a worker in the middle of many steps, and the worker's pid."""
    program(STEPS)
    monkeypatch.setenv("FAKE_STEPS", "1000")
    run = new_run(space)
    pid = jobs.start(space, "run-1")
    until(lambda: len(run.events()) > 2)
    return run, pid
