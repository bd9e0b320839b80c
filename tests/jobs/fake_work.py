"""Tiny scripts in the place of `python -m rec_core`, and what tests ask of their processes."""

import time

import psutil

from rec_core.run_folder import RunFolder
from rec_core.store import write_json

# Says nothing about itself: the lock and status are those that the starter wrote. Costs no import.
IDLE = "import time\ntime.sleep(60)\n"

# A real worker's frame around steps of 20 ms: sees STOP at each, and starts the next in line when it ends.
STEPS = """
import os, sys, time
from pathlib import Path
from rec_core.jobs import launching, working
from rec_core.run_folder import RunFolder
from rec_core.store import Workspace
from rec_core.types import ProgressEvent
launching.PROGRAM = (sys.executable, __file__)
space = Workspace.from_environment()
run = RunFolder(space.run_path(sys.argv[2]))
n_steps = int(os.environ.get("FAKE_STEPS", "3"))
with working(space, run), (space.root / "order.txt").open("a", buffering=1) as order:
    order.write(f"start {run.run_id}\\n")
    run.set_status("running")
    print(*sys.argv[1:], flush=True)
    for step in range(n_steps):
        run.report(ProgressEvent("fake", step, n_steps, metrics={"loss": 1.0}))
        time.sleep(0.02)
    run.set_status("done")
    order.write(f"end {run.run_id}\\n")
"""


def new_run(space, name="run-1"):
    folder = space.run_path(name)
    folder.mkdir(parents=True)
    write_json(folder / "status.json", {"state": "queued"})
    return RunFolder(folder)


def until(true, seconds=60.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


def gone(pid):
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
