"""A kept result is used again for the same job and for no other."""

import json
from pathlib import Path

import pytest

from benchmarks.runs import Runner, result_of
from rec_core.types import InputError

JOB = {
    "model": "BPR",
    "dataset": "case",
    "mode": "time_epochs",
    "epochs": 2,
    "seed": 1,
    "threads": 1,
    "config": {},
}

DRIVER = """
import json, pathlib, sys
job = json.loads(pathlib.Path(sys.argv[1]).read_text())
if job["epochs"] > 9:
    sys.exit("too many epochs")
(pathlib.Path(job["out"]) / "result.json").write_text(json.dumps({"job": job, "log": len(sys.argv)}))
"""


@pytest.fixture
def runner(tmp_path: Path, monkeypatch):
    """A runner whose peer is a three-line script, counting how often it starts."""
    import sys

    import benchmarks.runs as runs

    driver = tmp_path / "driver.py"
    driver.write_text(DRIVER)
    monkeypatch.setattr(runs, "DRIVER", driver)
    started = []
    real = runs.subprocess.run
    monkeypatch.setattr(runs.subprocess, "run", lambda *a, **k: started.append(a) or real(*a, **k))
    return Runner(tmp_path / "work", Path(sys.executable)), started


def test_a_result_is_kept_and_told_apart_by_round_and_job(runner):
    runs, started = runner
    first = runs.run("recbole", JOB, turn=0)
    assert result_of(first)["job"]["epochs"] == 2
    assert runs.run("recbole", JOB, turn=0) == first and len(started) == 1
    assert runs.run("recbole", JOB, turn=1) != first and len(started) == 2
    runs.run("recbole", {**JOB, "threads": 2}, turn=0)
    assert len(started) == 3 and result_of(first)["job"]["threads"] == 2


def test_fresh_runs_again(runner):
    runs, started = runner
    runs.run("recbole", JOB)
    Runner(runs.work, runs.peer_python, fresh=True).run("recbole", JOB)
    assert len(started) == 2


def test_a_failed_job_names_its_log(runner):
    runs, _ = runner
    with pytest.raises(InputError, match="log.txt") as failed:
        runs.run("recbole", {**JOB, "epochs": 10})
    log = Path(str(failed.value).split("; ")[1].removesuffix(" says why."))
    assert "too many epochs" in log.read_text()
    assert not (log.parent / "result.json").exists()


def test_the_job_is_told_where_data_and_results_lie(runner):
    runs, _ = runner
    job = json.loads((runs.run("recbole", JOB) / "job.json").read_text())
    assert job["data"] == str(runs.exports) and Path(job["out"]).is_dir()
