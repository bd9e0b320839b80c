"""Statistics of a hand-counted dataset."""

import json

import numpy as np
import pandas as pd
import pytest

from rec_core.data.interactions import make_interactions
from rec_core.data.statistics import describe
from rec_core.data.vocab import Vocab
from rec_core.types import Catalogue


@pytest.fixture
def dataset(as_dataset):
    day = 86_400
    made = make_interactions(
        list("aaaabbc"),
        list("xyzxxyx"),
        [5, 4, np.nan, 4.5, 5, 1, 5],
        [0, day, 2 * day, 3 * day, 4 * day, 5 * day, 6 * day],
        users=Vocab(np.array(list("abcd"))),
        items=Vocab(np.array(list("vxyz"))),
    )
    table = pd.DataFrame(
        {
            "item_id": list("vxyz"),
            "title": ["V", "X", "Y", "Z"],
            "year": pd.array([None] * 4, dtype="Int64"),
            "genres": ["", "Drama", " ", "War"],
            "description": [None, "Said.", "", ""],
        }
    )
    return as_dataset(made, Catalogue(table), pd.DataFrame({"user_id": list("abcd")}), notes=("A note.",))


def test_counts(dataset):
    facts = describe(dataset)
    assert (facts["users"], facts["items"], facts["rated_items"], facts["interactions"]) == (4, 4, 3, 7)
    assert facts["density"] == 6 / 16, "the pair (a, x) comes twice and counts once"
    # history lengths 0, 1, 2, 4: quartiles by linear interpolation at positions 0.75, 1.5, 2.25
    assert facts["history_length"] == {"min": 0, "q25": 0.75, "median": 1.5, "q75": 2.5, "max": 4}
    assert facts["rating_counts"] == {"1": 1, "4": 1, "4.5": 1, "5": 3}
    assert facts["popularity"] == [4, 2, 1, 0]
    assert facts["text_coverage"] == {"title": 1.0, "description": 0.25, "genres": 0.5}
    assert facts["time_range"] == ["1970-01-02", "1970-01-07"], "the row of time 0 is undated"
    assert facts["notes"] == ["A note."] and facts["simulated"] is False


def test_it_is_json(dataset):
    assert json.loads(json.dumps(describe(dataset), allow_nan=False)) == describe(dataset)


def test_nothing_at_all(as_dataset):
    table = pd.DataFrame({name: [] for name in ("item_id", "title", "year", "genres", "description")})
    empty = as_dataset(
        make_interactions([], []), Catalogue(table), pd.DataFrame({"user_id": []}), has_time=False
    )
    facts = describe(empty)
    assert facts["density"] == 0 and facts["history_length"]["max"] == 0 and facts["time_range"] is None
