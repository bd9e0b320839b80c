"""Rerank: alpha and beta, and the evidence they choose."""

import pandas as pd
import pytest

from pages.shared import cached
from rec_core.types import InputError
from tests.pages.seen import of_run, texts


def test_rerank_moves_with_alpha_and_names_ties(open_page, answers):
    app = open_page("rerank")
    assert "No two scores are tied" in texts(app)
    app.slider(key="alpha").set_value(0.5).run()
    assert "beta changes nothing" in texts(app)
    assert "2 share their score" in texts(app)
    assert any("Would u1 like i3?" in code.value for code in app.code)


OWN = {"reranker.alpha": 0.333, "reranker.beta": 0.25, "reranker.top_k": 7, "reranker.order": "chronological"}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"reranker.alpha": 2 / 3, "reranker.beta": 1.0}, (2 / 3, 1.0)),
        (OWN, tuple(OWN.values())),
        ({"reranker.alpha": 0.5, "reranker.beta": 9.0}, (0.5, 9.0)),
    ],
)
def test_rerank_starts_at_the_settings_of_the_run(
    open_page, answers, make_run, monkeypatch, config, expected
):
    asked, evidence = [], cached.evidence
    monkeypatch.setattr(cached, "evidence", lambda *args: asked.append(args[4:]) or evidence(*args))
    run = make_run("own", 0.6, **config)
    app = of_run(open_page("rerank"), "rerank", run)
    assert not app.exception
    assert asked[-1][: len(expected)] == expected
    assert ("beta changes nothing" in texts(app)) == (expected[0] == 0.5)
    assert "as set now" in texts(app)
    app.slider(key="alpha").set_value(0.67).run()
    assert asked[-1][0] == 2 / 3
    app.slider(key="alpha").set_value(0.9).run()
    assert asked[-1][0] == 0.9
    assert "Recommend reads with these" in texts(app)


def test_rerank_shows_an_input_error(open_page, answers, monkeypatch):
    def refuse(*_):
        raise InputError("There is no such item; choose another.")

    monkeypatch.setattr(cached, "evidence", refuse)
    app = open_page("rerank")
    assert [error.value for error in app.error] == ["There is no such item; choose another."]
    assert not app.exception


def test_rerank_measures_the_auc_of_the_plane_as_a_job_and_draws_it_then(
    open_page, answers, run, started, monkeypatch
):
    monkeypatch.setattr(cached, "auc_surface", lambda root, run: None)
    app = open_page("rerank")
    app.segmented_control(key="rerank-measure").set_value("auc").run()
    assert not app.exception
    app.button(key="measure-auc").click().run()
    assert ("enqueue_command", f"surface-{run}", ["surface", run, "--auc", "--json"]) in started
    grid = pd.DataFrame({"alpha": [0.0, 1.0], "beta": [1.0, 1.0], "auc": [0.6, 0.7]})
    monkeypatch.setattr(cached, "auc_surface", lambda root, run: grid)
    app = open_page("rerank")
    app.segmented_control(key="rerank-measure").set_value("auc").run()
    assert not app.exception and "may be luck" in texts(app)
    assert any("auc" in frame.value for frame in app.dataframe)
