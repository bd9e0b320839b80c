"""Imported tables: what is read, and each complaint with its file, row and column."""

import io
import re
import struct
import zipfile

import numpy as np
import pandas as pd
import pytest

from rec_core.data.sources.table import load_table
from rec_core.types import InputError

HEADER = "user_id,item_id,rating,timestamp"


def lines(n_rows=20, header=HEADER):
    """Row r of the file (r >= 2) is user u<r%4>, item i<r%5>, rating 1..5, time 100 * r."""
    return [header] + [f"u{r % 4},i{r % 5},{1 + r % 5},{100 * r}" for r in range(2, n_rows + 2)]


ITEMS = ["item_id,title,year,genres,description,studio"] + [
    f'i{n},Film {n},{1990 + n},Drama|War,"About {n}, briefly.",Studio {n}' for n in range(5)
]
USERS = ["user_id,gender,age_group"] + [f"u{n},woman,{n}0" for n in range(4)]


@pytest.fixture
def write(tmp_path):
    def _write(content, name="ratings.csv"):
        path = tmp_path / name
        data = content if isinstance(content, bytes) else "\n".join(content).encode()
        path.write_bytes(data)
        return path

    return _write


def complaint(*args, **options):
    """Return the sentence of the InputError that the call raises; always exactly one sentence."""
    with pytest.raises(InputError) as caught:
        load_table(*args, **options)
    text = str(caught.value)
    assert text.endswith(".") and "\n" not in text
    assert not re.search(r"\.\s+[A-Z]", text), "more than one sentence"
    return text


def facts(dataset):
    """Return the interactions as rows of (user id, item id, rating, timestamp)."""
    log = dataset.interactions
    return list(
        zip(
            log.user_ids[log.user_nums],
            log.item_ids[log.item_nums],
            log.ratings.tolist(),
            log.timestamps.tolist(),
            strict=True,
        )
    )


EXPECTED = [(f"u{r % 4}", f"i{r % 5}", float(1 + r % 5), 100 * r) for r in range(2, 22)]


def test_reads_interactions_items_and_users(write):
    data = load_table(write(lines()), write(ITEMS, "items.csv"), write(USERS, "users.csv"), name="mine")
    assert facts(data) == EXPECTED
    assert (data.name, data.has_time, data.like_threshold, data.max_rating, data.simulated) == (
        "mine",
        True,
        3.0,
        5.0,
        False,
    )
    table = data.catalogue.table
    assert table.columns.tolist() == ["item_id", "title", "year", "genres", "description", "studio"]
    assert table.iloc[2].tolist() == ["i2", "Film 2", 1992, "Drama|War", "About 2, briefly.", "Studio 2"]
    assert table["item_id"].tolist() == data.interactions.item_ids.tolist()
    assert data.users["user_id"].tolist() == data.interactions.user_ids.tolist() == ["u2", "u3", "u0", "u1"]
    assert data.users["age_group"].tolist() == ["20", "30", "00", "10"]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_finds_the_separator_of_a_csv(write, separator):
    assert facts(load_table(write([line.replace(",", separator) for line in lines()]))) == EXPECTED


def test_reads_tsv_windows_line_ends_bom_and_blank_lines(write):
    text = "\n\n" + "\n".join(lines()).replace(",", "\t") + "\n\n\n"
    path = write(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(), "ratings.tsv")
    assert facts(load_table(path)) == EXPECTED


def frame():
    return pd.read_csv(io.StringIO("\n".join(lines())))


def test_reads_parquet_with_integers_and_dates(write, tmp_path):
    table = frame()
    table["timestamp"] = pd.to_datetime(table["timestamp"], unit="s")
    table.to_parquet(tmp_path / "ratings.parquet")
    assert facts(load_table(tmp_path / "ratings.parquet")) == EXPECTED
    table["rating"] = table["rating"].astype(float)
    table.loc[6, "rating"] = np.nan
    table.to_parquet(tmp_path / "ratings.parquet")
    assert "ratings.parquet, row 7, column 'rating'" in complaint(tmp_path / "ratings.parquet")
    assert "no readable parquet" in complaint(write(b"PAR1 nonsense", "bad.parquet"))


