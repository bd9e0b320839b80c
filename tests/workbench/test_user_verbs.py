"""The users a run served best and worst."""

import pandas as pd
import pytest

from rec_core.types import InputError
from rec_core.workbench import load_run, users_of_run


@pytest.fixture
def found(trained_runs):
    return users_of_run(trained_runs["ease"], "ndcg@10", 3, workspace=trained_runs.space)


def test_the_ends_of_the_metric_are_shown_longer_histories_first(trained_runs, found):
    folder = trained_runs.space.run_path(trained_runs["ease"])
    values = pd.read_parquet(folder / "per_user.parquet")["ndcg@10"].sort_values().tolist()
    assert [record["value"] for record in found["best"]] == values[::-1][:3]
    assert [record["value"] for record in found["worst"]] == values[:3]
    for side in ("best", "worst"):
        keys = [(abs(r["value"] - found[side][0]["value"]), -r["n_history"]) for r in found[side]]
        assert keys == sorted(keys)


def test_a_record_tells_what_was_had_wanted_and_shown(trained_runs, found):
    system = load_run(trained_runs["ease"], workspace=trained_runs.space)
    interactions = system.dataset.interactions
    for record in (*found["best"], *found["worst"]):
        rows = interactions.item_nums[interactions.user_nums == int(record["user"][1:])]
        titles = [f"{system.dataset.catalogue.titles[n]} ({1950 + n})" for n in rows]
        assert record["wanted"] == titles[-1:]  # the last item is the test, the one before it the validation
        assert record["history"] == titles[:-2][::-1][:5]
        assert record["n_history"] == len(titles) - 2
        assert not set(record["recommended"]) & set(titles[:-1])
        assert record["hits"] == [title for title in record["recommended"] if title == titles[-1]]
        assert (record["value"] > 0) == (titles[-1] in record["recommended"][:10])


def test_the_headline_metric_is_meant_when_none_is_named(trained_runs):
    run, space = trained_runs["ease"], trained_runs.space
    assert users_of_run(run, workspace=space)["metric"] == "ndcg@10"
    assert len(users_of_run(run, workspace=space)["best"]) == 5
    assert "recall@5" in users_of_run(run, workspace=space)["metrics"]


def test_what_is_not_there_is_named(trained_runs):
    with pytest.raises(InputError, match="no metric 'auc'"):
        users_of_run(trained_runs["ease"], "auc", workspace=trained_runs.space)
    with pytest.raises(InputError, match="keeps no results of single users"):
        users_of_run(trained_runs["ctr_baselines"], workspace=trained_runs.space)
