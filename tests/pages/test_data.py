"""Data: counts, splits and cores; datasets fetched and brought along."""

from dataclasses import replace

import pytest

from rec_core.data.interactions import reordered
from rec_core.data.last_of_user import last_of_user
from rec_core.data.storage import save_dataset
from rec_core.store import Workspace
from rec_core.workbench import load_dataset
from tests.pages.seen import button, texts


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


def test_data_keeps_a_published_part_or_says_why_not(open_page, dataset):
    app = open_page("data")
    app.segmented_control(key="data-part").set_value("Split").run()
    app.selectbox(key="filter-recipe").set_value("rallrec-amazon").run()
    assert "11 to 200 rows per user" in texts(app)
    assert not [one for one in app.number_input if one.key == "user-core"]
    button(app, "Keep this part").click().run()
    assert "exactly 3 genres" in app.error[0].value


def test_data_says_what_like_questions_are_about_and_how_they_are_cut(open_page, dataset, workspace):
    app = open_page("data")
    assert "every rating with enough earlier ones" in texts(app)
    space = Workspace(workspace)
    made = load_dataset(dataset, workspace=space)
    rows = reordered(made.interactions, last_of_user(made.interactions))
    shuffled = replace(made, interactions=rows, has_time=False, questions="last_of_user")
    save_dataset(shuffled, space.dataset_path(dataset))
    app.run()
    assert "the last rating of each user" in texts(app)
    app.segmented_control(key="data-part").set_value("Split").run()
    assert app.segmented_control(key="split-kind").options[0] == "By user at random: 80 / 10 / 10"
    assert not app.exception and app.metric[0].value == "20"


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


def test_data_imports_with_mapped_columns(open_page, workspace):
    app = open_page("data")
    app.segmented_control(key="data-part").set_value("Bring your own").run()
    rows = "reader;isbn;stars\n" + "".join(f"r{n % 4};b{n};{n % 5 + 1}\n" for n in range(20))
    app.file_uploader(key="upload-log").set_value(("loans.csv", rows.encode(), "text/csv")).run()
    assert app.selectbox(key="log-user_id").value == "reader"
    button(app, "Import").click().run()
    assert not app.error
    assert (workspace / "datasets" / "loans" / "summary.json").exists()
