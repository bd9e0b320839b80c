"""Amazon Beauty's sequences from an invented fixture, and the real counts."""

import numpy as np
import pytest

from rec_core.data.sources import amazon_beauty, load_source

A, B, C, D = (f"B0000000{letter:0>2}" for letter in "ABCD")


def test_sequences_keep_their_order_and_numbers_become_asins(fixtures, rows_of):
    dataset = amazon_beauty.load(fixtures)
    expected = [
        ("1", D),
        ("1", C),
        ("1", B),
        ("2", C),
        ("2", A),
        ("2", D),
        ("3", A),
        ("3", B),
        ("3", C),
        ("3", D),
    ]
    assert [(user, item) for user, item, *_ in rows_of(dataset)] == expected
    assert np.isnan(dataset.interactions.ratings).all() and not dataset.has_time
    assert dataset.item_noun == "product"


def test_item_numbers_do_not_tell_the_order_of_first_mention(fixtures):
    assert amazon_beauty.load(fixtures).interactions.item_ids.tolist() == [A, B, C, D]


def test_an_item_without_a_title_goes_by_its_asin(fixtures):
    dataset = amazon_beauty.load(fixtures)
    table = dataset.catalogue.table
    assert table["title"].tolist() == ["Nail Glass", B, "Comb of Oak", "Soap, Sea, 3 oz"]
    assert table["tags"].tolist()[1] == "na categories beauty"
    assert "1 of 4 items have no title" in dataset.notes[0]


@pytest.mark.parametrize(
    ("file", "old", "new", "part"),
    [
        ("sequential_data.txt", b"2 2 4 1", b"2 2 4 9", "sequential_data.txt, row 2, field 'item': '9'"),
        ("sequential_data.txt", b"2 2 4 1", b"1 2 4 1", "row 2: the line must hold a user who was not there"),
        ("sequential_data.txt", b"2 2 4 1", b"2", "row 2: the line must hold"),
        ("items.csv", b"B00000000C", b"B00000000D", "items.csv, row 3, field 'asin'"),
        ("items.csv", b"asin,", b"sku,", "items.csv, row 1: there is no column 'asin'"),
    ],
)
def test_a_fault_is_named(copied, complaint, file, old, new, part):
    assert part in complaint(amazon_beauty.load, copied("amazon-beauty", file, old, new))


@pytest.mark.real
def test_real_counts():
    dataset = load_source("amazon-beauty")
    made, table = dataset.interactions, dataset.catalogue.table
    assert (made.n_users, made.n_items, len(made)) == (22_363, 12_101, 198_502)
    assert int((table["title"] != table["item_id"]).sum()) == 12_094
    assert min(np.bincount(made.user_nums).min(), np.bincount(made.item_nums).min()) == 5
