"""The three MovieLens editions from ten invented rows in the original layouts, and the real counts."""

import gzip
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from rec_core.data.ctr import make_ctr_samples
from rec_core.data.sources import SOURCES, load_source, ml_1m, ml_100k, ml_latest_small
from rec_core.data.sources.movielens import read_lines, read_numbers, year_of
from rec_core.data.splits import global_time
from rec_core.data.storage import load_saved, save_dataset
from rec_core.types import InputError

FIXTURES = Path(__file__).parents[2] / "fixtures"
MODULES = {"ml-1m": ml_1m, "ml-100k": ml_100k, "ml-latest-small": ml_latest_small}
real = pytest.mark.real
needs_data = pytest.mark.skipif(not os.environ.get("ROSETTA_DATA"), reason="ROSETTA_DATA names no folder")


def rows(dataset):
    """Return (user id, item id, rating, timestamp) per interaction."""
    made = dataset.interactions
    columns = made.user_ids[made.user_nums], made.item_ids[made.item_nums], made.ratings, made.timestamps
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.fixture
def copied(tmp_path):
    """Give a function that copies a fixture and replaces text in one of its files."""

    def copy(name, file, old, new):
        shutil.copytree(FIXTURES / name, tmp_path / name)
        path = tmp_path / name / file
        data = path.read_bytes()
        assert old in data
        path.write_bytes(data.replace(old, new, 1))
        return tmp_path

    return copy


def test_ml_1m():
    dataset = ml_1m.load(FIXTURES)
    assert rows(dataset) == [
        ("4", "2", 5, 0),
        ("2", "5", 5, 950000050),
        ("1", "1", 5, 950000100),
        ("2", "1", 4, 950000100),
        ("2", "9", 2, 950000100),
        ("1", "2", 3, 950000200),
        ("1", "5", 4, 950000300),
        ("2", "2", 1, 950000400),
        ("4", "1", 4, 950000500),
        ("4", "9", 3, 950000600),
    ]
    table = dataset.catalogue.table
    assert table["item_id"].tolist() == ["1", "2", "5", "9"]
    assert table["title"].tolist()[2] == "Pêcheur, Le (1997)"
    assert table["year"].tolist() == [1961, 1984, 1997, 1999]
    assert table["genres"].tolist()[2] == "Comedy|Children's"
    assert table["description"].tolist() == [""] * 4
    assert dataset.users.to_dict("list") == {
        "user_id": ["1", "2", "4"],
        "gender": ["woman", "man", "woman"],
        "age_group": ["under 18", "56 or older", "25-34"],
        "occupation": ["K-12 student", "self-employed", "other or not specified"],
        "zip_code": ["00001", "00002-0003", "00004"],
    }
    assert dataset.notes == ("Ratings without a time: 1; they count as the oldest.",)


def test_ml_1m_descriptions_beside_the_archive(copied):
    root = copied("ml-1m", "movies.dat", b"", b"")
    without = ml_1m.load(root)
    texts = {"1": "About\n glass. ", "9": "Nine.", "77": "Nobody's."}
    (root / ml_1m.DESCRIPTIONS).write_bytes(gzip.compress(json.dumps(texts).encode()))
    dataset = ml_1m.load(root)
    assert dataset.catalogue.table["description"].tolist() == ["About glass.", "", "", "Nine."]
    assert dataset.notes[0].startswith("Descriptions of 2 of 4 movies come from ml-1m-descriptions.json.gz")
    assert dataset.content_hash != without.content_hash
    (root / ml_1m.DESCRIPTIONS).write_bytes(b"{}")
    with pytest.raises(InputError, match="no gzipped JSON"):
        ml_1m.load(root)


def test_ml_100k():
    dataset = ml_100k.load(FIXTURES)
    assert rows(dataset)[:3] == [("1", "2", 2, 880000050), ("1", "3", 5, 880000100), ("2", "2", 4, 880000100)]
    assert len(dataset.interactions) == 10
    table = dataset.catalogue.table
    assert table["title"].tolist() == [
        "Harbour of Glass (1961)",
        "Second Orbit (1984)",
        "Pêcheur, Le (1997)",
        "unknown",
    ]
    assert table["year"].fillna(0).tolist() == [1961, 1984, 1997, 0]
    assert table["genres"].tolist() == ["Drama|Romance", "Sci-Fi", "Children's|Comedy", ""]
    assert dataset.users.to_dict("list") == {
        "user_id": ["1", "2", "3"],
        "gender": ["man", "woman", "man"],
        "age_group": ["18-24", "50-55", "under 18"],
        "age_years": [24, 53, 7],
        "occupation": ["technician", "other", "student"],
        "zip_code": ["00001", "00002", "T8H1N"],
    }


@pytest.mark.parametrize(
    ("years", "group"), [(0, "under 18"), (17, "under 18"), (18, "18-24"), (49, "45-49"), (56, "56 or older")]
)
def test_age_groups(years, group):
    assert ml_100k.age_group(years) == group


