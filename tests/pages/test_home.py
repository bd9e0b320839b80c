"""Home: the sample is built once, the runs have their metric, the machine is checked when asked."""

import json

from tests.pages.seen import button, texts


def test_home_starts_the_sample_build_once(open_page, started):
    open_page("home")
    assert started == [("start_command", "sample-build", ["sample", "build", "--json"])]


def test_home_does_not_build_in_a_read_only_workspace(open_page, started, monkeypatch):
    monkeypatch.setenv("ROSETTA_READONLY", "1")
    assert not open_page("home").exception
    assert started == []


def test_home_says_when_the_build_was_lost_and_resumes_it(open_page, workspace, started):
    folder = workspace / "jobs" / "sample-build"
    folder.mkdir(parents=True)
    status = {"state": "running", "pid": 2**22 + 1, "pid_started": 1.0, "heartbeat": 1.0}
    (folder / "status.json").write_text(json.dumps(status))
    (folder / "job.json").write_text(json.dumps({"argv": ["sample", "build"]}))
    app = open_page("home")
    assert "worker is gone" in texts(app)
    assert started == []
    button(app, "Resume").click().run()
    assert started == [("start_command", "sample-build", ["sample", "build", "--json"])]


def test_home_names_the_metric_of_every_run(open_page, run, id_run):
    app = open_page("home")
    listed = next(frame.value for frame in app.dataframe if "metric" in frame.value)
    assert dict(zip(listed["run"], listed["metric"], strict=True)) == {run: "auc", id_run: "ndcg@10"}
    assert dict(zip(listed["run"], listed["value"], strict=True)) == {run: 0.7, id_run: 0.2}


def test_home_checks_the_machine_when_asked(open_page):
    app = open_page("home")
    app.toggle(key="home-doctor").set_value(True).run()
    assert not app.exception
    assert any("mend" in frame.value for frame in app.dataframe)
