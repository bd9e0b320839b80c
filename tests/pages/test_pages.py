"""Every page: on an empty workspace, with a run, one interaction, and a person's error."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from pages.shared import session
from pages.shared.plain import plain, unlinked
from rec_core.types import InputError

PICTURE = "![x](http://a/b)"
PAGES = ("home", "data", "train", "runs", "embeddings", "rerank", "recommend", "bias")


def texts(app) -> str:
    parts = [app.markdown, app.caption, app.info, app.error, app.text, app.warning, app.success]
    return "\n".join(str(element.value) for part in parts for element in part)


def button(app, label):
    return next(b for b in app.button if b.label == label)


@pytest.mark.parametrize("name", PAGES)
def test_page_says_something_on_an_empty_workspace(open_page, name):
    app = open_page(name)
    assert not app.exception
    assert len(app.header) == 1
    assert len(texts(app)) > 80


@pytest.mark.parametrize("name", PAGES)
def test_page_renders_with_a_run(open_page, answers, name, run):
    app = open_page(name)
    assert not app.exception
    assert not app.error
    assert app.sidebar.selectbox(key="run").value == run


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


def test_data_counts_and_splits(open_page, dataset):
    app = open_page("data")
    assert {m.label: m.value for m in app.metric}["Interactions"] == "180"
    app.segmented_control(key="data-part").set_value("Split").run()
    assert not app.exception
    assert app.metric[0].label == "Rows kept"


def test_data_keeps_a_core_as_a_dataset_of_its_own(open_page, dataset):
    app = open_page("data")
    app.segmented_control(key="data-part").set_value("Split").run()
    button(app, "Keep this part").click().run()
    assert [one.value for one in app.toast] == ["mine-core is here: 180 rows kept, 0 dropped."]
    button(app, "Keep this part").click().run()
    assert "choose another name" in app.error[0].value
    app.text_input(key="core-name").set_value("mine-tighter").run()
    app.number_input(key="user-core").set_value(99).run()
    button(app, "Keep this part").click().run()
    assert "lower the cores" in app.error[0].value


def test_data_fetches_movielens_as_a_job(open_page, started):
    app = open_page("data")
    app.segmented_control(key="data-part").set_value("Get MovieLens").run()
    button(app, "Get ml-100k").click().run()
    assert started[-1] == ("start_command", "fetch-ml-100k", ["data", "describe", "ml-100k"])


def test_data_shows_the_error_of_an_import_and_keeps_the_choices(open_page, workspace):
    app = open_page("data")
    app.segmented_control(key="data-part").set_value("Bring your own").run()
    bad = "user_id,item_id,rating\n" + "u,i,3\n" * 12 + "u,i,good\n"
    app.file_uploader(key="upload-log").set_value(("bad.csv", bad.encode(), "text/csv")).run()
    assert app.text_input(key="upload-name").value == "bad"
    button(app, "Import").click().run()
    assert "row 14" in app.error[0].value
    assert app.selectbox(key="log-rating").value == "rating"
    assert not (workspace / "datasets" / "bad").exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""),
        ("broken.zip", b"no zip"),
        ("wide.csv", "user_id,item_id\nu,\u00e9\n".encode("utf-16")),
    ],
)
def test_data_answers_an_unreadable_upload_with_one_sentence(open_page, name, content):
    app = open_page("data")
    app.segmented_control(key="data-part").set_value("Bring your own").run()
    app.file_uploader(key="upload-log").set_value((name, content, "text/csv")).run()
    assert not app.exception
    assert len(app.error) == 1 and name in app.error[0].value and "\n" not in app.error[0].value


def test_titles_cannot_form_links_or_pictures():
    assert plain("![x](http://a/b)") == r"\!\[x\]\(http\://a/b\)"
    assert unlinked("no <b>tag</b>, no [link](x)") == r"no \<b>tag\</b>, no \[link](x)"
    assert unlinked(r"nor \[link](x)") == r"nor \\\[link](x)"


def live(app) -> list[str]:
    """Return the Markdown of a page in which the picture of a file would still be one."""
    places = [app.markdown, app.caption, app.info, app.error, app.subheader, app.warning, app.toast]
    return [element.value for place in places for element in place if PICTURE in element.value]


def test_embeddings_shows_a_picture_in_a_title_as_words(open_page, answers, monkeypatch):
    from pages.shared import cached

    monkeypatch.setattr(cached, "titles", lambda *_: {"i5": PICTURE, "i7": "Film 7"})
    app = open_page("embeddings")
    app.session_state["selected_items"] = ["i5", "i7"]
    app.selectbox(key="item").set_value("i5").run()
    assert plain(PICTURE) in app.subheader[0].value
    assert plain(PICTURE) in texts(app)
    assert not live(app)


def test_recommend_shows_a_picture_in_a_title_as_words(open_page, answers, monkeypatch):
    from pages.shared import cached

    piece = {"title": PICTURE, "channel": "semantic", "score": 0.6, "similarities": {}, "item_id": "i0"}
    item = {"rank": 1, "item_id": "i8", "title": PICTURE, "score": 0.9, "evidence": [piece]}
    monkeypatch.setattr(cached, "recommendations", lambda *_: {"items": [item], "scale": "probability"})
    app = open_page("recommend")
    assert f"1. {PICTURE}" in [text.value for text in app.text]
    assert plain(PICTURE) in texts(app)
    assert not live(app)


def test_data_shows_markup_of_source_notes_and_leaks_as_words(open_page, dataset, monkeypatch):
    from pages.shared import cached

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
    from pages.shared import cached

    def refuse(*_):
        raise InputError(PICTURE)

    monkeypatch.setattr(cached, "evidence", refuse)
    app = open_page("rerank")
    assert [error.value for error in app.error] == [unlinked(PICTURE)]


def test_data_imports_with_mapped_columns(open_page, workspace):
    app = open_page("data")
    app.segmented_control(key="data-part").set_value("Bring your own").run()
    rows = "reader;isbn;stars\n" + "".join(f"r{n % 4};b{n};{n % 5 + 1}\n" for n in range(20))
    app.file_uploader(key="upload-log").set_value(("loans.csv", rows.encode(), "text/csv")).run()
    assert app.selectbox(key="log-user_id").value == "reader"
    button(app, "Import").click().run()
    assert not app.error
    assert (workspace / "datasets" / "loans" / "summary.json").exists()


def test_train_starts_what_the_form_says(open_page, dataset, started, workspace):
    app = open_page("train")
    app.number_input(key="rallrec.tiny.reranker.top_k").set_value(7).run()
    assert "--set reranker.top_k=7" in app.code[0].value
    button(app, "Start training").click().run()
    verb, name, _ = started[-1]
    assert verb == "enqueue"
    assert "top_k: 7" in (workspace / "runs" / name / "config.yaml").read_text()


def test_train_shows_what_a_config_refuses(open_page, dataset):
    app = open_page("train")
    app.number_input(key="rallrec.tiny.tuning.training.learning_rate").set_value(0.0).run()
    assert "learning_rate" in app.error[0].value
    assert "Start training" not in [b.label for b in app.button]


def test_train_offers_to_resume_a_failed_run(open_page, run, started, make_run):
    make_run("broken", 0.5, state="failed")
    app = open_page("train")
    assert "It broke." in [error.value for error in app.error]
    button(app, "Resume").click().run()
    assert started[-1][:2] == ("enqueue", "broken")


def test_runs_keeps_title_and_notes(open_page, run, workspace):
    app = open_page("runs")
    app.text_input(key=f"title-{run}").set_value("First").run()
    button(app, "Keep title and notes").click().run()
    assert json.loads((workspace / "runs" / run / "run.json").read_text())["title"] == "First"


def test_runs_names_the_settings_that_differ(open_page, run, monkeypatch, make_run):
    from pages.shared import cached

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
    from pages.shared import cached

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
    from pages.shared import cached

    asked = []
    row = {"metric": "ndcg@10", "a": 0.2, "b": 0.3, "difference": -0.1, "low": -0.2, "high": -0.05, "n": 9}
    found = {"protocol": "leave_one_out split", "rows": [{**row, "p": 0.001, "p_corrected": 0.002}]}
    monkeypatch.setattr(cached, "compared", lambda root, a, b, ended: asked.append({a, b}) or found)
    other = make_run("ease-mine-tiny-s0-abcdef", 0.3, system="ease")
    make_run("newest", 0.6)
    app = open_page("runs")
    app.sidebar.selectbox(key="run").set_value(id_run).run()
    app.switch_page("pages/runs.py").run()
    assert not app.exception
    assert asked[0] == {"newest", run} and asked[-1] == {id_run, other}
    assert "Both: leave_one_out split." in texts(app)


def test_home_names_the_metric_of_every_run(open_page, run, id_run):
    app = open_page("home")
    listed = next(frame.value for frame in app.dataframe if "metric" in frame.value)
    assert dict(zip(listed["run"], listed["metric"], strict=True)) == {run: "auc", id_run: "ndcg@10"}
    assert dict(zip(listed["run"], listed["value"], strict=True)) == {run: 0.7, id_run: 0.2}


@pytest.mark.parametrize("name", PAGES)
def test_page_renders_with_a_run_of_ids_alone(open_page, id_answers, id_run, name):
    app = open_page(name)
    app.sidebar.selectbox(key="run").set_value(id_run).run()
    if name != "home":
        app.switch_page(f"pages/{name}.py").run()
    assert not app.exception and not app.error
    assert len(texts(app)) > 80


def of_run(app, page, run):
    app.sidebar.selectbox(key="run").set_value(run).run()
    return app.switch_page(f"pages/{page}.py").run()


def test_a_page_says_what_a_run_cannot_do_and_offers_those_that_can(open_page, id_answers, run, id_run):
    app = of_run(open_page("rerank"), "rerank", id_run)
    (sentence,) = [info.value for info in app.info]
    assert "graph_cf" in sentence and "rallrec" in sentence and run in sentence
    assert not app.slider
    app.button(key=f"open-{run}").click().run()
    assert app.sidebar.selectbox(key="run").value == run
    assert app.slider(key="alpha")


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


def test_recommend_shows_scores_that_are_no_probabilities(open_page, id_answers, id_run):
    app = of_run(open_page("recommend"), "recommend", id_run)
    assert "Score 0.9" in texts(app) and "P(like)" not in texts(app)
    assert "From the history alone." in texts(app)
    assert not app.code
    assert any("part" in frame.value and 4.5 in frame.value["value"].tolist() for frame in app.dataframe)


def test_bias_asks_what_the_run_can_answer(open_page, id_answers, run, id_run, started):
    app = of_run(open_page("bias"), "bias", id_run)
    assert [tab.label for tab in app.tabs] == ["Popularity"]
    assert any(info.value.startswith("Position: ") and run in info.value for info in app.info)
    app.button(key="run-popularity").click().run()
    assert started[-1][2][:3] == ["audit", "popularity", id_run]


def test_train_reads_lists_of_numbers_as_numbers(open_page, dataset, workspace, started):
    app = open_page("train")
    app.selectbox(key="train-system").set_value("ease").run()
    assert not app.exception and not app.error
    assert not any("Changed" in caption.value for caption in app.caption)
    app.text_input(key="ease.tiny.task.cutoffs").set_value("5, 15").run()
    assert "--set 'task.cutoffs=[5, 15]'" in app.code[0].value
    button(app, "Start training").click().run()
    config = (workspace / "runs" / started[-1][1] / "config.yaml").read_text()
    assert "- 15" in config
    app.text_input(key="ease.tiny.task.cutoffs").set_value("5, many").run()
    assert "cutoffs" in app.error[0].value


def test_train_begins_with_what_was_published_for_the_chosen_method(open_page, dataset):
    app = open_page("train")
    app.selectbox(key="train-system").set_value("graph_cf").run()
    app.segmented_control(key="train-preset").set_value("paper").run()
    assert app.number_input(key="graph_cf.paper.mine.lightgcn.batch_size").value == 1024
    app.selectbox(key="graph_cf.paper.mine.encoder").set_value("sgl").run()
    assert app.number_input(key="graph_cf.paper.mine.sgl.batch_size").value == 2048
    assert app.code[0].value.endswith("--seed 0 --set encoder=sgl")


def test_train_draws_the_form_of_every_system(open_page, dataset):
    from rec_core.workbench import systems

    app = open_page("train")
    for card in systems():
        app.selectbox(key="train-system").set_value(card.name).run()
        assert not app.exception and not app.error, card.name
        assert card.paper in texts(app)
        assert not any("Changed" in caption.value for caption in app.caption), card.name


def test_pages_of_a_run_wait_until_it_is_done(open_page, dataset, make_run):
    make_run("waiting", 0.5, state="cancelled")
    assert "This run is cancelled" in texts(open_page("rerank"))


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
    from pages.shared import selection, session

    points = [{"customdata": ["i2"]}, {"customdata": "i3"}, {"customdata": ["i2"]}, {"customdata": ["gone"]}]
    state = {"map-text": {"selection": {"points": points}}, "map-id": {"selection": {"points": points[:1]}}}
    monkeypatch.setattr(session.st, "session_state", state)
    selection.share("text", {"i2", "i3"})
    assert (state[session.SELECTED], state[session.ITEM]) == (["i2", "i3"], "i2")
    selection.share("id", {"i2", "i3"})
    assert session.SELECTED not in state and state[session.ITEM] == "i2"
    selection.share("aligned", {"i2"})
    assert state[session.ITEM] == "i2"


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
    from pages.shared import cached

    asked, evidence = [], cached.evidence
    monkeypatch.setattr(cached, "evidence", lambda *args: asked.append(args[4:]) or evidence(*args))
    run = make_run("own", 0.6, **config)
    app = open_page("rerank")
    app.sidebar.selectbox(key="run").set_value(run).run()
    app.switch_page("pages/rerank.py").run()
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
    from pages.shared import cached

    def refuse(*_):
        raise InputError("There is no such item; choose another.")

    monkeypatch.setattr(cached, "evidence", refuse)
    app = open_page("rerank")
    assert [error.value for error in app.error] == ["There is no such item; choose another."]
    assert not app.exception


def test_recommend_opens_reasons_and_never_renders_titles_as_markup(open_page, answers):
    app = open_page("recommend")
    assert "1. *Film* <b>8</b>" in [text.value for text in app.text]
    assert not any("<b>" in m.value and "\\<b" not in m.value for m in [*app.markdown, *app.caption])
    app.button(key="why-i9").click().run()
    assert "Because of Film 0: i9." in texts(app)


def test_recommend_rates_a_composed_history_on_the_scale_of_the_dataset(open_page, answers, monkeypatch):
    from pages.shared import cached

    monkeypatch.setattr(cached, "description", lambda *_: {"max_rating": 10.0})
    app = open_page("recommend")
    app.segmented_control(key="view").set_value("composed").run()
    assert (app.slider(key="compose-rating").min, app.slider(key="compose-rating").max) == (0.0, 10.0)
    button(app, "Add").click().run()
    assert "Film 0, rated 10" in [text.value for text in app.text]


def test_runs_says_how_the_language_model_was_loaded(open_page, run, workspace):
    file = workspace / "runs" / run / "metrics.json"
    file.write_text(
        json.dumps(json.loads(file.read_text()) | {"precision": "float32: this machine has no GPU."})
    )
    assert "Language model: float32: this machine has no GPU." in texts(open_page("runs"))


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


def test_bias_starts_a_probe_and_shows_a_kept_one(open_page, answers, started, workspace, run):
    folder = workspace / "runs" / run / "audits" / "position-1"
    folder.mkdir(parents=True)
    (folder / "audit.json").write_text(json.dumps({"probe": "position", "n_users": 9, "seed": 0}))
    slots = [("slot_pick_rate", f"slot {s}", 0.5, 0.4, 0.6, 9, None, "") for s in (1, 2)]
    head = ("slot_range", "all slots", 0.2, 0.1, 0.3, 9, 0.01, "evidence of effect")
    names = ["measure", "group", "value", "low", "high", "n", "p_corrected", "verdict"]
    pd.DataFrame([head, *slots], columns=names).assign(probe="position").to_parquet(folder / "rows.parquet")
    app = open_page("bias")
    assert not app.exception
    assert "Best slot minus worst slot" in texts(app)
    assert "95 %: 0.1 to 0.3" in texts(app)
    app.number_input(key="users-position").set_value(50).run()
    app.button(key="run-position").click().run()
    argv = ["audit", "position", run, "--users", "50", "--json"]
    assert started[-1] == ("enqueue_command", f"audit-position-{run}", argv)


def test_pages_import_no_torch_and_hold_no_caches_of_their_own():
    root = Path(__file__).resolve().parents[2]
    for file in [root / "app.py", *(root / "pages").rglob("*.py")]:
        text = file.read_text()
        assert "import torch" not in text, file
        assert "unsafe_allow_html" not in text, file
        assert "st.cache_" not in text or file.name == "cached.py", file
        assert len(text.splitlines()) <= 150 or file.parent.name == "shared", file


def test_first_page_opens_without_torch(tmp_path):
    code = (
        "import sys; from streamlit.testing.v1 import AppTest; app = AppTest.from_file('app.py').run(timeout=30); "
        "assert not app.exception; sys.exit('torch' in sys.modules)"
    )
    environment = {**os.environ, "ROSETTA_WORKSPACE": str(tmp_path), "ROSETTA_READONLY": "1"}
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", code], cwd=root, env=environment, check=True, timeout=60)


def test_home_checks_the_machine_when_asked(open_page):
    app = open_page("home")
    app.toggle(key="home-doctor").set_value(True).run()
    assert not app.exception
    assert any("mend" in frame.value for frame in app.dataframe)
