"""LLaRA's windows put back into listeners: an invented fixture, and the real counts."""

import numpy as np
import pytest

from rec_core.data.given_split import given_parts
from rec_core.data.histories import positions_in_history
from rec_core.data.sources import lastfm_llara, load_source
from rec_core.data.splits import leak_checks

EXPECTED = [
    ("train-1", "0", 0), ("train-1", "1", 0), ("train-1", "2", 0),
    ("train-2", "2", 0), ("train-2", "0", 0), ("train-2", "3", 0), ("train-2", "4", 0),
    ("valid-1", "1", 0), ("valid-1", "0", 0), ("valid-1", "4", 1),
    ("test-1", "3", 0), ("test-1", "1", 2),
    ("test-2", "4", 0), ("test-2", "2", 0), ("test-2", "0", 0), ("test-2", "3", 2),
]  # fmt: skip


def test_each_window_is_read_once(fixtures, rows_of):
    dataset = lastfm_llara.load(fixtures)
    rows = [
        (user, item, part)
        for (user, item, *_), part in zip(rows_of(dataset), dataset.parts.tolist(), strict=True)
    ]
    assert rows == EXPECTED
    assert (dataset.has_time, dataset.item_noun) == (False, "artist")
    assert dataset.users["cut"].tolist() == ["train", "train", "valid", "test", "test"]


def test_artists_are_sorted_by_name_so_that_numbers_tell_nothing(fixtures):
    table = lastfm_llara.load(fixtures).catalogue.table
    assert table["title"].tolist() == ["amber", "Café du Nord", "Quiet Engine", "The ::Colons", "Zebra Choir"]
    assert table["item_id"].tolist() == ["3", "2", "1", "4", "0"]


def test_a_window_of_ten_forgets_what_was_before(copied, rows_of):
    lines = ['{"seq": %s, "len_seq": 1, "next": 0}' % ([5] * 10)]
    past = [0]
    for item in (1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2):
        window = past[-10:] + [5] * (10 - len(past[-10:]))
        lines.append(f'{{"seq": {window}, "len_seq": {len(past[-10:])}, "next": {item}}}')
        past.append(item)
    folder = copied("lastfm-llara")
    (folder / "train_data.jsonl").write_text("\n".join(lines))
    found = [item for user, item, *_ in rows_of(lastfm_llara.load(folder)) if user == "train-1"]
    assert found == [str(item) for item in past]


@pytest.mark.parametrize(
    ("file", "old", "new", "part"),
    [
        (
            "train_data.jsonl",
            b"[0, 1, 5",
            b"[0, 2, 5",
            "train_data.jsonl, row 3: the window does not continue",
        ),
        ("train_data.jsonl", b'"next": 0', b'"next": 9', "train_data.jsonl, row 1, field 'next': '9'"),
        ("train_data.jsonl", b'"next": 0', b'"then": 0', "row 1: there is no field 'next'"),
        ("train_data.jsonl", b"[0, 5, 5, ", b"[0, 5, ", "row 2, field 'seq'"),
        ("train_data.jsonl", b"[0, 1, 5", b"[0, 8, 5", "row 3, field 'seq': '8' is not in id2name.txt"),
        ("Val_data.jsonl", b"{", b"", "Val_data.jsonl, row 1: the line is no record"),
        ("id2name.txt", b"2::Caf", b"7::Caf", "id2name.txt, row 3: the line must read 2::name"),
    ],
)
def test_a_fault_is_named(copied, complaint, file, old, new, part):
    assert part in complaint(lastfm_llara.load, copied("lastfm-llara", file, old, new))


@pytest.mark.real
def test_real_counts_and_what_the_docstring_says_of_the_files():
    dataset = load_source("lastfm-llara")
    made, cut = dataset.interactions, dataset.users["cut"].to_numpy()[dataset.interactions.user_nums]
    split = given_parts(dataset)
    assert int((cut == "train").sum()) == 50_800 and int((dataset.users["cut"] == "train").sum()) == 976
    assert (len(split.valid), len(split.test), made.n_items) == (122, 122, 4_606)
    assert len(made) == 52_925
    pairs = made.user_nums.astype(np.int64) * made.n_items + made.item_nums
    assert len(np.unique(pairs)) == len(made), "nobody has an artist twice"
    checks = {check["check"]: check["ok"] for check in leak_checks(made, split)}
    assert checks["users in order"] and checks["pairs apart"] and checks["test users known"]
    last = np.isin(np.arange(len(made)), np.concatenate([split.valid, split.test]))
    assert positions_in_history(made.user_nums)[last].max() == 10
    numbers = made.item_ids[made.item_nums].astype(int)
    held_out = np.unique(made.user_nums[last])
    own = [numbers[made.user_nums == user] for user in held_out]
    assert sum(int(one[-1] == one[:-1].max() + 1) for one in own) == 24
