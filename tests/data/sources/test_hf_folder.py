"""Datasets folders: Arrow as saved to disk and parquet files, read without running anything."""

import datetime
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rec_core.data.sources import arrow_files, hf_folder

MAPPING = {"user_id": "reader", "item_id": "book", "rating": "stars", "timestamp": "when"}


def test_arrow_splits_are_the_cut_and_follow_their_rows(fixtures, ten):
    dataset = hf_folder.load(fixtures / "datasets-arrow", "mine")
    made = dataset.interactions
    part_of = [0] * 6 + [1] * 2 + [2] * 2
    expected = sorted(
        (1_600_000_000 + k * 7 % 10, f"u{u}", str(10 + i), float(r), part_of[k])
        for k, (u, i, r) in enumerate(ten)
    )
    found = zip(
        made.timestamps.tolist(),
        made.user_ids[made.user_nums].tolist(),
        made.item_ids[made.item_nums].tolist(),
        made.ratings.tolist(),
        dataset.parts.tolist(),
        strict=True,
    )
    assert list(found) == expected
    assert dataset.catalogue.titles == made.item_ids.tolist()


def test_parquet_of_one_split_is_not_cut(fixtures, rows_of, ten, tmp_path):
    users, items = ["A1FAKEUSER0001", "A2FAKEUSER0002", "A3FAKEUSER0003"], [f"000000000{x}" for x in "ABCD"]
    expected = [(users[u], items[i], r, 1_600_000_000 + k) for k, (u, i, r) in enumerate(ten)]
    dataset = hf_folder.load(fixtures / "datasets-parquet", mapping=MAPPING)
    assert rows_of(dataset) == expected, "milliseconds become seconds"
    assert dataset.parts is None
    listed = tmp_path / "books.csv"
    listed.write_text("book,title\n000000000B,Orbit\n000000000X,Unread\n")
    table = hf_folder.load(fixtures / "datasets-parquet", items=listed, mapping=MAPPING).catalogue.table
    assert table["item_id"].tolist() == ["000000000B", "000000000X", "000000000A", "000000000C", "000000000D"]
    assert table["title"].tolist() == ["Orbit", "Unread", "000000000A", "000000000C", "000000000D"]


@pytest.mark.parametrize("kind", ["stream", "file"])
def test_both_kinds_of_arrow_files_are_read_in_batches(tmp_path, kind, rows_of):
    table = pa.table(
        {"user_id": pa.array([f"u{n % 3}" for n in range(12)]).dictionary_encode(), "item_id": range(12)}
    )
    make = pa.ipc.new_stream if kind == "stream" else pa.ipc.new_file
    with make(str(tmp_path / "data.arrow"), table.schema) as out:
        out.write_table(table, max_chunksize=5)
    assert [b.num_rows for b in arrow_files.batches(tmp_path / "data.arrow", ["item_id"])] == [5, 5, 2]
    dataset = hf_folder.load(tmp_path)
    assert [(u, i) for u, i, *_ in rows_of(dataset)] == [(f"u{n % 3}", str(n)) for n in range(12)]
    assert not dataset.has_time


SECONDS = [86_400, 0, -1]


@pytest.mark.parametrize(
    "column",
    [
        pa.array(SECONDS),
        pa.array(SECONDS, pa.float64()),
        pa.array(["1970-01-02", "1970-01-01 00:00:00", "1969-12-31T23:59:59"]),
        *(pa.array([s * 10 ** (3 * n) for s in SECONDS], pa.timestamp(u)) for n, u in enumerate(("s", "ms", "us", "ns"))),
        pa.array(SECONDS, pa.timestamp("s", tz="Asia/Tokyo")),
    ],
    ids=str,
)  # fmt: skip
def test_times_of_every_type(column):
    assert arrow_files.seconds(column, "f", "t", 1).tolist() == SECONDS


def test_days_and_milliseconds():
    assert arrow_files.seconds(pa.array([datetime.date(1970, 1, 3)]), "f", "t", 1).tolist() == [2 * 86_400]
    assert arrow_files.seconds(pa.array([1_600_000_000_999]), "f", "t", 1).tolist() == [1_600_000_000]


GOOD = {
    "user_id": ["u"] * 12,
    "item_id": [str(n) for n in range(12)],
    "rating": [1.0] * 12,
    "timestamp": [5] * 12,
}


@pytest.mark.parametrize(
    ("column", "value", "part"),
    [
        ("user_id", None, "data.parquet, row 8, field 'user_id': None is no id"),
        ("user_id", " ", "row 8, field 'user_id': ' ' is no id"),
        ("item_id", "x" * 201, "row 8, field 'item_id'"),
        ("rating", None, "row 8, field 'rating': None is not a rating"),
        ("rating", -2.0, "row 8, field 'rating': -2.0"),
        ("timestamp", None, "row 8, field 'timestamp': None is not a time"),
        ("timestamp", 10**17, "row 8, field 'timestamp'"),
    ],
)
def test_a_wrong_value_is_named(tmp_path, complaint, monkeypatch, column, value, part):
    monkeypatch.setattr(arrow_files, "_BATCH", 5)  # the fault lies in the second batch
    rows = {name: list(values) for name, values in GOOD.items()}
    rows[column][7] = value
    pq.write_table(pa.table(rows), tmp_path / "data.parquet")
    assert part in complaint(hf_folder.load, tmp_path)


def test_what_is_no_such_folder_is_said(tmp_path, complaint, copied):
    assert "holds no .arrow or .parquet file" in complaint(hf_folder.load, tmp_path)
    pq.write_table(pa.table({"user_id": [1.5] * 12, "item_id": [1] * 12}), tmp_path / "data.parquet")
    assert "double" in complaint(hf_folder.load, tmp_path)
    pq.write_table(pa.table({"user": [1] * 12}), tmp_path / "data.parquet")
    assert "data.parquet, row 1: there is no column 'user_id'" in complaint(hf_folder.load, tmp_path)
    (tmp_path / "data.parquet").write_bytes(b"PAR1 nonsense")
    assert "no readable Arrow or parquet" in complaint(hf_folder.load, tmp_path)
    assert "is no folder" in complaint(hf_folder.load, tmp_path / "data.parquet")
    folder = copied("datasets-arrow")
    (folder / "train" / "state.json").write_text(
        json.dumps({"_indices_data_files": [{"filename": "i.arrow"}]})
    )
    assert "flatten_indices" in complaint(hf_folder.load, folder)
    (folder / "train" / "state.json").write_text("{}")
    (folder / "train").rename(folder / "everything")
    assert "named after none" in complaint(hf_folder.load, folder)
    pq.write_table(pa.table({"user_id": [1]}), folder / "test" / "more.parquet")
    (folder / "everything").rename(folder / "train")
    assert "has other columns" in complaint(hf_folder.load, folder)


def test_files_that_a_map_left_behind_are_passed_over(copied):
    folder = copied("datasets-arrow")
    (folder / "train" / "cache-0123.arrow").write_bytes(b"x")
    assert np.bincount(hf_folder.load(folder).parts).tolist() == [6, 2, 2]
