"""Ids and numbers: there and back."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rec_core.data.vocab import Vocab
from rec_core.types import InputError

some_ids = st.lists(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1), min_size=1
)


@given(some_ids)
def test_numbers_follow_first_appearance_and_lead_back(values):
    vocab = Vocab.from_values(values)
    naive: dict[str, int] = {}
    for value in values:
        naive.setdefault(value, len(naive))
    nums = vocab.nums(values)
    assert nums.tolist() == [naive[value] for value in values]
    assert nums.dtype == np.int32
    assert vocab.ids(nums).tolist() == values
    assert len(vocab) == len(naive)


def test_integers_and_their_texts_are_the_same_ids():
    vocab = Vocab(np.array(["10", "2", "7"]))
    assert vocab.nums(np.array([7, 10, 7])).tolist() == [2, 0, 2]
    assert vocab.nums(pd.Series(["2"])).tolist() == [1]
    assert vocab.contains(10) and vocab.contains("2") and not vocab.contains("1")


def test_unknown_id_is_named_with_its_position():
    with pytest.raises(InputError, match=r"'x' at position 1 is none of the 2 known ids"):
        Vocab(np.array(["a", "b"])).nums(["a", "x", "b"])


@pytest.mark.parametrize("missing", [None, float("nan"), ""])
def test_missing_id_is_refused_with_its_position(missing):
    with pytest.raises(InputError, match="position 2 is empty"):
        Vocab.from_values(np.array(["a", "a", missing], dtype=object))
    with pytest.raises(InputError, match="position 1 is empty"):
        Vocab(np.array(["a", missing], dtype=object))


def test_repeated_id_is_refused():
    with pytest.raises(InputError, match="'a' comes twice"):
        Vocab(np.array(["a", "b", "a"]))


@pytest.mark.parametrize("num", [-1, 2])
def test_numbers_outside_are_refused(num):
    with pytest.raises(InputError, match=f"number {num} "):
        Vocab(np.array(["a", "b"])).ids([0, num])


def test_empty_lists():
    vocab = Vocab(np.array(["a"]))
    assert vocab.nums([]).tolist() == []
    assert vocab.ids([]).tolist() == []
    assert len(Vocab.from_values([])) == 0
