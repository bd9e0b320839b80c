"""A run's folder: status, events, stop, and whether anybody still works on it."""

import os
import subprocess
import sys

import psutil
import pytest

from rec_core.run_folder import RunFolder, ending, environment_facts, is_alive, true_state
from rec_core.types import Cancelled, ProgressEvent


@pytest.fixture
def run(tmp_path) -> RunFolder:
    return RunFolder(tmp_path)


def test_status_is_kept_and_extended(run):
    assert run.status == {} and run.metrics == {}
    run.set_status("running", stage="a", step=1)
    run.set_status("done", seconds=2.5)
    status = run.status
    assert (status["state"], status["stage"], status["seconds"]) == ("done", "a", 2.5)
    assert status["pid"] == os.getpid() and is_alive(status)


def test_events_are_appended_and_read_from_where_one_stopped(run):
    assert run.events() == []
    for step in range(4):
        run.report(ProgressEvent("fit", step, 10, f"step {step}", {"loss": 1.0 / (step + 1)}))
    assert [event["step"] for event in run.events()] == [0, 1, 2, 3]
    assert [event["step"] for event in run.events(since=3)] == [3]
    assert run.events()[1]["metrics"] == {"loss": 0.5} and run.events(since=9) == []


@pytest.mark.parametrize("character", ["\u2028", "\x85", "\x1c", "\x0b", "\n", "é", "\U0001f600"])
def test_any_message_comes_back_whole(run, character):
    message = f"a title {character} of two parts"
    run.report(ProgressEvent("fit", 1, 2, message))
    run.report(ProgressEvent("fit", 2, 2))
    assert [event["message"] for event in run.events()] == [message, ""]


@pytest.mark.parametrize("cut", [1, 4, 5, 12])
def test_a_line_being_written_is_left_for_the_next_look(run, cut):
    run.report(ProgressEvent("fit", 1, 2))
    line = '{"message": "é"}\n'.encode()
    with (run.path / "events.jsonl").open("ab") as file:
        file.write(line[: len(line) - cut])
        file.flush()
        assert len(run.events()) == 1
        file.write(line[len(line) - cut :])
    assert run.events(since=1) == [{"message": "é"}]


def test_stop_ends_the_work_at_the_next_report_which_is_kept(run):
    run.report(ProgressEvent("fit", 1, 3))
    run.request_stop()
    with pytest.raises(Cancelled, match="during fit"):
        run.report(ProgressEvent("fit", 2, 3))
    assert len(run.events()) == 1 and run.stop_requested  # a step so close to the one before is not written
    run.clear_stop()
    run.clear_stop()
    run.report(ProgressEvent("fit", 3, 3))
    assert run.status["step"] == 3


def test_close_steps_are_passed_over_but_never_numbers_ends_or_new_stages(run, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("rec_core.run_folder.time.monotonic", lambda: now[0])
    for step in range(1, 11):
        run.report(ProgressEvent("fit", step, 10, metrics={"loss": 1.0} if step == 4 else {}))
        now[0] += 0.03
    run.report(ProgressEvent("score", 1, 9))
    written = [(event["stage"], event["step"]) for event in run.events()]
    assert written == [("fit", 1), ("fit", 4), ("fit", 8), ("fit", 10), ("score", 1)]


def test_only_the_main_process_writes_and_every_one_stops(run, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    run.report(ProgressEvent("fit", 3, 3))
    assert run.events() == [] and run.status == {}
    run.request_stop()
    with pytest.raises(Cancelled):
        run.report(ProgressEvent("fit", 1, 3))


def test_the_heartbeat_is_written_at_most_once_a_second_and_at_the_end(run, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("rec_core.run_folder.time.monotonic", lambda: now[0])
    steps = []
    for step in range(1, 6):
        run.report(ProgressEvent("fit", step, 5))
        steps.append(run.status["step"])
        now[0] += 0.4
    assert steps == [1, 1, 1, 4, 5]


def test_a_run_whose_process_is_gone_is_lost(run):
    run.set_status("running")
    status = run.status
    assert true_state(status) == "running"
    worker = subprocess.Popen([sys.executable, "-c", ""])
    worker.wait()
    assert true_state({**status, "pid": worker.pid}) == "lost"
    assert true_state({**status, "pid_started": psutil.Process().create_time() - 60}) == "lost"
    assert true_state({**status, "state": "done", "pid": worker.pid}) == "done"
    assert true_state({}) == "unknown" and not is_alive({})


def test_the_environment_is_told(run):
    facts = environment_facts()
    assert (
        facts["versions"]["torch"] != "missing" and facts["cores"] >= 1 and facts["python"].startswith("3.")
    )
    assert run.checkpoints.is_dir() and run.run_id == run.path.name


@pytest.mark.parametrize("told", [Cancelled("told to end"), KeyboardInterrupt()])
@pytest.mark.parametrize("by", ["itself", "cause", "context"])
def test_work_that_was_told_to_end_is_cancelled_whatever_a_library_makes_of_it(told, by):
    """TERM in the middle of a lazy import comes out as an error about a missing module."""
    error: BaseException = told
    if by != "itself":
        error = ModuleNotFoundError("Could not import module")
        inner = ImportError("of a part of it")
        inner.__context__ = told
        setattr(error, f"__{by}__", inner)
    assert ending(error) == ("cancelled", f"{type(told).__name__}: {told}")


def test_any_other_error_is_a_failure_with_its_own_words():
    error = RuntimeError("out of memory")
    error.__cause__ = ValueError("too large")
    assert ending(error) == ("failed", "RuntimeError: out of memory")
    error.__cause__ = error  # a ring, as a careless `raise ... from` can make
    assert ending(error)[0] == "failed"
