"""Commands of the shell as jobs."""

import pytest

from rec_core import jobs
from rec_core.run_folder import RunFolder
from rec_core.types import InputError
from tests.jobs.fake_work import IDLE

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


def test_a_command_is_a_job_with_the_same_files(space, program):
    program(COMMAND)
    jobs.start_command(space, "sample-build", ["sample", "build"])
    assert jobs.wait(space, "sample-build", 60) == "done"
    assert [event["message"] for event in jobs.events(space, "sample-build")] == ["sample build"] * 3
    assert {file.name for file in (space.root / "jobs" / "sample-build").iterdir()} >= {
        "status.json",
        "events.jsonl",
        "log.txt",
    }


def test_a_command_that_failed_says_why_and_can_be_repeated(space, program):
    program(COMMAND.replace("for step", "raise ValueError('no such thing')\n    for step"))
    jobs.start_command(space, "audit", ["audit", "all", "r"])
    assert jobs.wait(space, "audit", 60) == "failed"
    assert "ValueError: no such thing" in RunFolder(space.root / "jobs" / "audit").status["error"]
    assert "Traceback" in jobs.log_tail(space, "audit")
    program(IDLE)
    jobs.start_command(space, "audit", ["audit", "all", "r"])
    assert jobs.state(space, "audit") == "running" and jobs.log_tail(space, "audit") == ""
    with pytest.raises(InputError, match="already worked on"):
        jobs.start_command(space, "audit", ["audit", "all", "r"])
