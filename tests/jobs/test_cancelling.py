"""Work is asked, then told, then killed; nothing of it stays, and no stranger is touched."""

import subprocess
import sys
import threading
import time

import psutil

from rec_core import jobs
from rec_core.jobs import cancelling
from rec_core.jobs.claims import LOCK
from rec_core.store import write_json
from tests.jobs.fake_work import IDLE, gone, new_run, until

# Ignores STOP and TERM, and has a child that does too.
DEAF = """
import os, pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
pathlib.Path(os.environ["ROSETTA_WORKSPACE"], "deaf-%d" % (0 if child else 1)).write_text(str(os.getpid()))
time.sleep(60)
"""


# Ends at STOP by itself, and forgets a child that ignores TERM.
FORGETFUL = """
import os, pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
root = pathlib.Path(os.environ["ROSETTA_WORKSPACE"])
child = os.fork()
if not child:
    time.sleep(60)
(root / "child.part").write_text(str(child))
(root / "child.part").rename(root / "child")
while not (root / "runs" / sys.argv[2] / "STOP").exists():
    time.sleep(0.02)
"""


# The same frame around work that never looks at STOP.
STUBBORN = """
import sys, time
from rec_core.jobs import working
from rec_core.run_folder import RunFolder
from rec_core.store import Workspace
space = Workspace.from_environment()
run = RunFolder(space.run_path(sys.argv[2]))
with working(space, run):
    run.set_status("running", stage="busy")
    time.sleep(60)
"""


def test_work_that_ignores_everything_is_killed_with_its_children(space, program):
    program(DEAF)
    run = new_run(space)
    pid = jobs.start(space, "run-1")
    files = [space.root / f"deaf-{number}" for number in (0, 1)]
    until(lambda: all(file.exists() and file.read_text() for file in files))
    child = int(files[1].read_text())
    began = time.monotonic()
    assert jobs.cancel(space, "run-1", grace=0.2) == "cancelled"
    assert time.monotonic() - began < 0.2 + cancelling.TERM_SECONDS + cancelling.KILL_SECONDS + 0.3
    assert gone(pid) and gone(child)
    assert jobs.state(space, "run-1") == "cancelled"
    assert not run.stop_requested and not (run.path / LOCK).exists()


def test_a_child_that_outlives_its_worker_is_killed(space, program):
    program(FORGETFUL)
    new_run(space)
    pid = jobs.start(space, "run-1")
    until((space.root / "child").exists)
    child = int((space.root / "child").read_text())
    assert jobs.cancel(space, "run-1", grace=0.5) == "cancelled"
    assert gone(pid) and gone(child)


def test_a_cancel_takes_less_than_five_seconds_at_worst():
    assert cancelling.STOP_SECONDS == 3.0
    assert cancelling.STOP_SECONDS + cancelling.TERM_SECONDS + cancelling.KILL_SECONDS < 4.8


def test_a_cooperative_worker_stops_at_a_step_boundary_without_a_signal(space, at_work):
    run, pid = at_work
    seen = []
    watcher = threading.Thread(
        target=lambda: seen.extend(iter(lambda: jobs.state(space, "run-1"), "cancelled"))
    )
    watcher.start()
    assert jobs.cancel(space, "run-1") == "cancelled"
    watcher.join()
    assert gone(pid)
    assert "was asked to stop during fake" in run.status["error"]  # its own last word, not TERM's
    assert set(seen) <= {"running", "cancelling"} and "cancelling" in seen
    assert not run.stop_requested


def test_work_that_ignores_stop_ends_at_term_with_its_own_last_word(space, program):
    program(STUBBORN)
    run = new_run(space)
    jobs.start(space, "run-1")
    until(lambda: run.status.get("stage") == "busy")
    assert jobs.cancel(space, "run-1", grace=0.1) == "cancelled"
    assert "was told to end" in run.status["error"]


def test_a_run_in_this_very_process_is_only_asked(space):
    run = new_run(space)
    run.set_status("running")
    assert jobs.cancel(space, "run-1") == "cancelling"
    assert run.stop_requested and jobs.state(space, "run-1") == "cancelling"


def test_a_recycled_pid_is_never_touched(space):
    stranger = subprocess.Popen([sys.executable, "-c", IDLE], start_new_session=True)
    try:
        run = new_run(space)
        wrong = {"pid": stranger.pid, "pid_started": psutil.Process(stranger.pid).create_time() - 1000}
        write_json(run.path / LOCK, wrong)
        write_json(run.path / "status.json", {"state": "running", **wrong})
        assert jobs.state(space, "run-1") == "lost"
        assert jobs.cancel(space, "run-1", grace=0.1) == "cancelled"
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
