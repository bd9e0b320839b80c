"""Datasets as verbs: nothing that runs depend on is ever replaced, and a list needs no reading."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rec_core.data.interactions import make_interactions, reordered
from rec_core.data.last_of_user import last_of_user
from rec_core.data.storage import save_dataset
from rec_core.store import Workspace
from rec_core.types import InputError
from rec_core.workbench import (
    datasets,
    filter_dataset,
    filter_recipes,
    import_table,
    load_dataset,
    preview_table,
    split_preview,
)


@pytest.fixture
def space(tmp_path):
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def log(tmp_path):
    rows = [(f"u{u}", f"i{i}", 1 + (u + i) % 5, 100 * u + i) for u in range(6) for i in range(5)]
    path = tmp_path / "log.csv"
    pd.DataFrame(rows, columns=["user_id", "item_id", "rating", "timestamp"]).to_csv(path, index=False)
    return path


def test_a_name_in_use_is_refused_and_the_dataset_stays(space, log):
    import_table(log, "mine", workspace=space)
    before = load_dataset("mine", workspace=space).content_hash
    for again in (
        lambda: import_table(log, "mine", workspace=space),
        lambda: filter_dataset("mine", "mine", 5, 5, workspace=space),
        lambda: filter_dataset("mine", "sample", 5, 5, workspace=space),
    ):
        with pytest.raises(InputError, match="choose another name"):
            again()
    assert load_dataset("mine", workspace=space).content_hash == before


def test_the_core_says_what_it_kept_and_dropped(space, log):
    import_table(log, "mine", workspace=space)
    facts = filter_dataset("mine", "core", 5, 6, workspace=space)
    assert facts["kept"] == {"users": 6, "items": 5, "interactions": 30}
    assert facts["dropped"] == {"users": 0, "items": 0, "interactions": 0}
    assert load_dataset("core", workspace=space).interactions.n_users == 6


def test_the_list_counts_without_loading(space, log):
    import_table(log, "mine", workspace=space)
    (row,) = [r for r in datasets(workspace=space).to_dict("records") if r["name"] == "mine"]
    assert (row["users"], row["items"], row["interactions"], row["imported"]) == (6, 5, 30, True)


def test_a_preview_speaks_as_the_importer_does(tmp_path, log):
    assert list(preview_table(log).columns) == ["user_id", "item_id", "rating", "timestamp"]
    assert len(preview_table(log, 3)) == 3
    empty = tmp_path / "empty.csv"
    empty.write_bytes(b"")
    with pytest.raises(InputError, match="empty.csv"):
        preview_table(empty)


def test_a_published_filter_goes_by_its_name_and_single_numbers_change_it(space, log):
    import_table(log, "mine", workspace=space)
    with pytest.raises(InputError, match="No part of 'mine' has items of exactly 3 genres"):
        filter_dataset("mine", "part", recipe="rallrec-amazon", workspace=space)
    changed = {"genre_depth": 0, "user_core": 5, "item_core": 6, "top_items": 2}
    facts = filter_dataset("mine", "part", recipe="rallrec-amazon", workspace=space, **changed)
    assert facts["kept"] == {"users": 6, "items": 2, "interactions": 12}
    assert facts["filter"] == (
        "5 to 200 rows per user, 6 to 200 rows per item, of these items the 2 with most rows"
    )
    with pytest.raises(InputError, match="choose rallrec-amazon"):
        filter_dataset("mine", "other", recipe="none", workspace=space)
    assert list(filter_recipes()) == ["rallrec-amazon"]


def test_the_preview_of_a_dataset_that_asks_each_user_once(space):
    rng = np.random.default_rng(0)
    rows = make_interactions(np.repeat(np.arange(40), 8), rng.integers(0, 30, 320), rng.integers(1, 6, 320))
    whole = load_dataset("sample", workspace=space)
    made = replace(
        whole,
        name="books",
        interactions=reordered(rows, last_of_user(rows)),
        has_time=False,
        questions="last_of_user",
    )
    save_dataset(made, space.dataset_path("books"))
    preview = split_preview("books", workspace=space)
    assert {part: sizes["users"] for part, sizes in preview["parts"].items()} == {
        "train": 32, "valid": 4, "test": 4,
    }  # fmt: skip
    checks = {leak["check"]: leak["ok"] for leak in preview["leaks"]}
    assert checks["test users known"] and checks["rows in order"] and checks["users in order"]
