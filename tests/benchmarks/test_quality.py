"""Both libraries' scores are judged alike, however they were left."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks.cases import ClickCase, RankingCase, random_rows
from benchmarks.quality import click_rows, ranking_rows, scores_of
from rec_core.data.ctr import make_ctr_samples
from rec_core.data.interactions import make_interactions
from rec_core.data.splits import leave_one_out
from rec_core.types import Catalogue, Dataset

N_USERS, N_ITEMS = 12, 9


@pytest.fixture
def dataset():
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(N_USERS), 5)
    items = np.concatenate([rng.permutation(N_ITEMS)[:5] for _ in range(N_USERS)])
    ratings, times = rng.integers(1, 6, len(users)), rng.permutation(len(users))
    ids = [f"i{item}" for item in range(N_ITEMS)]
    interactions = make_interactions([f"u{user}" for user in users], [ids[i] for i in items], ratings, times)
    table = pd.DataFrame({"item_id": interactions.item_ids, "title": "t", "year": 2000, "genres": ""})
    return Dataset(
        "tiny",
        interactions,
        Catalogue(table),
        pd.DataFrame({"user_id": interactions.user_ids}),
        "",
        "",
        "0",
        3,
        5,
    )


def write_rows(folder: Path, users: np.ndarray, scores: np.ndarray) -> Path:
    folder.mkdir()
    np.save(folder / "score_users.npy", users)
    np.save(folder / "scores.npy", scores.astype(np.float32))
    return folder


def test_vectors_and_rows_of_scores_say_the_same(tmp_path: Path):
    rng = np.random.default_rng(1)
    users, items = rng.normal(size=(5, 3)).astype(np.float32), rng.normal(size=(7, 3)).astype(np.float32)
    vectors = tmp_path / "vectors"
    vectors.mkdir()
    np.save(vectors / "user_vectors.npy", users)
    np.save(vectors / "item_vectors.npy", items)
    shuffled = np.array([3, 0, 4])
    rows = write_rows(tmp_path / "rows", shuffled, (users @ items.T)[shuffled])
    asked = np.array([0, 3, 4])
    assert torch.allclose(scores_of(vectors)(asked), scores_of(rows)(asked), atol=1e-6)


def test_a_side_that_knows_the_answer_wins_and_the_interval_says_so(tmp_path: Path, dataset):
    case = RankingCase("tiny", dataset, leave_one_out(dataset.interactions))
    rows, users = dataset.interactions, np.arange(N_USERS)
    answer = np.empty(N_USERS, dtype=int)
    answer[rows.user_nums[case.split.test]] = rows.item_nums[case.split.test]
    knows, wrong = np.zeros((2, N_USERS, dataset.interactions.n_items))
    knows[users, answer], wrong[users, answer] = 1, -1
    found = ranking_rows(
        "m",
        case,
        [write_rows(tmp_path / "a", users, knows)],
        [write_rows(tmp_path / "b", users, wrong)],
        seed=0,
    )
    mrr = next(row for row in found if row["metric"] == "test mrr@10")
    # nine items less the four the user already has leave five: the answer is first, or last of five
    assert (mrr["ours"], mrr["peer"]) == pytest.approx((1.0, 1 / 5))
    assert mrr["low"] <= mrr["difference"] <= mrr["high"] and mrr["low"] > 0
    assert mrr["n"] == N_USERS and mrr["ratio"] == pytest.approx(5)


def test_click_rows_read_test_scores_in_the_order_of_the_test_rows(tmp_path: Path, dataset):
    samples = make_ctr_samples(dataset.interactions, 3.0, min_history=0)
    case = ClickCase("tiny", dataset, samples, random_rows(len(samples), seed=0))
    labels = samples.labels[case.split.test].astype(np.float64)
    assert 0 < labels.mean() < 1
    for name, probs in (("a", 0.25 + labels / 2), ("b", 0.75 - labels / 2)):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "test_scores.npy", probs)
    auc, loss = click_rows("m", case, [tmp_path / "a"], [tmp_path / "b"], seed=0)
    assert (auc["ours"], auc["peer"], auc["higher_is_better"]) == (1.0, 0.0, True)
    assert loss["ours"] == pytest.approx(-np.log(0.75)) and loss["peer"] == pytest.approx(-np.log(0.25))
    assert loss["ratio"] > 1 and loss["difference"] < 0


def test_several_seeds_are_compared_by_their_means(tmp_path: Path, dataset):
    case = RankingCase("tiny", dataset, leave_one_out(dataset.interactions))
    rng = np.random.default_rng(4)
    folders = [
        write_rows(tmp_path / name, np.arange(N_USERS), rng.normal(size=(N_USERS, N_ITEMS)))
        for name in "abcd"
    ]
    one = [ranking_rows("m", case, [ours], [peer], 0) for ours, peer in (folders[:2], folders[2:])]
    both = ranking_rows("m", case, folders[::2], folders[1::2], 0)
    for first, second, mean in zip(*one, both, strict=True):
        assert mean["ours"] == pytest.approx((first["ours"] + second["ours"]) / 2)
        assert mean["by_seed"] == pytest.approx([first["difference"], second["difference"]])
        assert mean["difference"] == pytest.approx(np.mean(mean["by_seed"]))

    samples = make_ctr_samples(dataset.interactions, 3.0, min_history=0)
    clicks = ClickCase("tiny", dataset, samples, random_rows(len(samples), seed=0))
    for folder in folders:
        np.save(folder / "test_scores.npy", rng.uniform(0.1, 0.9, len(clicks.split.test)))
    single = [click_rows("m", clicks, [a], [b], 0) for a, b in (folders[:2], folders[2:])]
    for first, second, mean in zip(
        *single, click_rows("m", clicks, folders[::2], folders[1::2], 0), strict=True
    ):
        assert mean["by_seed"] == pytest.approx([first["difference"], second["difference"]])
        assert mean["difference"] == pytest.approx(np.mean(mean["by_seed"]))
