"""RecBole's atomic files: whole or cut, a folder or a zip, the same as the table importer reads them."""

import zipfile

import numpy as np
import pytest

from rec_core.data.sources import recbole
from rec_core.data.sources.table import load_table


def expected(ten, second=lambda k: 900_000_000 + 100 * k):
    return [(f"u{u}", f"i{i}", r, second(k)) for k, (u, i, r) in enumerate(ten)]


def test_a_folder(fixtures, rows_of, ten):
    dataset = recbole.load(fixtures / "recbole", "mine", item_noun="movie")
    assert rows_of(dataset) == expected(ten)
    table = dataset.catalogue.table
    assert table["item_id"].tolist() == ["i2", "i0", "i1", "i9", "i3"], "listed items first, then the logs'"
    assert table["title"].tolist() == ['Orbit "Second', "Harbour of Glass", "Le Pêcheur", "Never Seen", "i3"]
    assert table["genres"].tolist() == ["Sci-Fi", "Drama|Romance", "Comedy|Children's", "", ""]
    assert dataset.users.to_dict("list") == {
        "user_id": ["u0", "u1", "u2"], "age": ["24", "53", ""], "gender": ["M", "F", ""],
    }  # fmt: skip
    assert (dataset.has_time, dataset.parts, dataset.item_noun, dataset.name) == (True, None, "movie", "mine")
    assert any("1 items are not in invented.item" in note for note in dataset.notes)


def test_equals_the_table_importer(fixtures, rows_of):
    folder = fixtures / "recbole"
    alone = recbole.load(folder / "invented.inter")
    table = load_table(folder / "invented.inter")
    assert rows_of(alone) == rows_of(table)
    assert alone.catalogue.table.to_dict("list") == table.catalogue.table.to_dict("list")
    assert (alone.like_threshold, alone.max_rating) == (table.like_threshold, table.max_rating)


def test_parts_follow_their_rows_into_time_order(fixtures, ten):
    dataset = recbole.load(fixtures / "recbole-cut")
    made = dataset.interactions
    assert (np.diff(made.timestamps) > 0).all() and np.isnan(made.ratings).all()
    found = {
        (made.user_ids[user], made.item_ids[item], int(second), int(part))
        for user, item, second, part in zip(
            made.user_nums, made.item_nums, made.timestamps, dataset.parts, strict=True
        )
    }
    part_of = [0] * 6 + [1] * 2 + [2] * 2
    assert found == {
        (f"u{u}", f"i{i}", 900_000_000 + 100 * (k * 7 % 10), part_of[k]) for k, (u, i, _) in enumerate(ten)
    }


def test_a_zip(fixtures, tmp_path, rows_of, ten):
    with zipfile.ZipFile(tmp_path / "ml.zip", "w") as archive:
        for file in (fixtures / "recbole").iterdir():
            archive.write(file, f"ml/{file.name}")
    dataset = recbole.load(tmp_path / "ml.zip")
    assert rows_of(dataset) == expected(ten) and dataset.users["gender"].tolist() == ["M", "F", ""]


def test_a_mapping_renames_columns_of_all_files(copied, rows_of, ten):
    folder = copied("recbole", "invented.inter", b"user_id:token\titem_id", b"reader:token\tbook")
    path = folder / "invented.item"
    path.write_bytes(path.read_bytes().replace(b"item_id", b"book"))
    mapping = {"user_id": "reader", "item_id": "book", "title": "release_year"}
    (folder / "invented.user").unlink()
    dataset = recbole.load(folder, mapping=mapping)
    assert rows_of(dataset) == expected(ten)
    assert dataset.catalogue.titles == ["1984", "1961", "i1", "1990", "i3"]


def test_items_without_any_title_go_by_their_id(copied):
    folder = copied("recbole", "invented.item", b"movie_title", b"colour")
    table = recbole.load(folder).catalogue.table
    assert table["title"].tolist() == table["item_id"].tolist()
    assert table["colour"].tolist()[0] == 'Orbit "Second'


@pytest.mark.parametrize(
    ("file", "old", "new", "part"),
    [
        ("invented.inter", b"u2\ti3\t5", b"u2\ti3\tx", "invented.inter, row 6, field 'rating': 'x'"),
        (
            "invented.inter",
            b"u2\ti3\t5",
            b"u2\ti3",
            "invented.inter, row 6: there are 3 values for 4 columns",
        ),
        ("invented.inter", b"u2\ti3\t5", b"\ti3\t5", "row 6, field 'user_id': '' is no id"),
        ("invented.inter", b"item_id", b"thing", "invented.inter, row 1: there is no column 'item_id'"),
        ("invented.inter", b"item_id", b"user_id", "row 1: a column comes twice"),
        ("invented.inter", b"900000400.0", b"9000004000000", "row 6, field 'timestamp'"),
        ("invented.item", b"i0\t", b"i2\t", "invented.item, row 3, column 'item_id'"),
    ],
)
def test_a_fault_is_named(copied, complaint, file, old, new, part):
    assert part in complaint(recbole.load, copied("recbole", file, old, new))


def test_files_of_two_datasets_are_refused(copied, complaint):
    folder = copied("recbole")
    (folder / "other.inter").write_bytes(b"x")
    assert "which are not one dataset" in complaint(recbole.load, folder)
    (folder / "other.inter").rename(folder / "invented.train.inter")
    assert "which are not one dataset" in complaint(recbole.load, folder)
    for file in folder.glob("*.inter"):
        file.unlink()
    assert "holds no .inter file" in complaint(recbole.load, folder)
