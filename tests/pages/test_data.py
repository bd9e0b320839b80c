"""Data: counts, splits and cores; datasets fetched and brought along."""

import pytest

from tests.pages.seen import button


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


def test_data_imports_with_mapped_columns(open_page, workspace):
    app = open_page("data")
    app.segmented_control(key="data-part").set_value("Bring your own").run()
    rows = "reader;isbn;stars\n" + "".join(f"r{n % 4};b{n};{n % 5 + 1}\n" for n in range(20))
    app.file_uploader(key="upload-log").set_value(("loans.csv", rows.encode(), "text/csv")).run()
    assert app.selectbox(key="log-user_id").value == "reader"
    button(app, "Import").click().run()
    assert not app.error
    assert (workspace / "datasets" / "loans" / "summary.json").exists()
