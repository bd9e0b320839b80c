"""What is saved comes back exactly."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from rec_core.data import storage
from rec_core.data.storage import load_saved, save_dataset
from rec_core.store import read_json, write_json
from rec_core.types import Catalogue, InputError


@pytest.fixture
def dataset(as_dataset, random_interactions):
    made = random_interactions(0)
    made.ratings[3] = np.nan
    table = pd.DataFrame(
        {
            "item_id": [str(item) for item in range(12)],
            "title": [f'Été {item} "x" 𝛼' for item in range(12)],
            "year": pd.array([1990, None] * 6, dtype="Int64"),
            "genres": ["Drama|War", ""] * 6,
            "description": ["two\nlines", ""] * 6,
            "director": ["Somebody", None] * 6,
        }
    )
    users = pd.DataFrame({"user_id": [str(user) for user in range(8)], "age": np.arange(8)})
    truth = {
        "seed": 7,
        "share": 0.1,
        "none": None,
        "personas": [{"weights": np.array([[0.25, 0.75]], dtype=np.float32)}, {"weights": np.arange(3)}],
        "names": np.array(["a", "bb"]),
        "table": pd.DataFrame({"user_id": ["0", "1"], "taste": [0.5, np.nan]}),
        "second": pd.DataFrame({"n": [1, 2]}),
    }
    return as_dataset(
        made, Catalogue(table), users, notes=("One.", "Two."), simulated=True, item_noun="film", truth=truth
    )


def assert_same(one, other):
    assert type(one) is type(other)
    if dataclasses.is_dataclass(one):
        for field in dataclasses.fields(one):
            assert_same(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    elif isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            assert_same(left, right)
    else:
        assert one == other


def test_round_trip_is_exact(dataset, tmp_path):
    save_dataset(dataset, tmp_path / "datasets" / "planted")
    assert_same(load_saved(tmp_path / "datasets" / "planted"), dataset)


def test_nothing_is_pickled_and_nothing_is_left_over(dataset, tmp_path):
    save_dataset(dataset, tmp_path / "planted")
    assert {path.suffix for path in (tmp_path / "planted").iterdir()} == {".json", ".parquet", ".safetensors"}
    assert [path.name for path in tmp_path.iterdir()] == ["planted"]


def test_saving_again_replaces(dataset, tmp_path):
    save_dataset(dataset, tmp_path / "planted")
    save_dataset(dataclasses.replace(dataset, notes=("Three.",), truth={}), tmp_path / "planted")
    assert load_saved(tmp_path / "planted").notes == ("Three.",)
    assert not (tmp_path / "planted" / "truth.safetensors").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["planted"]


@pytest.mark.parametrize("truth", [{"key": {1: 2}}, {"key": object()}, {"$array": 1}])
def test_what_cannot_be_saved_is_named_and_the_old_dataset_stays(dataset, tmp_path, truth):
    save_dataset(dataset, tmp_path / "planted")
    with pytest.raises(InputError, match="truth"):
        save_dataset(dataclasses.replace(dataset, truth=truth), tmp_path / "planted")
    assert_same(load_saved(tmp_path / "planted"), dataset)
    assert [path.name for path in tmp_path.iterdir()] == ["planted"]


def test_a_failed_swap_puts_the_old_dataset_back(dataset, tmp_path, monkeypatch):
    save_dataset(dataset, tmp_path / "planted")
    replace = storage.Path.replace

    def fail_on_the_new_one(path, target):
        if path.name == "dataset":
            raise OSError("disk full")
        return replace(path, target)

    monkeypatch.setattr(storage.Path, "replace", fail_on_the_new_one)
    with pytest.raises(OSError, match="disk full"):
        save_dataset(dataclasses.replace(dataset, notes=()), tmp_path / "planted")
    monkeypatch.undo()
    assert_same(load_saved(tmp_path / "planted"), dataset)


def test_no_dataset_there(tmp_path):
    with pytest.raises(InputError, match="no dataset in"):
        load_saved(tmp_path)


def test_a_folder_from_before_a_fact_was_kept_opens_as_it_was_then(dataset, tmp_path):
    save_dataset(dataclasses.replace(dataset, questions="last_of_user"), tmp_path / "planted")
    assert load_saved(tmp_path / "planted").questions == "last_of_user"
    facts = read_json(tmp_path / "planted" / "dataset.json")
    del facts["questions"]
    write_json(tmp_path / "planted" / "dataset.json", facts)
    assert_same(load_saved(tmp_path / "planted"), dataset)
