"""What the peer is given is our split: read back, and cut again the way the peer cuts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.cases import ClickCase, RankingCase, random_rows, sample_users
from benchmarks.export import PARTS, export_ctr, export_ranking, read_part
from rec_core.data.ctr import make_ctr_samples
from rec_core.data.filters import core_of
from rec_core.data.interactions import make_interactions
from rec_core.data.splits import leave_one_out
from rec_core.types import Catalogue, Dataset, InputError, Split

USERS = [0, 0, 1, 0, 1, 1, 0, 2, 2, 2]
ITEMS = [3, 1, 1, 0, 2, 0, 2, 0, 3, 1]


@pytest.fixture
def interactions():
    """Ten rows of three users, most of them at the same second."""
    return make_interactions([f"u{u}" for u in USERS], [f"i{i}" for i in ITEMS], [4, 3] * 5, [7] * 8 + [8, 8])


@pytest.fixture
def dataset(interactions):
    n_users, n_items = interactions.n_users, interactions.n_items
    catalogue = pd.DataFrame(
        {
            "item_id": interactions.item_ids,
            "title": "t",
            "year": pd.array([1990, None, 1991, 1990], dtype="Int64"),
            "genres": ["Drama|War", "", "Film Noir", "War"],
            "description": "",
        }
    )
    users = pd.DataFrame(
        {
            "user_id": interactions.user_ids,
            "gender": ["man", "woman", "man"],
            "age_group": ["under 18", "18-24", "18-24"],
            "occupation": ["other or none", "artist", "artist"],
            "zip_code": ["1", "2", "3"],
        }
    )
    assert (n_users, n_items) == (3, 4)
    return Dataset("tiny", interactions, Catalogue(catalogue), users, "here", "none", "0", 3.0, 5.0)


def cut_as_the_peer_does(table: pd.DataFrame) -> dict[str, set]:
    """RecBole's leave-one-out: sort by time, group by user, last row test, the one before it valid."""
    parts = {part: set() for part in PARTS}
    for _, rows in table.sample(frac=1, random_state=0).sort_values("timestamp").groupby("user_id"):
        pairs = list(zip(rows["user_id"], rows["item_id"], strict=True))
        parts["test"].add(pairs[-1])
        parts["valid"].add(pairs[-2])
        parts["train"].update(pairs[:-2])
    return parts


def test_ranking_parts_come_back_as_they_were(tmp_path: Path, interactions):
    split = leave_one_out(interactions)
    target = export_ranking(tmp_path, "case", interactions.user_nums, interactions.item_nums, split)
    for part in PARTS:
        rows = getattr(split, part)
        found = read_part(target, part)
        assert found["user_id"].tolist() == interactions.user_nums[rows].tolist()
        assert found["item_id"].tolist() == interactions.item_nums[rows].tolist()
        assert found["timestamp"].tolist() == rows.tolist()


def test_the_peers_own_cut_is_ours_although_times_tie(tmp_path: Path, interactions):
    split = leave_one_out(interactions)
    target = export_ranking(tmp_path, "case", interactions.user_nums, interactions.item_nums, split)
    table = pd.read_csv(target / "case.inter", sep="\t").rename(columns=lambda name: name.partition(":")[0])
    table["timestamp"] = table["timestamp"].astype(np.float32)
    theirs = cut_as_the_peer_does(table)
    for part in PARTS:
        rows = getattr(split, part)
        ours = set(
            zip(interactions.user_nums[rows].tolist(), interactions.item_nums[rows].tolist(), strict=True)
        )
        assert theirs[part] == ours


def test_columns_carry_the_types_the_peer_reads(tmp_path: Path, interactions):
    export_ranking(
        tmp_path, "case", interactions.user_nums, interactions.item_nums, leave_one_out(interactions)
    )
    header = (tmp_path / "case" / "case.inter").read_text().split("\n", 1)[0]
    assert header == "user_id:token\titem_id:token\ttimestamp:float"


def test_a_number_that_no_row_has_is_refused(tmp_path: Path):
    split = Split("all", np.arange(3), np.empty(0, int), np.empty(0, int))
    with pytest.raises(InputError, match="item number 1"):
        export_ranking(tmp_path, "case", np.array([0, 1, 1]), np.array([0, 2, 2]), split)
    with pytest.raises(InputError, match="user number 0"):
        export_ranking(tmp_path, "case", np.array([1, 1, 1]), np.array([0, 1, 2]), split)


