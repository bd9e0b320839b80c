"""A search at work is watched and cancelled by its name, as a run is."""

import os
import subprocess
import sys

import pytest

from rec_core import jobs
from rec_core.jobs import launching
from rec_core.run_folder import RunFolder
from rec_core.store import write_json
from rec_core.types import InputError
from tests.jobs.fake_work import gone, new_run, until

TRIALS = """
import time
from rec_core.jobs import working
from rec_core.run_folder import RunFolder
from rec_core.store import Workspace
from rec_core.types import ProgressEvent
space = Workspace.from_environment()
folder = RunFolder(space.tuning_path("tuning-1"))
with working(space, folder):
    folder.set_status("running")
    for step in range(1000):
        folder.report(ProgressEvent("trials", step, 1000, metrics={"best": 0.5}))
        time.sleep(0.02)
"""


@pytest.fixture
def tuning(space):
    """Give the folder of a tuning that nobody works on yet."""
    folder = RunFolder(space.tuning_path("tuning-1"))
    folder.path.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("own_session", [True, False])
def test_a_search_at_work_is_watched_and_ends_at_a_step_boundary(space, tuning, own_session):
    worker = subprocess.Popen(
        [sys.executable, "-c", TRIALS],
        env=launching.worker_environment(space, 1),
        stderr=subprocess.DEVNULL,
        start_new_session=own_session,
    )
    try:
        until(lambda: len(tuning.events()) > 2, 30)
        assert jobs.state(space, "tuning-1") == "running"
        assert jobs.events(space, "tuning-1", since=1)[0]["stage"] == "trials"
        assert jobs.wait(space, "tuning-1", 0.05) == "running"
        assert jobs.cancel(space, "tuning-1") == "cancelled"
        assert gone(worker.pid)
        assert "was asked to stop during trials" in tuning.status["error"]
    finally:
        worker.kill()
        worker.wait()


def test_a_search_in_this_very_process_is_only_asked(space, tuning):
    tuning.set_status("running")
    assert jobs.cancel(space, "tuning-1") == "cancelling"
    assert tuning.stop_requested and tuning.status["pid"] == os.getpid()


def test_a_finished_search_stays_done(space, tuning):
    write_json(tuning.path / "status.json", {"state": "done"})
    assert jobs.cancel(space, "tuning-1") == jobs.wait(space, "tuning-1", 1) == "done"


def test_a_run_of_that_name_comes_first_and_no_job_takes_it(space, tuning):
    write_json(tuning.path / "status.json", {"state": "done"})
    new_run(space, "tuning-1").set_status("failed")
    assert jobs.state(space, "tuning-1") == "failed"
    (space.root / "tunings" / "tuning-2").mkdir()
    with pytest.raises(InputError, match="'tuning-2' is the name of a tuning"):
        jobs.start_command(space, "tuning-2", ["doctor"])


def test_a_search_is_not_started_as_a_run_is(space, tuning):
    with pytest.raises(InputError, match="no run"):
        jobs.start(space, "tuning-1")
