"""The cut a source comes with survives sorting, filtering and storage."""

import numpy as np
import pandas as pd
import pytest

from rec_core.data.filters import core_of
from rec_core.data.given_split import given_parts
from rec_core.data.storage import load_saved, save_dataset
from rec_core.types import Catalogue, InputError


@pytest.fixture
def dataset(as_dataset, random_interactions):
    made = random_interactions(3)
    table = pd.DataFrame({"item_id": made.item_ids, "title": made.item_ids})
    users = pd.DataFrame({"user_id": made.user_ids})
    parts = np.random.default_rng(0).integers(0, 3, len(made)).astype(np.int8)
    return as_dataset(made, Catalogue(table), users, parts=parts)


def facts(dataset):
    made = dataset.interactions
    columns = made.user_ids[made.user_nums], made.item_ids[made.item_nums], made.timestamps, dataset.parts
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_every_row_is_in_the_part_it_is_marked_with(dataset):
    split = given_parts(dataset)
    for number, rows in enumerate((split.train, split.valid, split.test)):
        assert rows.tolist() == [row for row, part in enumerate(dataset.parts.tolist()) if part == number]
    assert split.kind == "given"


def test_a_source_that_is_not_cut_is_refused(as_dataset, dataset):
    plain = as_dataset(dataset.interactions, dataset.catalogue, dataset.users)
    with pytest.raises(InputError, match="'planted' does not come cut into parts; choose another split"):
        given_parts(plain)


def test_kept_rows_stay_in_their_part(dataset):
    part = core_of(dataset, 6, 6, "core")
    assert 0 < len(part.interactions) < len(dataset.interactions)
    whole = facts(dataset)
    for row in facts(part):
        whole.remove(row)  # every kept row is a row of the whole, part and all
    assert part.parts.dtype == np.int8


def test_storage_keeps_the_cut(dataset, tmp_path):
    save_dataset(dataset, tmp_path / "cut")
    loaded = load_saved(tmp_path / "cut")
    assert loaded.parts.dtype == np.int8 and loaded.parts.tolist() == dataset.parts.tolist()
