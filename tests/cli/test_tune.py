"""`tune` from the command line: what it passes on and what it prints."""

import sys

import pytest

from rec_core.run_folder import RunFolder
from rec_core.types import ProgressEvent

RESULT = {
    "tuning": "graph_cf-d-small-s0-abc", "system": "graph_cf", "dataset": "d", "metric": "ndcg@10",
    "trials": [
        {"number": 0, "values": {"n_layers": 2}, "value": 0.25, "state": "done", "seconds": 1.5, "error": ""},
        {"number": 1, "values": {"n_layers": 4}, "value": None, "state": "failed", "seconds": 0.5, "error": "Too deep."},
    ],
    "best": {"values": {"n_layers": 2}, "value": 0.25},
    "command": "python -m rec_core train graph_cf --data d --preset small " + "--set n_layers=2 " * 20,
}  # fmt: skip


@pytest.fixture
def tuned(verb, space):
    """Stub the verbs: a search of one step."""

    def new_tuning(*_, progress):
        folder = RunFolder(space / "tunings" / RESULT["tuning"])
        folder.path.mkdir(parents=True)
        return folder

    def tune(*_, progress):
        progress(ProgressEvent("trials", 2, 2, metrics={"best": 0.25}))
        sys.stdout.write("a library talks\n")
        return RESULT

    return verb("tune_verbs", "new_tuning", new_tuning), verb("tune_verbs", "tune", tune)


def test_everything_is_passed_on_and_only_the_result_printed(cli, tuned):
    words = ("tune", "graph_cf", "--data", "d", "--trials", "7", "--preset", "tiny", "--seed", "3")
    answer = cli(*words, "--set", "contrast.eps=0.5", "--set", "encoder=simgcl", "--json")
    overrides = {"contrast.eps": 0.5, "encoder": "simgcl"}
    assert tuned[0] == [(("graph_cf", "d", "tiny", overrides, 3), {})]
    assert tuned[1] == [(("graph_cf", "d", "tiny", overrides, 7, 3), {})]
    assert (answer.code, answer.document) == (0, RESULT)
    for part in (f"Tuning {RESULT['tuning']}", "trials 2/2 best=0.25", "a library talks"):
        assert part in answer.err


def test_the_table_has_a_row_per_trial_and_the_command_in_one_line(cli, tuned):
    answer = cli("tune", "graph_cf", "--data", "d")
    assert tuned[1] == [(("graph_cf", "d", "small", None, 20, 0), {})]
    lines = answer.out.splitlines()
    assert RESULT["command"] in lines and any("0.2500" in line for line in lines)
    (heading,) = [line for line in lines if "validation ndcg@10" in line and "trial" in line]
    assert "n layers" in heading
    (failed,) = [line for line in lines if "Too deep." in line]
    assert failed.split()[:3] == ["1", "4", "-"]


def test_somebody_at_work_is_not_disturbed(cli, tuned, space, monkeypatch):
    monkeypatch.setattr("rec_core.jobs.claims.worker_of", lambda folder: type("Other", (), {"pid": 1}))
    refused = cli("tune", "graph_cf", "--data", "d")
    assert refused.code == 2 and "process 1" in refused.err and tuned[1] == []


def test_a_search_is_watched_and_cancelled_by_its_name(cli, space):
    folder = RunFolder(space / "tunings" / RESULT["tuning"])
    folder.path.mkdir(parents=True)
    folder.report(ProgressEvent("trials", 2, 2, metrics={"best": 0.25}))
    folder.set_status("done")
    told = {"run": RESULT["tuning"], "state": "done"}
    watched = cli("runs", "watch", RESULT["tuning"], "--json")
    assert watched.document == told and "trials 2/2 best=0.25" in watched.err
    folder.set_status("queued")
    assert cli("runs", "cancel", RESULT["tuning"], "--json").document == {**told, "state": "cancelled"}
    assert folder.status["state"] == "cancelled"
