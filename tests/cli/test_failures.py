"""When the work itself fails or is stopped: one sentence and 1, the traceback in the run's log or with --debug."""

import pytest

from rec_core.run_folder import RunFolder
from rec_core.store import read_json, write_json
from rec_core.types import Cancelled, ProgressEvent


@pytest.fixture
def run(space):
    """The folder of a queued run."""
    folder = RunFolder(space / "runs" / "r1")
    write_json(folder.path / "status.json", {"state": "queued"})
    return folder


def raising(error):
    def stub(*_, **__):
        raise error

    return stub


def test_a_failure_is_a_sentence_and_its_traceback_is_in_the_log(cli, verb, run):
    verb("map_verbs", "embed", raising(ValueError("matrix is singular\nmore lines")))
    answer = cli("embed", "r1")
    log = run.path / "log.txt"
    assert answer.code == 1
    assert answer.sentence == f"ValueError: matrix is singular. Where it happened is in {log}."
    assert "Traceback" in log.read_text() and "in stub" in log.read_text()


def test_debug_shows_the_traceback_wherever_it_stands(cli, verb, run):
    verb("map_verbs", "embed", raising(ValueError("matrix is singular")))
    for words in (("--debug", "embed", "r1"), ("embed", "r1", "--debug")):
        answer = cli(*words)
        assert answer.code == 1 and "Traceback" in answer.err and "in stub" in answer.err


def test_without_a_run_the_sentence_points_to_debug(cli, verb):
    verb("data_verbs", "datasets", raising(OSError("disk is gone")))
    answer = cli("data", "list")
    assert (answer.code, answer.sentence) == (
        1,
        "OSError: disk is gone. Repeat with --debug to see where it happened.",
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Cancelled("Run r1 was asked to stop."), "Run r1 was asked to stop."),
        (KeyboardInterrupt(), "Stopped from the keyboard; what was saved stays."),
    ],
)
def test_a_stop_is_a_sentence_without_a_traceback(cli, verb, run, error, said):
    verb("map_verbs", "embed", raising(error))
    answer = cli("embed", "r1")
    assert (answer.code, answer.sentence) == (1, said)


def test_a_worker_draws_nothing_and_has_its_say_in_the_run_folder(cli, verb, run):
    def resume(_run, progress):
        progress(ProgressEvent("tuning", 1, 2))
        return {"run": "r1", "system": "s", "dataset": "d", "seconds": 1.0, "metrics": {}}

    verb("run_verbs", "resume", resume)
    assert "tuning" in cli("resume", "r1").err
    assert cli("resume", "r1", "--worker", "--json").err == ""


def test_a_job_keeps_its_progress_and_its_result_in_its_folder(cli, verb, space):
    folder = RunFolder(space / "jobs" / "map")
    write_json(folder.path / "status.json", {"state": "queued"})

    def build(progress):
        progress(ProgressEvent("films", 1, 2))
        return {"dataset": "sample", "runs": ["r1"]}

    verb("run_verbs", "build_sample", build)
    assert cli("--job", folder.path, "sample", "build").code == 0
    assert [event["stage"] for event in folder.events()] == ["films"]
    assert folder.status["state"] == "done"
    assert read_json(folder.path / "result.json") == {"dataset": "sample", "runs": ["r1"]}


def test_a_job_that_fails_says_so_in_its_folder(cli, verb, space):
    folder = RunFolder(space / "jobs" / "map")
    write_json(folder.path / "status.json", {"state": "queued"})
    verb("run_verbs", "build_sample", raising(ValueError("no films")))
    assert cli("--job", folder.path, "sample", "build").code == 1
    assert folder.status["state"] == "failed" and "no films" in folder.status["error"]


def test_the_process_keeps_idle_threads_and_libraries_quiet(monkeypatch):
    import os
    import runpy

    from rec_core.cli import app

    quiet = {
        "OMP_WAIT_POLICY": "passive", "TOKENIZERS_PARALLELISM": "false",
        "TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }  # fmt: skip
    for name in quiet:
        monkeypatch.setenv(name, "")  # so that what is set below is undone
        monkeypatch.delenv(name)
    monkeypatch.setenv("TRANSFORMERS_VERBOSITY", "info")
    monkeypatch.setattr(app, "main", lambda: None)
    runpy.run_module("rec_core", run_name="__main__")
    assert {name: os.environ[name] for name in quiet} == {**quiet, "TRANSFORMERS_VERBOSITY": "info"}
