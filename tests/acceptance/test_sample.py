"""The sample as a newcomer gets it: built by one command, and the same list by every road."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from nbclient import NotebookClient
from nbformat import read
from streamlit.testing.v1 import AppTest

from tests.acceptance.commands import ROOT, Sample, command, environment
from tests.pages.warm import keep_navigation

pytestmark = pytest.mark.slow


def test_tuned_model_beats_the_untuned_one(sample: Sample) -> None:
    """The interval of the paired AUC difference excludes zero."""
    shown = command(sample.workspace, "runs", "show", sample.run)
    difference = shown["metrics"]["differences"]["rallrec - zero_shot"]["auc"]
    assert difference["low"] > 0, difference
    assert shown["metrics"]["adapter_delta"] > 0


def test_recommends_ten_unseen_films_with_evidence(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten items, none of them in the history, sorted by score, each with evidence from the history."""
    from rec_core import workbench

    monkeypatch.setenv("ROSETTA_WORKSPACE", str(sample.workspace))
    viewer = workbench.users(sample.run)[0]
    items = command(sample.workspace, "recommend", sample.run, "--user", viewer)["items"]
    history = set(workbench.user_history(sample.run, viewer)["item_id"])
    assert [item["rank"] for item in items] == list(range(1, 11))
    assert not {item["item_id"] for item in items} & history
    scores = [item["score"] for item in items]
    assert scores == sorted(scores, reverse=True)
    for item in items:
        assert item["evidence"]
        assert {e["item_id"] for e in item["evidence"]} <= history
        assert all(set(e["similarities"]) == {"id", "text", "aligned"} for e in item["evidence"])


def execute(notebook: Any, sample: Sample) -> None:
    """Run a notebook from top to bottom on the sample's workspace."""
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(ROOT / "notebooks")}},
    )
    client.execute(env=environment(sample.workspace))


def test_the_notebook_runs_and_gives_the_same_list(sample: Sample) -> None:
    """The notebook, executed top to bottom, recommends what the command line recommends."""
    notebook = read(ROOT / "notebooks" / "01_first_walk.ipynb", as_version=4)
    notebook.cells[-1].source += "\n"
    notebook.cells.append(
        type(notebook.cells[-1])(
            cell_type="code",
            id="the-list",
            metadata={},
            outputs=[],
            execution_count=None,
            source="import json; print(json.dumps([viewer, [r['item_id'] for r in recommended['items']]]))",
        )
    )
    execute(notebook, sample)
    viewer, listed = json.loads(notebook.cells[-1].outputs[-1]["text"])
    items = command(sample.workspace, "recommend", sample.run, "--user", viewer)["items"]
    assert listed == [item["item_id"] for item in items]


def test_the_notebook_of_rallrec_shows_the_table_that_the_study_keeps(sample: Sample) -> None:
    """Executed as it is, it takes the sample's own run and prints the study's figures."""
    notebook = read(ROOT / "notebooks" / "rallrec.ipynb", as_version=4)
    execute(notebook, sample)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    shown = " ".join(str(output.get("data", output.get("text", ""))) for output in outputs)
    assert sample.run in shown and "application/vnd.plotly" in shown
    rows = command(sample.workspace, "study", "rallrec.table4", "--data", "sample", "--preset", "tiny")[
        "rows"
    ]
    for row in rows:
        if row["metric"] == "auc":
            assert row["label"] in shown and f"{row['value']:.4f}".rstrip("0") in shown


def test_the_page_shows_the_same_list(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recommend page's cards, for the viewer it opens with, are what the command line recommends."""
    keep_navigation(monkeypatch)
    monkeypatch.setenv("ROSETTA_WORKSPACE", str(sample.workspace))
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    page = app.switch_page("pages/recommend.py").run()
    assert not page.exception
    viewer = page.selectbox(key="user").value
    items = command(sample.workspace, "recommend", sample.run, "--user", viewer)["items"]
    cards = [text.value for text in page.text if re.match(r"\d+\. ", text.value)]
    assert cards == [f"{item['rank']}. {item['title']}" for item in items]


def test_alpha_at_its_ends_gives_one_channel(sample: Sample) -> None:
    """alpha = 1 is the semantic order, alpha = 0 the recency order, for several beta; at 1/2 beta is idle."""
    from rec_core.store import Workspace
    from rec_core.workbench import rerank

    viewer, target = _question(sample)
    given = ("--alpha", "0.7", "--beta", "2", "--top-k", "10")
    words = ("rerank", sample.run, "--user", viewer, "--item", target, *given)

    def asked(alpha: float, beta: float) -> dict:
        return rerank(sample.run, viewer, target, alpha, beta, 10, workspace=Workspace(sample.workspace))

    assert command(sample.workspace, *words)["evidence"] == asked(0.7, 2.0)["evidence"]

    for beta in (0.5, 2.0):
        pure = asked(1.0, beta)
        assert [e["item_id"] for e in pure["evidence"]] == [s["item_id"] for s in pure["semantic"]]
        recent = asked(0.0, beta)
        assert [e["item_id"] for e in recent["evidence"]] == [r["item_id"] for r in recent["recency"]]
    halves = [asked(0.5, beta) for beta in (0.5, 2.0)]
    assert [e["item_id"] for e in halves[0]["evidence"]] == [e["item_id"] for e in halves[1]["evidence"]]
    assert "beta changes nothing" in halves[0]["note"]


def test_audits_keep_their_rows(sample: Sample) -> None:
    """Both probes give rows with intervals, n and a verdict, and leave a folder behind."""
    for probe in ("position", "popularity"):
        audit = command(sample.workspace, "audit", probe, sample.run, "--users", "40")
        judged = [row for row in audit["rows"] if row["verdict"]]
        assert judged
        assert all(row["low"] <= row["value"] <= row["high"] and row["n"] > 0 for row in judged)
        assert (Path(audit["report"]) / "rows.parquet").exists()


def _question(sample: Sample) -> tuple[str, str]:
    truth = command(sample.workspace, "runs", "show", sample.run)
    assert truth["dataset"] == "sample"
    import pandas as pd

    viewer = str(
        pd.read_parquet(sample.workspace / "datasets" / "sample" / "users.parquet")["user_id"].iloc[0]
    )
    items = command(sample.workspace, "recommend", sample.run, "--user", viewer)["items"]
    return viewer, items[0]["item_id"]
