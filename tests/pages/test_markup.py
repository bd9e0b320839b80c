"""Titles, errors and notes are shown as words: nothing in them becomes a link or a picture."""

import json

from pages.shared import cached, session
from pages.shared.plain import plain, unlinked
from rec_core.types import InputError
from tests.pages.seen import texts

PICTURE = "![x](http://a/b)"


def live(app) -> list[str]:
    """Return the Markdown of a page in which the picture of a file would still be one."""
    places = [app.markdown, app.caption, app.info, app.error, app.subheader, app.warning, app.toast]
    return [element.value for place in places for element in place if PICTURE in element.value]


def test_titles_cannot_form_links_or_pictures():
    assert plain("![x](http://a/b)") == r"\!\[x\]\(http\://a/b\)"
    assert unlinked("no <b>tag</b>, no [link](x)") == r"no \<b>tag\</b>, no \[link](x)"
    assert unlinked(r"nor \[link](x)") == r"nor \\\[link](x)"


def test_embeddings_shows_a_picture_in_a_title_as_words(open_page, answers, monkeypatch):
    monkeypatch.setattr(cached, "titles", lambda *_: {"i5": PICTURE, "i7": "Film 7"})
    app = open_page("embeddings")
    app.session_state["selected_items"] = ["i5", "i7"]
    app.selectbox(key="item").set_value("i5").run()
    assert plain(PICTURE) in app.subheader[0].value
    assert plain(PICTURE) in texts(app)
    assert not live(app)


def test_recommend_shows_a_picture_in_a_title_as_words(open_page, answers, monkeypatch):
    piece = {"title": PICTURE, "channel": "semantic", "score": 0.6, "similarities": {}, "item_id": "i0"}
    item = {"rank": 1, "item_id": "i8", "title": PICTURE, "score": 0.9, "evidence": [piece]}
    monkeypatch.setattr(cached, "recommendations", lambda *_: {"items": [item], "scale": "probability"})
    app = open_page("recommend")
    assert f"1. {PICTURE}" in [text.value for text in app.text]
    assert plain(PICTURE) in texts(app)
    assert not live(app)


def test_data_shows_markup_of_source_notes_and_leaks_as_words(open_page, dataset, monkeypatch):
    root, stamp = session.root(), cached.stamp(session.workspace(), dataset)
    facts = cached.description(root, dataset, stamp) | {
        "source": PICTURE,
        "licence": PICTURE,
        "notes": [PICTURE],
    }
    parts = cached.split(root, dataset, stamp, "global_time", 5)
    leaks = [{"check": "check", "ok": False, "detail": PICTURE}]
    monkeypatch.setattr(cached, "description", lambda *_: facts)
    monkeypatch.setattr(cached, "split", lambda *_: parts | {"leaks": leaks})
    app = open_page("data")
    assert texts(app).count(unlinked(PICTURE)) == 3
    assert not live(app)
    app.segmented_control(key="data-part").set_value("Split").run()
    assert unlinked(PICTURE) in texts(app)
    assert not live(app)


def test_errors_of_jobs_titles_and_toasts_form_no_markup(open_page, make_run, dataset, workspace):
    folder = workspace / "runs" / make_run("broken", 0.5, state="failed")
    for file, key in (("status.json", "error"), ("run.json", "title")):
        (folder / file).write_text(json.dumps(json.loads((folder / file).read_text()) | {key: PICTURE}))
    app = open_page("train")
    assert unlinked(PICTURE) in [error.value for error in app.error]
    assert any(plain(PICTURE) in caption.value for caption in app.sidebar.caption)
    app.session_state[session.TOLD] = PICTURE
    app.run()
    assert [toast.value for toast in app.toast] == [unlinked(PICTURE)]
    assert not live(app)


def test_an_input_error_that_quotes_a_file_forms_no_markup(open_page, answers, monkeypatch):
    def refuse(*_):
        raise InputError(PICTURE)

    monkeypatch.setattr(cached, "evidence", refuse)
    app = open_page("rerank")
    assert [error.value for error in app.error] == [unlinked(PICTURE)]


def test_recommend_opens_reasons_and_never_renders_titles_as_markup(open_page, answers):
    app = open_page("recommend")
    assert "1. *Film* <b>8</b>" in [text.value for text in app.text]
    assert not any("<b>" in m.value and "\\<b" not in m.value for m in [*app.markdown, *app.caption])
    app.button(key="why-i9").click().run()
    assert "Because of Film 0: i9." in texts(app)
