"""Detached workers end to end, with tiny scripts in the place of `python -m rec_core`."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from rec_core import jobs
from rec_core.jobs import cancelling, launching
from rec_core.jobs.claims import LOCK
from rec_core.run_folder import RunFolder
from rec_core.store import PROJECT_ROOT, Workspace, read_json, write_json
from rec_core.types import InputError

# Says nothing about itself: the lock and status are those that the starter wrote. Costs no import.
IDLE = "import time\ntime.sleep(60)\n"

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

COMMAND = """
import sys
from pathlib import Path
from rec_core.jobs import working_on_command
from rec_core.types import ProgressEvent
option, path, *argv = sys.argv[1:]
assert option == "--job"
with working_on_command(Path(path)) as folder:
    for step in range(3):
        folder.report(ProgressEvent("fake", step, 3, " ".join(argv), {"loss": 1.0}))
"""

FACTS = """
import json, os
import rec_core
names = "OMP_NUM_THREADS OMP_WAIT_POLICY HF_HUB_OFFLINE ROSETTA_WORKSPACE".split()
facts = {name: os.environ.get(name) for name in names}
facts |= {"rec_core": rec_core.__file__, "session": os.getsid(0), "pid": os.getpid()}
print(json.dumps(facts), flush=True)
"""


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


def new_run(space, name="run-1"):
    folder = space.run_path(name)
    folder.mkdir(parents=True)
    write_json(folder / "status.json", {"state": "queued"})
    return RunFolder(folder)


def until(true, seconds=10.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


def gone(pid):
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_worker_is_its_own_session_with_its_environment_from_any_folder(
    space, program, tmp_path, monkeypatch
):
    program(FACTS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    new_run(space)
    pid = jobs.start(space, "run-1", 7)
    until(lambda: jobs.log_tail(space, "run-1").endswith("}"))
    assert json.loads(jobs.log_tail(space, "run-1")) == {
        "OMP_NUM_THREADS": "7",
        "OMP_WAIT_POLICY": "passive",
        "HF_HUB_OFFLINE": "1",
        "ROSETTA_WORKSPACE": str(space.root),
        "rec_core": str(PROJECT_ROOT / "rec_core" / "__init__.py"),
        "session": pid,
        "pid": pid,
    }


def test_a_worker_reports_into_its_folder_and_ends_done(space, program):
    program(STEPS)
    new_run(space)
    jobs.start(space, "run-1")
    assert jobs.wait(space, "run-1", 10) == "done"
    assert [event["step"] for event in jobs.events(space, "run-1")] == [0, 1, 2]
    assert [event["step"] for event in jobs.events(space, "run-1", since=2)] == [2]
    assert jobs.log_tail(space, "run-1") == "resume run-1 --worker"
    with pytest.raises(InputError, match="done"):
        jobs.start(space, "run-1")
    until(lambda: not (space.run_path("run-1") / LOCK).exists())


def test_a_stop_of_yesterday_does_not_end_todays_worker(space, program):
    program(STEPS)
    new_run(space).request_stop()
    jobs.start(space, "run-1")
    assert jobs.wait(space, "run-1", 10) == "done"


def test_a_killed_worker_is_lost_and_can_be_started_again(space, program):
    program(IDLE)
    new_run(space)
    pid = jobs.start(space, "run-1")
    assert jobs.state(space, "run-1") == "running"
    os.kill(pid, signal.SIGKILL)
    until(lambda: jobs.state(space, "run-1") == "lost", 2)
    assert jobs.active(space) == []
    assert jobs.start(space, "run-1") != pid  # its lock is stale
    assert jobs.state(space, "run-1") == "running"


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


def test_a_cooperative_worker_stops_at_a_step_boundary_without_a_signal(space, program, monkeypatch):
    program(STEPS)
    monkeypatch.setenv("FAKE_STEPS", "1000")
    run = new_run(space)
    pid = jobs.start(space, "run-1")
    until(lambda: len(run.events()) > 2)
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


def test_another_process_sees_the_same(space, program, monkeypatch):
    program(STEPS)
    monkeypatch.setenv("FAKE_STEPS", "1000")
    run = new_run(space)
    pid = jobs.start(space, "run-1")
    until(lambda: len(run.events()) > 2)
    ask = (
        "import json; from rec_core import jobs; from rec_core.store import Workspace;"
        "w = Workspace.from_environment();"
        "print(json.dumps([jobs.state(w, 'run-1'), [[j.name, j.status['pid']] for j in jobs.active(w)],"
        "jobs.events(w, 'run-1')[:3], jobs.cancel(w, 'run-1')]))"
    )
    environment = launching.worker_environment(space, 1)
    first = run.events()[:3]
    told = subprocess.run(
        [sys.executable, "-c", ask], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(told.stdout) == ["running", [["run-1", pid]], first, "cancelled"]
    assert gone(pid) and jobs.state(space, "run-1") == "cancelled"


def test_of_many_starts_at_once_one_wins(space, program):
    program(IDLE)
    new_run(space)
    started, refused = [], []

    def attempt():
        try:
            started.append(jobs.start(space, "run-1"))
        except InputError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=attempt) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(started) == 1 and len(refused) == 5
    assert all(str(started[0]) in sentence for sentence in refused)


def test_a_worker_that_was_started_by_hand_is_refused_too(space, program):
    program(IDLE)
    run = new_run(space)
    jobs.start(space, "run-1")
    with pytest.raises(InputError, match="already worked on"), jobs.working(space, run):
        raise AssertionError("two workers")
    assert jobs.state(space, "run-1") == "running"
    assert (run.path / LOCK).exists()


def test_nobody_works_in_a_read_only_workspace(space):
    run = new_run(space)
    before = {path: path.stat().st_mtime_ns for path in space.root.rglob("*")}
    closed = Workspace(space.root, read_only=True)
    with pytest.raises(InputError, match="read-only"), jobs.working(closed, run):
        raise AssertionError("at work")
    assert {path: path.stat().st_mtime_ns for path in space.root.rglob("*")} == before


@pytest.mark.parametrize("content", ['{"pid": 0, "pid_started": 1.0}', "", '{"pid": "x"}', "[]"])
def test_a_lock_of_nobody_or_of_nonsense_is_taken_over(space, program, content):
    program(IDLE)
    run = new_run(space)
    (run.path / LOCK).write_text(content)
    pid = jobs.start(space, "run-1")
    assert read_json(run.path / LOCK)["pid"] == pid


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


def test_the_line_is_served_in_order_one_at_a_time(space, program):
    program(STEPS)
    names = ["c", "a", "b"]
    for name in names:
        new_run(space, name)
    assert [jobs.enqueue(space, name) for name in names] == [0, 1, 2]
    assert jobs.queue(space) == ["a", "b"] and jobs.state(space, "b") == "queued"
    with pytest.raises(InputError, match="already in line"):
        jobs.enqueue(space, "a")
    assert jobs.advance(space) is None  # somebody is at work
    until(lambda: jobs.state(space, "b") == "done")
    told = (space.root / "order.txt").read_text().split("\n")[:-1]
    assert told == ["start c", "end c", "start a", "end a", "start b", "end b"]


def test_a_poll_moves_the_line_when_the_worker_was_killed(space, program):
    program(IDLE)
    new_run(space, "a"), new_run(space, "b")
    jobs.enqueue(space, "a"), jobs.enqueue(space, "b")
    os.kill(jobs.active(space)[0].status["pid"], signal.SIGKILL)
    until(lambda: jobs.state(space, "a") == "lost", 2)
    assert jobs.state(space, "b") == "queued"
    assert jobs.advance(space) == "b"
    assert [job.name for job in jobs.active(space)] == ["b"] and jobs.queue(space) == []


def test_cancelling_in_line_takes_it_out_and_cancelling_the_first_starts_the_next(space, program):
    program(IDLE)
    for name in ("a", "b", "c"):
        new_run(space, name)
        jobs.enqueue(space, name)
    assert jobs.cancel(space, "b") == "cancelled"
    assert jobs.queue(space) == ["c"] and jobs.state(space, "a") == "running"
    assert jobs.cancel(space, "a", grace=0.1) == "cancelled"
    assert [job.name for job in jobs.active(space)] == ["c"]


def test_a_command_is_a_job_with_the_same_files(space, program):
    program(COMMAND)
    jobs.start_command(space, "sample-build", ["sample", "build"])
    assert jobs.wait(space, "sample-build", 10) == "done"
    assert [event["message"] for event in jobs.events(space, "sample-build")] == ["sample build"] * 3
    assert {file.name for file in (space.root / "jobs" / "sample-build").iterdir()} >= {
        "status.json",
        "events.jsonl",
        "log.txt",
    }


def test_a_command_that_failed_says_why_and_can_be_repeated(space, program):
    program(COMMAND.replace("for step", "raise ValueError('no such thing')\n    for step"))
    jobs.start_command(space, "audit", ["audit", "all", "r"])
    assert jobs.wait(space, "audit", 10) == "failed"
    assert "ValueError: no such thing" in RunFolder(space.root / "jobs" / "audit").status["error"]
    assert "Traceback" in jobs.log_tail(space, "audit")
    program(IDLE)
    jobs.start_command(space, "audit", ["audit", "all", "r"])
    assert jobs.state(space, "audit") == "running" and jobs.log_tail(space, "audit") == ""
    with pytest.raises(InputError, match="already worked on"):
        jobs.start_command(space, "audit", ["audit", "all", "r"])


def test_names_that_are_not_there_or_leave_the_workspace_are_refused(space):
    for verb in (jobs.start, jobs.enqueue, jobs.cancel, jobs.state):
        with pytest.raises(InputError, match="no run"):
            verb(space, "nobody")
        with pytest.raises(InputError, match="cannot be the name"):
            verb(space, "../elsewhere")
    with pytest.raises(InputError, match="cannot be the name"):
        jobs.start_command(space, "../elsewhere", ["doctor"])


def test_a_read_only_workspace_starts_nothing(space, program):
    program(IDLE)
    new_run(space)
    closed = Workspace(space.root, read_only=True)
    for verb in (jobs.start, jobs.enqueue, jobs.cancel):
        with pytest.raises(InputError, match="read-only"):
            verb(closed, "run-1")
    with pytest.raises(InputError, match="read-only"):
        jobs.start_command(closed, "job", ["doctor"])
    assert jobs.advance(closed) is None and jobs.active(closed) == []