def test_reads_recbole_files_with_their_mapping(write):
    header = "user_id:token\titem_id:token\trating:float\ttimestamp:float"
    log = write([header] + [line.replace(",", "\t") + ".0" for line in lines()[1:]], "ml.inter")
    items = ["item_id:token\tmovie_title:token_seq\tclass:token_seq"]
    items += [f'i{n}\tA "quoted film {n}\tDrama War' for n in range(5)]
    data = load_table(
        log, write(items, "ml.item"), mapping={"title": "movie_title", "genres": "class"}, item_noun="movie"
    )
    assert facts(data) == EXPECTED
    assert data.catalogue.titles[1] == 'A "quoted film 1'
    assert data.catalogue.table["genres"].unique().tolist() == ["Drama|War"]
    assert data.item_noun == "movie"
    items[0] = "item_id:token\ttitle:token_seq\tgenres:token_seq"
    plain = load_table(log, write(items, "ml.item"))
    assert plain.catalogue.table["genres"].unique().tolist() == ["Drama|War"]


def test_mapping_reaches_each_file_that_has_the_column(write):
    log = write([line.replace("item_id", "movie") for line in lines()])
    items = write([line.replace("item_id", "id").replace("title", "name") for line in ITEMS], "items.csv")
    users = write([line.replace("user_id", "id") for line in USERS], "users.csv")
    log_only = {"item_id": "movie"}
    data = load_table(log, mapping=log_only)
    assert facts(data) == EXPECTED
    both = write([line.replace("item_id", "id") for line in lines()])
    data = load_table(both, items, mapping={"item_id": "id", "title": "name"})
    assert data.catalogue.titles[3] == "Film 3"
    ids = {"user_id": "id", "item_id": "item_id"}
    assert load_table(write(lines()), None, users, mapping=ids).users["gender"].eq("woman").all()
    shared = {"user_id": "id", "item_id": "id", "title": "name"}  # "id" means the item here, the user there
    data = load_table(write(lines()), items, users, mapping=shared)
    assert data.catalogue.titles[3] == "Film 3" and data.users["gender"].eq("woman").all()
    assert "user_id" not in data.catalogue.table and "item_id" not in data.users


def test_a_mapped_column_replaces_one_that_has_our_name(write):
    rows = [line + extra for line, extra in zip(lines(), [",stars", *[",2"] * 20], strict=True)]
    assert {row[2] for row in facts(load_table(write(rows), mapping={"rating": "stars"}))} == {2.0}


def test_without_items_ratings_and_time(write):
    rows = ["user_id,item_id"] + [",".join(line.split(",")[:2]) for line in lines()[1:]]
    data = load_table(write(rows[:1] + rows[:0:-1]))
    assert not data.has_time and np.isnan(data.interactions.ratings).all()
    assert [row[:2] for row in facts(data)] == [row[:2] for row in EXPECTED[::-1]]
    assert data.catalogue.titles == data.interactions.item_ids.tolist()
    assert len(data.notes) == 3


def test_cold_items_stay_and_years_come_from_titles(write):
    items = ["item_id,title"] + [f"i{n},Film {n} ({1990 + n})" for n in range(5)] + ["i9,Unseen"]
    data = load_table(write(lines()), write(items, "items.csv"))
    assert len(data.catalogue) == data.interactions.n_items == 6
    assert data.catalogue.table["year"].tolist()[:5] == [1990, 1991, 1992, 1993, 1994]
    assert data.catalogue.table["year"].isna().tolist() == [False] * 5 + [True]
    assert data.catalogue.table["description"].eq("").all()


def test_users_not_listed_have_empty_attributes(write):
    data = load_table(write(lines()), users=write(USERS[:-1], "users.csv"))
    assert dict(zip(data.users["user_id"], data.users["gender"], strict=True)) == {
        "u0": "woman",
        "u1": "woman",
        "u2": "woman",
        "u3": "",
    }
    assert any("1 of 4 users" in note for note in data.notes)


