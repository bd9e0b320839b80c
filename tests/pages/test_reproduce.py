"""Reproduce: which study runs, with what, and what stands beside the paper."""

from rec_core.store import Workspace
from rec_core.studies import STUDIES
from rec_core.studies.kept_results import keep_result
from tests.pages.seen import button, texts

INTERVAL = {"value": 0.7, "low": 0.68, "high": 0.72, "n": 40, "n_rows": 90, "paper": 0.75}


def rows(label: str = "RALLRec") -> list[dict]:
    return [
        {"label": label, "metric": "auc", **INTERVAL},
        {"label": label, "metric": "log_loss", **INTERVAL, "paper": None},
        {"label": f"{label} - ReLLa", "metric": "auc", **INTERVAL, "paper": None, "p_delong": 0.01},
    ]


def test_a_study_starts_as_a_job_with_what_was_chosen(open_page, dataset, started):
    app = open_page("reproduce")
    assert not app.exception and "Not measured on mine yet." in texts(app)
    app.selectbox(key="preset-rallrec.table1").set_value("tiny")
    app.number_input(key="seeds-rallrec.table1").set_value(3)
    app.text_input(key="backbone-rallrec.table1").set_value("some/model").run()
    button(app, "Run the study").click().run()
    argv = ["study", "rallrec.table1", "--data", "mine", "--json", "--preset", "tiny", "--seeds", "3"]
    (_, name, asked) = started[-1]
    assert (name, asked) == ("study-rallrec.table1-mine", [*argv, "--backbone", "some/model"])


def test_every_study_can_be_chosen(open_page, dataset):
    app = open_page("reproduce")
    for name, card in STUDIES.items():
        app.selectbox(key="reproduce-study").set_value(name).run()
        assert not app.exception and not app.error and card.question in texts(app), name


def test_the_newest_result_stands_beside_the_paper(open_page, dataset, workspace):
    space = Workspace(workspace)
    for preset, label in (("tiny", "old"), ("small", "RALLRec")):
        result = {"study": "rallrec.table1", "data": dataset, "rows": rows(label)}
        keep_result(result, {"preset": preset}, space)
    app = open_page("reproduce")
    assert not app.exception and not app.error
    tables = [frame.value for frame in app.dataframe]
    (difference,) = [table for table in tables if "p_delong" in table and len(table) == 1]
    assert difference["label"].tolist() == ["RALLRec - ReLLa"]
    assert any("paper" in table and table["paper"].tolist() == [0.75] for table in tables)
    app.selectbox(key=f"result-rallrec.table1-{dataset}").set_value(1).run()
    assert any(
        table["label"].tolist() == ["old - ReLLa"]
        for table in (f.value for f in app.dataframe)
        if "label" in table
    )
    app.segmented_control(key="study-metric").set_value("log_loss").run()
    assert not app.exception
