"""Probes of runs that rank: who is asked, with what, and which probes a run can be asked."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rec_core.data.histories import HistoryStore
from rec_core.systems.like_questions import Parts
from rec_core.systems.ranking_parts import RankingParts
from rec_core.types import InputError
from rec_core.workbench import audit, audit_verbs, audits, load_run, probes_of
from rec_core.workbench.capability_verbs import config_of_run


def audited(runs, system, n_users=100, seed=0):
    run, space = runs[system], runs.space
    return audit_verbs._Audited(load_run(run, workspace=space), *config_of_run(space, run), n_users, seed)


def test_a_run_that_only_recommends_is_asked_about_popularity_alone(trained_runs):
    run, space = trained_runs["ease"], trained_runs.space
    why_not = probes_of(run, workspace=space)
    assert why_not["popularity"] == "" and run in why_not["position"]
    with pytest.raises(InputError, match="reads no chosen evidence"):
        audit(run, "position", workspace=space)
    found = audit(run, "all", 12, workspace=space)
    assert found["probe"] == "all" and {row["measure"] for row in found["rows"]} >= {"popularity_change"}
    assert [kept["probe"] for kept in audits(run, workspace=space)] == ["all"]


def test_the_audience_are_test_users_of_the_runs_own_split(trained_runs):
    asked = audited(trained_runs, "matrix_factorisation")
    likes = asked.config.with_values({"task.positives": "likes"})  # other users than in validation
    asked = replace(asked, config=likes)
    train, users = audit_verbs._audience(asked)
    parts = RankingParts.of(asked.system.dataset, asked.config.task, 0)
    assert len(train) == len(parts.split.train)
    assert np.array_equal(train.item_nums, parts.train_pairs[1])
    assert np.array_equal(users, parts.test.users) and not np.array_equal(users, parts.valid.users)


def test_a_run_that_answers_likes_is_asked_on_its_own_questions(trained_runs):
    asked = audited(trained_runs, "ctr_baselines")
    train, users = audit_verbs._audience(asked)
    parts = Parts.of(asked.system.dataset, asked.config.min_history)
    assert len(train) == len(parts.train_rows)
    assert np.array_equal(users, np.unique(parts.samples.take(parts.split.test).user_nums))


def test_fewer_users_are_drawn_by_seed(trained_runs):
    draws = [audit_verbs._audience(audited(trained_runs, "ease", 8, seed))[1].tolist() for seed in (0, 0, 1)]
    assert len(set(draws[0])) == 8 and draws[0] == sorted(draws[0])
    assert draws[0] == draws[1] != draws[2]


def test_an_id_model_is_an_arm_only_of_systems_that_build_on_one(trained_runs):
    run, space = trained_runs["matrix_factorisation"], trained_runs.space
    groups = " ".join(row["group"] for row in audit(run, "popularity", 12, workspace=space)["rows"])
    assert "most popular" in groups and "id model" not in groups


def test_the_id_model_lists_the_best_unseen_items(planted):
    """Small whole numbers: many scores are equal, and the lower item number comes first."""
    rng = np.random.default_rng(0)
    vectors, people = (rng.integers(-2, 3, (n, 2)).astype(np.float32) for n in (30, 30))
    system = SimpleNamespace(views={"id": SimpleNamespace(values=vectors)}, users=people)
    histories = HistoryStore(planted.interactions)
    lists = audit_verbs._id_model(system, histories, list(range(30)))["id model"]
    for user in range(30):
        unseen = set(range(30)) - set(histories.of(user).item_nums.tolist())
        assert lists[user] == sorted(unseen, key=lambda i: (-float(vectors[i] @ people[user]), i))[:10]  # noqa: B023
    assert min(len(row) for row in lists.values()) < 10  # somebody has seen nearly everything


def test_popularity_recommends_what_is_most_popular(trained_runs):
    found = audit(trained_runs["popularity"], "popularity", 30, workspace=trained_runs.space)
    rows = pd.DataFrame(found["rows"])
    differences = rows[rows["measure"] == "log_popularity_difference"].set_index("group")["value"]
    assert differences["system - most popular"] == pytest.approx(0.0, abs=1e-9)
    assert differences["system - random"] > 0