def test_more_rows_than_a_float_can_number_are_refused(tmp_path: Path):
    nums = np.zeros(2**24 + 1, dtype=np.int8)
    split = Split("all", np.arange(1), np.empty(0, int), np.empty(0, int))
    with pytest.raises(InputError, match="too many"):
        export_ranking(tmp_path, "case", nums, nums, split)


def test_click_rows_keep_order_and_labels(tmp_path: Path, dataset):
    samples = make_ctr_samples(dataset.interactions, dataset.like_threshold, min_history=0)
    case = ClickCase("clicks", dataset, samples, random_rows(len(samples), seed=1))
    case.export(tmp_path)
    for part in PARTS:
        rows, found = getattr(case.split, part), read_part(tmp_path / "clicks", part)
        assert found["user_id"].tolist() == samples.user_nums[rows].tolist()
        assert found["item_id"].tolist() == samples.item_nums[rows].tolist()
        assert found["label"].tolist() == samples.labels[rows].tolist()


def test_attributes_are_one_word_each_and_bags_are_several(tmp_path: Path, dataset):
    samples = make_ctr_samples(dataset.interactions, dataset.like_threshold, min_history=0)
    ClickCase("clicks", dataset, samples, random_rows(len(samples), seed=1)).export(tmp_path)
    users = (tmp_path / "clicks" / "clicks.user").read_text().splitlines()
    items = (tmp_path / "clicks" / "clicks.item").read_text().splitlines()
    assert users[0] == "user_id:token\tage_group:token\tgender:token\toccupation:token"
    assert users[1] == "0\tunder_18\tman\tother_or_none"
    assert items[0] == "item_id:token\tyear:token\tgenres:token_seq"
    by_item = {line.split("\t", 1)[0]: line.split("\t")[1:] for line in items[1:]}
    assert by_item == {
        "0": ["1990", "Drama War"],
        "1": ["", ""],
        "2": ["1991", "Film_Noir"],
        "3": ["1990", "War"],
    }


def test_years_of_age_push_out_the_age_group(dataset):
    both = replace(dataset, users=dataset.users.assign(age_years=[17, 20, 21]))
    samples = make_ctr_samples(both.interactions, 3.0, min_history=0)
    case = ClickCase("clicks", both, samples, random_rows(len(samples), seed=1))
    assert case.user_columns == ("age_years", "gender", "occupation")


def test_rows_are_dealt_once_and_by_the_seed():
    split = random_rows(1003, seed=5)
    assert [len(part) for part in (split.train, split.valid, split.test)] == [803, 100, 100]
    assert np.array_equal(np.sort(np.concatenate([split.train, split.valid, split.test])), np.arange(1003))
    assert np.array_equal(split.test, random_rows(1003, seed=5).test)
    assert not np.array_equal(split.test, random_rows(1003, seed=6).test)


def test_sampled_users_keep_their_whole_histories(tmp_path: Path, dataset):
    drawn = sample_users(dataset, 2, seed=0)
    kept = set(drawn.interactions.user_nums.tolist())
    assert len(kept) == 2
    assert len(drawn.interactions) == int(np.isin(dataset.interactions.user_nums, list(kept)).sum())
    small = core_of(drawn, 1, 1, "small")
    assert small.interactions.n_users == 2
    case = RankingCase("small", small, leave_one_out(small.interactions))
    case.export(tmp_path)
    assert len(read_part(tmp_path / "small", "test")) == 2


def test_more_users_than_there_are_cannot_be_drawn(dataset):
    with pytest.raises(InputError, match="3 users"):
        sample_users(dataset, 4, seed=0)


def test_export_ctr_writes_the_attributes_by_number(tmp_path: Path):
    split = Split("all", np.array([1]), np.array([0]), np.array([2]))
    users, items = np.array([0, 1, 1]), np.array([0, 0, 1])
    export_ctr(
        tmp_path, "c", users, items, np.array([1, 0, 1]), split, {"a": ["x", "y"]}, {"b": ["p", "q"]}, {}
    )
    assert (tmp_path / "c" / "c.user").read_text() == "user_id:token\ta:token\n0\tx\n1\ty\n"
    assert read_part(tmp_path / "c", "train")["label"].tolist() == [0]
