"""BookCrossing from ten invented ratings with the quirks of the original files, and the real counts."""

import numpy as np
import pytest

from rec_core.data.ctr import make_ctr_samples
from rec_core.data.last_of_user import last_of_user
from rec_core.data.sources import bookcrossing, load_source
from rec_core.data.splits import global_time


def test_rows_stand_shuffled_with_one_target_per_reader_at_the_end(fixtures, rows_of, ten):
    dataset = bookcrossing.load(fixtures)
    users, books = ["801", "17", "950"], ["000000001X", "0000000021", "0000000032", "0000000043"]
    rows = rows_of(dataset)
    assert sorted(row[:3] for row in rows) == sorted((users[u], books[i], 2.0 * r) for u, i, r in ten)
    assert [row[3] for row in rows] == list(range(10))
    assert last_of_user(dataset.interactions).tolist() == list(range(10))
    assert sorted(row[0] for row in rows[-3:]) == sorted(users)
    assert dataset.questions == "last_of_user"
    assert dataset.notes == (
        "No timestamps: each user's rows are shuffled (seed 42); like questions are about the last one.",
    )
    assert (dataset.has_time, dataset.item_noun, dataset.max_rating, dataset.parts) == (
        False,
        "book",
        10,
        None,
    )


def test_a_like_is_five_of_ten_or_more(fixtures):
    assert bookcrossing.load(fixtures).like_threshold == 4.0


def test_books_that_nobody_rated_stay_and_impossible_years_are_unknown(fixtures):
    table = bookcrossing.load(fixtures).catalogue.table
    assert table["title"].tolist() == [
        "Harbour of Glass", "Orbit, Second", "Le Pêcheur", "Nine", "Never Rated",
    ]  # fmt: skip
    assert table["year"].fillna(-1).tolist() == [1961, -1, 1997, -1, 1980], "0 and 2030 are no years"
    assert table["author"].tolist()[:2] == ["Ada Quill", "Bo Vance"]
    assert table["publisher"].tolist()[0] == "Tall Press"


def test_the_stray_quote_goes_from_country_and_age(fixtures):
    users = bookcrossing.load(fixtures).users
    assert users["user_id"].tolist() == ["801", "17", "950"]
    assert users["country"].tolist() == ["", "Freedonia", "Freedonia"]
    assert users["state"].tolist() == ["", "", "upstate"], "n/a is no state"
    assert users["age_years"].fillna(-1).tolist() == [14, 27, -1], "nobody is 244"
    assert users["age_group"].tolist() == ["under 18", "25-34", ""]


@pytest.mark.parametrize(
    ("file", "old", "new", "parts"),
    [
        ("BX-Ratings.csv", b"950,0000000043,10", b"950,0000000043,ten", ("BX-Ratings.csv, row 6", "'ten'")),
        (
            "BX-Ratings.csv",
            b"950,0000000043,10",
            b"950,0000000099,10",
            ("row 6", "'0000000099' is not in BX-B"),
        ),
        ("BX-Ratings.csv", b"950,0000000043,10", b"950,0000000043", ("row 6", "3 values")),
        ("BX-Ratings.csv", b"Book-Rating", b"Stars", ("row 1", "'Book-Rating'")),
        ("BX-Books.csv", b"Book-Author", b"Writer", ("BX-Books.csv, row 1", "'Book-Author'")),
        ("BX-Books.csv", "ê".encode(), b"\xea", ("BX-Books.csv, row", "UTF-8")),
    ],
)
def test_a_fault_is_named(copied, complaint, file, old, new, parts):
    text = complaint(bookcrossing.load, copied("bookcrossing", file, old, new))
    for part in parts:
        assert part in text


def test_without_files_the_sentence_says_what_to_get(complaint, monkeypatch, tmp_path):
    monkeypatch.delenv("ROSETTA_DATA", raising=False)
    monkeypatch.setenv("ROSETTA_WORKSPACE", str(tmp_path))
    text = complaint(load_source, "bookcrossing")
    for part in (
        "bookcrossing.zip",
        "BX-Ratings.csv",
        "ROSETTA_DATA",
        "Ziegler",
        str(tmp_path / "downloads"),
    ):
        assert part in text


@pytest.mark.real
def test_real_counts():
    dataset = load_source("bookcrossing")
    made = dataset.interactions
    assert (len(made), made.n_users, made.n_items) == (204_164, 48_299, 18_185)
    assert set(np.unique(made.ratings)) == set(range(1, 11))
    assert not dataset.users["country"].str.contains('"').any()
    assert (dataset.users["country"] == "USA").sum() == 34_465
    samples = make_ctr_samples(made, dataset.like_threshold, 5, dataset.questions)
    split = global_time(len(samples))
    assert [len(part) for part in (split.train, split.valid, split.test)] == [5337, 667, 668]
    assert samples.labels.mean() == pytest.approx(0.953, abs=5e-4)
