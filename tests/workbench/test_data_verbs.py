"""Datasets as verbs: nothing that runs depend on is ever replaced, and a list needs no reading."""

import pandas as pd
import pytest

from rec_core.store import Workspace
from rec_core.types import InputError
from rec_core.workbench import datasets, filter_dataset, import_table, load_dataset, preview_table


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
