"""What every source promises, on its fixture in the original format."""

import numpy as np
import pytest

from rec_core.data.given_split import given_parts
from rec_core.data.sources import SOURCES, load_source
from rec_core.data.sources.files import load_files
from rec_core.data.splits import leak_checks
from rec_core.data.storage import load_saved, save_dataset

BUILT_IN = [name for name in SOURCES if name != "sample"]
FOLDERS = [
    *("amazon-2014", "amazon-2018", "amazon-2023", "steam", "yelp", "recbole", "recbole-cut"),
    *("matrices", "datasets-arrow"),
]


@pytest.fixture(params=[*BUILT_IN, *FOLDERS])
def load(request, fixtures, monkeypatch):
    monkeypatch.setenv("ROSETTA_DATA", str(fixtures))
    if request.param in BUILT_IN:
        return lambda: load_source(request.param)
    return lambda: load_files(fixtures / request.param, name="mine")


def test_tables_numbers_and_parts_are_aligned(load):
    dataset = load()
    made, table = dataset.interactions, dataset.catalogue.table
    assert len(made) >= 10
    assert made.item_ids.tolist() == table["item_id"].tolist()
    assert made.user_ids.tolist() == dataset.users["user_id"].tolist()
    assert table.columns.tolist()[:5] == ["item_id", "title", "year", "genres", "description"]
    assert str(table["year"].dtype) == "Int64" and (table["title"] != "").all()
    assert 0 <= made.user_nums.min() and made.user_nums.max() < made.n_users
    assert 0 <= made.item_nums.min() and made.item_nums.max() < made.n_items
    assert (np.diff(made.timestamps) >= 0).all()
    rated = made.ratings[~np.isnan(made.ratings)]
    assert not len(rated) or 0 <= rated.min() <= rated.max() <= dataset.max_rating
    assert 0 <= dataset.like_threshold < dataset.max_rating
    assert dataset.source and dataset.licence and not dataset.simulated
    assert dataset.parts is None or (dataset.parts.dtype == np.int8 and len(dataset.parts) == len(made))


def test_loading_and_saving_repeat_exactly(load, tmp_path):
    dataset, again = load(), load()
    assert dataset.content_hash == again.content_hash
    save_dataset(dataset, tmp_path / "kept")
    kept = load_saved(tmp_path / "kept")
    for field in ("user_ids", "item_ids", "user_nums", "item_nums", "ratings", "timestamps"):
        np.testing.assert_array_equal(getattr(kept.interactions, field), getattr(dataset.interactions, field))
    np.testing.assert_array_equal(kept.parts, dataset.parts)
    assert kept.catalogue.table.equals(dataset.catalogue.table) and kept.users.equals(dataset.users)


def test_a_cut_is_disjoint_and_complete(load):
    dataset = load()
    if dataset.parts is None:
        return
    split = given_parts(dataset)
    rows = np.concatenate([split.train, split.valid, split.test])
    assert sorted(rows.tolist()) == list(range(len(dataset.interactions)))
    assert len(split.valid) and len(split.test)
    assert leak_checks(dataset.interactions, split)[0]["ok"]
