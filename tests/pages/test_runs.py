"""Runs: what each is called and measured, and how two of them compare."""

import json

from pages.shared import cached
from tests.pages.seen import button, of_run, texts


def test_runs_keeps_title_and_notes(open_page, run, workspace):
    app = open_page("runs")
    app.text_input(key=f"title-{run}").set_value("First").run()
    button(app, "Keep title and notes").click().run()
    assert json.loads((workspace / "runs" / run / "run.json").read_text())["title"] == "First"


def test_runs_names_the_settings_that_differ(open_page, run, monkeypatch, make_run):
    row = {"metric": "auc", "a": 0.7, "b": 0.6, "difference": 0.1, "low": -0.1, "high": 0.3, "n": 9}
    rows = [{**row, "p": p, "p_corrected": 3 * p} for p in (0.3, 0.02, 0.01)]
    monkeypatch.setattr(cached, "compared", lambda *_: {"n_rows": 9, "rows": rows})
    make_run("other", 0.6, **{"reranker.top_k": 3})
    app = open_page("runs")
    assert not app.exception
    tables = [frame.value for frame in app.dataframe]
    differing = next(table for table in tables if "setting" in table)
    assert differing["setting"].tolist() == ["reranker.top_k"]
    readings = [text for table in tables if "reading" in table for text in table["reading"]]
    assert ["may be luck" in text for text in readings] == [True, True, False]  # by the corrected p
    assert "the same 9 test rows" in texts(app)


def test_runs_shows_why_a_comparison_is_refused(open_page, run, make_run):
    make_run("other", 0.6)
    app = open_page("runs")
    assert not app.exception
    assert "nothing can be paired" in app.error[0].value


def test_runs_shows_every_metric_of_a_run_without_arms(open_page, id_run):
    app = open_page("runs")
    assert not app.exception and not app.error
    metrics = next(frame.value for frame in app.dataframe if "metric" in frame.value and "low" in frame.value)
    assert metrics["metric"].tolist() == ["recall@5", "recall@10", "ndcg@5", "ndcg@10"]
    assert "leave_one_out split" in texts(app) and "Validation ndcg@10 0.3000." in texts(app)
    assert any(
        "coverage" in frame.value.get("measure", []).tolist()
        for frame in app.dataframe
        if "measure" in frame.value
    )
    app.segmented_control(key="runs-family").set_value("recall").run()
    assert not app.exception


def test_runs_shows_the_users_served_best_and_worst(open_page, id_run, monkeypatch):
    asked = []
    record = {
        "user": "u7",
        "value": 0.5,
        "n_history": 3,
        "history": ["A"],
        "wanted": ["B"],
        "recommended": ["B"],
    }
    found = {"best": [record | {"hits": ["B"]}], "worst": [record | {"hits": [], "user": "u8"}]}
    monkeypatch.setattr(
        cached, "best_and_worst", lambda root, run, metric, _: asked.append((run, metric)) or found
    )
    app = open_page("runs")
    assert asked == []
    app.toggle(key="runs-users").set_value(True).run()
    assert not app.exception
    assert asked[-1] == (id_run, "ndcg@10")
    shown = [user for frame in app.dataframe if "hits" in frame.value for user in frame.value["user"]]
    assert shown == ["u7", "u8"]
    app.selectbox(key="runs-users-metric").set_value("recall@5").run()
    assert asked[-1] == (id_run, "recall@5")


def test_runs_compares_the_chosen_run_with_one_of_its_kind(open_page, run, id_run, make_run, monkeypatch):
    asked = []
    row = {"metric": "ndcg@10", "a": 0.2, "b": 0.3, "difference": -0.1, "low": -0.2, "high": -0.05, "n": 9}
    found = {"protocol": "leave_one_out split", "rows": [{**row, "p": 0.001, "p_corrected": 0.002}]}
    monkeypatch.setattr(cached, "compared", lambda root, a, b, ended: asked.append({a, b}) or found)
    other = make_run("ease-mine-tiny-s0-abcdef", 0.3, system="ease")
    make_run("newest", 0.6)
    app = of_run(open_page("runs"), "runs", id_run)
    assert not app.exception
    assert asked[0] == {"newest", run} and asked[-1] == {id_run, other}
    assert "Both: leave_one_out split." in texts(app)


def test_runs_says_how_the_language_model_was_loaded(open_page, run, workspace):
    file = workspace / "runs" / run / "metrics.json"
    file.write_text(
        json.dumps(json.loads(file.read_text()) | {"precision": "float32: this machine has no GPU."})
    )
    assert "Language model: float32: this machine has no GPU." in texts(open_page("runs"))