@pytest.mark.parametrize(
    ("largest", "threshold", "max_rating"),
    [("5", 3.0, 5.0), ("4", 3.0, 5.0), ("1", 0.5, 1.0), ("10", 6.0, 10.0)],
)
def test_like_threshold_follows_the_scale(write, largest, threshold, max_rating):
    rows = [HEADER] + [re.sub(r",\d,", f",{largest},", line) for line in lines()[1:]]
    data = load_table(write(rows))
    assert (data.like_threshold, data.max_rating) == (threshold, max_rating)
    assert load_table(write(rows), like_threshold=0.25).like_threshold == 0.25
    assert "like threshold 10" in complaint(write(rows), like_threshold=10)


def test_dates_become_seconds(write):
    dates = ["1970-01-01", "1970-01-02 00:00:01", "1970-01-03T00:00:00Z", "1970-01-04T01:00:00+01:00"] * 5
    rows = [HEADER] + [
        f"{','.join(line.split(',')[:3])},{date}" for line, date in zip(lines()[1:], dates, strict=True)
    ]
    found = sorted({row[3] for row in facts(load_table(write(rows)))})
    assert found == [0, 86_401, 2 * 86_400, 3 * 86_400]


def test_content_hash_follows_bytes_and_settings(write):
    first = load_table(write(lines())).content_hash
    assert load_table(write(lines())).content_hash == first
    assert load_table(write(lines()), like_threshold=4).content_hash != first
    assert load_table(write(lines(21))).content_hash != first


def changed(row, column, value, rows=None):
    """Return the lines with one cell replaced; `row` counts like an editor."""
    rows = list(rows or lines())
    cells = rows[row - 1].split(",")
    cells[rows[0].split(",").index(column)] = value
    rows[row - 1] = ",".join(cells)
    return rows


@pytest.mark.parametrize("value", ["abc", "nan", "", "inf", "-1", "4;5", "1e40"])
def test_bad_rating(write, value):
    text = complaint(write(changed(17, "rating", value)))
    assert text.startswith("ratings.csv, row 17, column 'rating': ")
    assert (repr(value) if value else "an empty cell is no") in text


@pytest.mark.parametrize("value", ["yesterday", "", "nan", "2024-05-31", "1700000000000"])
def test_bad_timestamp(write, value):
    assert complaint(write(changed(5, "timestamp", value))).startswith(
        "ratings.csv, row 5, column 'timestamp': "
    )


def test_bad_date_among_dates(write):
    rows = [HEADER] + [re.sub(r"\d+$", "2024-01-05", line) for line in lines()[1:]]
    assert "row 9, column 'timestamp': '31.12.2024'" in complaint(
        write(changed(9, "timestamp", "31.12.2024", rows))
    )


@pytest.mark.parametrize("column", ["user_id", "item_id"])
def test_empty_id(write, column):
    assert f"ratings.csv, row 8, column '{column}': an empty cell is no" in complaint(
        write(changed(8, column, " "))
    )


def test_rows_are_counted_past_blank_and_multi_line_cells(write):
    rows = lines()
    rows[3] = '"u3\nx",i0,4,300'  # rows 4 and 5 of the file
    rows[6] = ""
    rows[11] = "u1,i1,bad,4"
    assert "row 13, column 'rating'" in complaint(write(rows))
    rows[11] = "u1,i1,1,2,3"
    assert "row 13: there are 5 values for 4 columns" in complaint(write(rows))
    assert "row 15, column 'rating'" in complaint(write(["", "", *rows[:11], "u1,i1,bad,4", *rows[12:]]))


def test_unclosed_quote(write):
    rows = lines()
    rows[9] = '"' + rows[9]
    assert complaint(write(rows)).startswith("ratings.csv, row 10: a double quote")


def test_missing_column_and_duplicate_header(write):
    text = complaint(write([line.split(",", 1)[1] for line in lines()]))
    assert "ratings.csv, row 1" in text and "'user_id'" in text and "item_id, rating, timestamp" in text
    text = complaint(write(lines(header="user_id,item_id,item_id,rating")))
    assert text.startswith("ratings.csv, row 1: the column 'item_id' comes twice")
    assert "there is no column 'title'" in complaint(write(lines()), write(["item_id", "i0"], "items.csv"))


@pytest.mark.parametrize("content", [b"", b"  \n\n"])
def test_empty_file(write, content):
    assert complaint(write(content)).startswith("ratings.csv is empty")


