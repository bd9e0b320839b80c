"""Detached workers end to end: started once, in their own session, reporting into their folder."""

import json
import os
import signal
import subprocess
import sys
import threading

import psutil
import pytest

from rec_core import jobs
from rec_core.jobs import launching
from rec_core.jobs.claims import LOCK
from rec_core.store import PROJECT_ROOT, Workspace, read_json
from rec_core.types import InputError
from tests.jobs.fake_work import IDLE, STEPS, gone, new_run, until

FACTS = """
import json, os
import rec_core
names = "OMP_NUM_THREADS OMP_WAIT_POLICY HF_HUB_OFFLINE ROSETTA_WORKSPACE".split()
facts = {name: os.environ.get(name) for name in names}
facts |= {"rec_core": rec_core.__file__, "session": os.getsid(0), "pid": os.getpid()}
print(json.dumps(facts), flush=True)
"""


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


def test_a_worker_lets_others_go_first(at_work):
    _, pid = at_work
    assert psutil.Process(pid).nice() == min(psutil.Process().nice() + launching.POLITENESS, 19)


def test_a_worker_reports_into_its_folder_and_ends_done(space, program):
    program(STEPS)
    new_run(space)
    jobs.start(space, "run-1")
    assert jobs.wait(space, "run-1", 60) == "done"
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
    assert jobs.wait(space, "run-1", 60) == "done"


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


def test_another_process_sees_the_same(space, at_work):
    run, pid = at_work
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


def test_a_worker_of_one_of_several_processes_is_one_process(space, monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "TORCHELASTIC_RUN_ID"):
        monkeypatch.setenv(name, "2")
    monkeypatch.setenv("ROSETTA_DATA", "kept")
    environment = launching.worker_environment(space, 1)
    assert not {"RANK", "WORLD_SIZE", "MASTER_ADDR", "TORCHELASTIC_RUN_ID"} & environment.keys()
    assert environment["ROSETTA_DATA"] == "kept"


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