def test_ml_latest_small():
    dataset = ml_latest_small.load(FIXTURES)
    assert rows(dataset)[:3] == [
        ("12", "1", 1.5, 1100000050),
        ("1", "1", 4, 1100000100),
        ("7", "77777", 2, 1100000100),
    ]
    assert len(dataset.interactions) == 10
    table = dataset.catalogue.table
    assert table["title"].tolist() == [
        "Harbour of Glass (1961)",
        "Orbit, Second (1984)",
        "Pêcheur sans année",
        'Say "Nine" (2006–2007)',
    ]
    assert table["year"].fillna(0).tolist() == [1961, 1984, 0, 2006]
    assert table["genres"].tolist() == ["Drama|Romance", "Sci-Fi", "", "Thriller"]
    assert dataset.users.to_dict("list") == {"user_id": ["1", "7", "12"]}, "in the order of the numbers"


@pytest.mark.parametrize("name", MODULES)
def test_what_every_edition_promises(name, tmp_path):
    dataset = MODULES[name].load(FIXTURES)
    made, table = dataset.interactions, dataset.catalogue.table
    assert dataset.name == name and SOURCES[name] == MODULES[name].__name__
    assert (dataset.like_threshold, dataset.max_rating, dataset.simulated) == (3.0, 5.0, False)
    assert made.item_ids.tolist() == table["item_id"].tolist()
    assert made.user_ids.tolist() == dataset.users["user_id"].tolist()
    assert {"item_id", "title", "year", "genres", "description"} <= set(table.columns)
    assert str(table["year"].dtype) == "Int64"
    assert (np.diff(made.timestamps) >= 0).all()
    assert dataset.content_hash == MODULES[name].load(FIXTURES).content_hash
    save_dataset(dataset, tmp_path / name)
    assert rows(load_saved(tmp_path / name)) == rows(dataset)


@pytest.mark.parametrize(
    ("name", "file", "old", "new", "sentence"),
    [
        ("ml-1m", "ratings.dat", b"4::9::3", b"4::9::x", "ratings.dat is not in the expected layout"),
        ("ml-1m", "ratings.dat", b"::950000200", b"", "ratings.dat is not in the expected layout"),
        ("ml-1m", "ratings.dat", b"1::5::4", b"1::77::4", "files of ml-1m do not fit together: The id '77'"),
        ("ml-1m", "movies.dat", b"::Drama", b"", "Row 1 of movies.dat has 2 fields, not 3"),
        ("ml-1m", "users.dat", b"1::10", b"3::10", "users.dat has a value"),
        ("ml-1m", "users.dat", b"::10::", b"::21::", "users.dat has a value"),
        ("ml-100k", "u.user", b"24|M", b"24|X", "u.user has an unexpected value for user 1"),
        ("ml-100k", "u.item", b"|01-Jan-1961", b"", "Row 1 of u.item has 23 fields, not 24"),
        ("ml-100k", "u.data", b"1\t3\t5", b"1\t3\t5\t7", "u.data is not in the expected layout"),
        ("ml-latest-small", "movies.csv", b"title", b"name", "movies.csv is not in the expected layout"),
        ("ml-latest-small", "ratings.csv", b"0.5", b"half", "ratings.csv is not in the expected layout"),
    ],
)
def test_broken_files_are_named(copied, name, file, old, new, sentence):
    with pytest.raises(InputError, match=sentence):
        MODULES[name].load(copied(name, file, old, new))


def test_a_surplus_column_in_every_row_is_no_row_label():
    with pytest.raises(InputError, match="Row 1 of f has 3 fields, not 2"):
        read_numbers(b"9,1,2\n9,3,4\n", "f", ",", ["user", "item"])


def test_lines_end_at_newlines_only():
    assert read_lines(b"1|a\x85b\r\n\n2|c", "f", "|", 2) == [["1", "a\x85b"], ["2", "c"]]


@pytest.mark.parametrize(
    ("title", "year"),
    [("A (1999)", 1999), ("A (1999) (2001) ", 2001), ("A (1999) B", None), ("A (1999–)", 1999)],
)
def test_year_of(title, year):
    assert year_of(title) == year


def test_load_source_knows_the_names(monkeypatch):
    monkeypatch.setenv("ROSETTA_DATA", str(FIXTURES))
    assert len(load_source("ml-1m").interactions) == 10
    with pytest.raises(InputError, match="no built-in dataset 'ml-2m'; choose one of sample, ml-100k"):
        load_source("ml-2m")


@real
@needs_data
def test_real_ml_1m_gives_the_published_samples():
    dataset = load_source("ml-1m")
    made = dataset.interactions
    assert (len(made), made.n_users, made.n_items) == (1_000_209, 6_040, 3_883)
    assert len(np.unique(made.item_nums)) == 3_706
    samples = make_ctr_samples(made, dataset.like_threshold)
    split = global_time(len(samples))
    assert len(samples) == 970_009
    assert [len(split.train), len(split.valid), len(split.test)] == [776_007, 97_000, 97_002]


@real
@needs_data
@pytest.mark.parametrize(
    ("name", "counts"), [("ml-100k", (100_000, 943, 1_682)), ("ml-latest-small", (100_836, 610, 9_742))]
)
def test_real_counts(name, counts):
    made = load_source(name).interactions
    assert (len(made), made.n_users, made.n_items) == counts
