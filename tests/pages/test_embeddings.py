"""Embeddings: maps of every view, one selection in all of them."""

from pages.shared import selection, session
from tests.pages.seen import button, of_run, texts


def test_embeddings_draws_as_many_maps_as_the_run_has_views(open_page, id_answers, id_run, started):
    app = of_run(open_page("embeddings"), "embeddings", id_run)
    assert len(app.get("plotly_chart")) == 1
    assert "residual" not in app.selectbox(key="colour").options
    assert "one view" in texts(app)
    app.selectbox(key="item").set_value("i5").run()
    assert not app.exception
    app.segmented_control(key="map").set_value("pca").run()
    button(app, "Draw the maps").click().run()
    assert [argv[3] for verb, _, argv in started if verb == "enqueue_command"] == ["id"]


def test_embeddings_draws_missing_maps_as_jobs(open_page, answers, started):
    app = open_page("embeddings")
    app.segmented_control(key="map").set_value("pca").run()
    button(app, "Draw the maps").click().run()
    views = [argv[argv.index("--view") + 1] for verb, _, argv in started if verb == "enqueue_command"]
    assert views == ["id", "text", "aligned"]


def test_embeddings_shares_a_selection_between_maps_and_search(open_page, answers):
    app = open_page("embeddings")
    app.selectbox(key="item").set_value("i5").run()
    assert not app.exception
    assert [s.value for s in app.subheader][0] == "Nearest to Film 5"
    charts = app.get("plotly_chart")
    assert len(charts) == 3


def test_embeddings_lifts_out_what_was_drawn_around(open_page, answers):
    app = open_page("embeddings")
    app.session_state["selected_items"] = ["i5", "i7"]
    app.selectbox(key="item").set_value("i7").run()
    assert "2 items are selected in all maps: Film 5, Film 7" in texts(app)
    app.selectbox(key="item").set_value("i8").run()
    assert "items are selected" not in texts(app)


def test_a_selection_in_one_map_is_shared(monkeypatch):

    points = [{"customdata": ["i2"]}, {"customdata": "i3"}, {"customdata": ["i2"]}, {"customdata": ["gone"]}]
    state = {"map-text": {"selection": {"points": points}}, "map-id": {"selection": {"points": points[:1]}}}
    monkeypatch.setattr(session.st, "session_state", state)
    selection.share("text", {"i2", "i3"})
    assert (state[session.SELECTED], state[session.ITEM]) == (["i2", "i3"], "i2")
    selection.share("id", {"i2", "i3"})
    assert session.SELECTED not in state and state[session.ITEM] == "i2"
    selection.share("aligned", {"i2"})
    assert state[session.ITEM] == "i2"