@pytest.mark.parametrize("ending", ["", "\n", "\n\n", "\n,,,\n"])
def test_header_only(write, ending):
    assert "no row below it" in complaint(write((HEADER + ending).encode()))


def test_too_few_rows(write):
    assert "has 9 rows; a dataset needs at least 10" in complaint(write(lines(9)))
    assert len(load_table(write(lines(10))).interactions) == 10


def test_wrong_encodings_of_a_three_line_file(write):
    text = f"{HEADER}\nu1,i1,3,100\nAndré,i2,4,200\n"
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        assert "ratings.csv, row 1: the bytes look like UTF-16" in complaint(write(text.encode(encoding)))
    sentence = complaint(write(text.encode("latin-1")))
    number = text.encode("latin-1").index(b"\xe9") + 1
    assert f"ratings.csv, row 3: the byte 0xE9 (number {number} of the file)" in sentence
    assert "save the file as UTF-8" in sentence


def test_bad_items_file(write):
    log = write(lines())

    def items(rows):
        return complaint(log, write(rows, "items.csv"))

    text = items([*ITEMS, ITEMS[2]])
    assert text.startswith("items.csv, row 7, column 'item_id': 'i1'") and "row 3" in text
    assert items(ITEMS[:3] + ITEMS[4:]).startswith(
        "ratings.csv, row 2, column 'item_id': 'i2' is not listed in items.csv"
    )
    assert "items.csv, row 2, column 'title'" in items([ITEMS[0], *changed(2, "title", "", ITEMS)[1:]])
    assert "items.csv, row 4, column 'year': '19x2'" in items(changed(4, "year", "19x2", ITEMS))
    assert "items.csv, row 3, column 'item_id'" in items(changed(3, "item_id", "", ITEMS))


def test_bad_users_file(write):
    assert "users.csv, row 6, column 'user_id': 'u0'" in complaint(
        write(lines()), users=write([*USERS, USERS[1]], "users.csv")
    )


def test_unknown_mapping_column(write):
    text = complaint(write(lines()), mapping={"rating": "stars"})
    assert "'stars'" in text and "'rating'" in text and "ratings.csv has user_id, item_id" in text


@pytest.mark.parametrize("name", ["../evil", "", "a/b", ".hidden"])
def test_unsafe_dataset_name(write, name):
    assert complaint(write(lines()), name=name)


def test_unsupported_and_absent_files(write, tmp_path):
    assert "ratings.xlsx is none of .csv" in complaint(write(b"PK", "ratings.xlsx"))
    assert "There is no file" in complaint(tmp_path / "absent.csv")
    assert "There is no file" in complaint(tmp_path)


def zipped(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def test_zip_with_one_table(tmp_path):
    members = {"data/ratings.csv": "\n".join(lines()), "readme.md": "x", "__MACOSX/._ratings.csv": "x"}
    assert facts(load_table(zipped(tmp_path / "mine.zip", members))) == EXPECTED
    bad = {"ratings.csv": "\n".join(changed(17, "rating", "abc"))}
    assert complaint(zipped(tmp_path / "bad.zip", bad)).startswith(
        "ratings.csv, row 17, column 'rating': 'abc'"
    )


def test_zip_faults(tmp_path, write):
    table = "\n".join(lines())
    assert "a.csv, b.tsv" in complaint(zipped(tmp_path / "two.zip", {"a.csv": table, "b.tsv": table}))
    assert "none" in complaint(zipped(tmp_path / "no.zip", {"readme.md": "x"}))
    for name in ("../ratings.csv", "/ratings.csv", "a\\..\\..\\ratings.csv"):
        assert "points outside" in complaint(zipped(tmp_path / "evil.zip", {name: table}))
    assert "no zip archive" in complaint(write(b"not a zip", "broken.zip"))
    locked = bytearray(zipped(tmp_path / "locked.zip", {"ratings.csv": table}).read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # set the "encrypted" flag by hand
        struct.pack_into("<H", locked, locked.index(signature) + offset, 1)
    assert "encrypted" in complaint(write(bytes(locked), "locked.zip"))
