"""Recommend: of a user or a composed history, with reasons."""

from pages.shared import cached
from tests.pages.seen import button, of_run, texts


def test_recommend_shows_scores_that_are_no_probabilities(open_page, id_answers, id_run):
    app = of_run(open_page("recommend"), "recommend", id_run)
    assert "Score 0.9" in texts(app) and "P(like)" not in texts(app)
    assert "From the history alone." in texts(app)
    assert not app.code
    assert any("part" in frame.value and 4.5 in frame.value["value"].tolist() for frame in app.dataframe)


def test_recommend_rates_a_composed_history_on_the_scale_of_the_dataset(open_page, answers, monkeypatch):
    monkeypatch.setattr(cached, "description", lambda *_: {"max_rating": 10.0})
    app = open_page("recommend")
    app.segmented_control(key="view").set_value("composed").run()
    assert (app.slider(key="compose-rating").min, app.slider(key="compose-rating").max) == (0.0, 10.0)
    button(app, "Add").click().run()
    assert "Film 0, rated 10" in [text.value for text in app.text]


def test_recommend_composes_a_history_and_shows_its_error(open_page, answers):
    app = open_page("recommend")
    app.segmented_control(key="view").set_value("composed").run()
    assert "Add what somebody has seen" in texts(app)
    for _ in range(3):
        button(app, "Add").click().run()
    assert app.error[0].value == "Three are too many; remove one."
    app.button(key="compose-0").click().run()
    assert not app.error
    assert "2. Film 9" in [text.value for text in app.text]
