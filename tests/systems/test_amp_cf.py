"""The AMP-CF system: what it learns of planted tastes, and the personas its recommendations carry."""

from dataclasses import replace

import numpy as np
import pytest

from rec_core.config import PRESETS
from rec_core.store import Workspace
from rec_core.systems import amp_cf, popularity
from rec_core.systems.ranking_parts import RankingParts
from rec_core.types import (
    Dataset,
    EmbeddingSource,
    History,
    Recommender,
    Scorer,
    ScoreRequest,
    ignore_progress,
)

CONFIG = amp_cf.AMPCFConfig.preset("tiny").with_values(
    {"task.positives": "likes", "task.cutoffs": [1, 5], "n_personas": 3, "batch_size": 64, "loop.epochs": 12}
)


def fitted(dataset: Dataset, folder, **values):
    config = CONFIG.with_values(values)
    metrics = amp_cf.fit(dataset, config, folder, Workspace(folder), 3, ignore_progress)
    return amp_cf.load(dataset, config, folder), metrics


@pytest.fixture(scope="module")
def trained(planted, tmp_path_factory):
    return fitted(planted, tmp_path_factory.mktemp("amp_cf"))


@pytest.fixture
def system(trained) -> amp_cf.AMPCFRanking:
    return trained[0]


def history(*item_nums: int) -> History:
    n = len(item_nums)
    return History(np.array(item_nums, np.int32), np.full(n, 5, np.float32), np.arange(n))


def test_it_is_what_every_consumer_needs(system):
    assert (
        isinstance(system, Recommender) and isinstance(system, Scorer) and isinstance(system, EmbeddingSource)
    )
    assert system.embeddings()["id"].values.shape == (30, 16)


@pytest.mark.parametrize("user", [4, None])
def test_every_recommendation_names_the_persona_that_carried_it(system, user):
    past = history(0, 2, 4, 7)
    found = system.recommend(past, 5, user_num=user)
    for recommendation in found:
        weights = system.personas(past, recommendation.item_num, user)
        assert weights.shape == (3,) and weights.sum() == pytest.approx(1)
        parts = recommendation.parts
        assert set(parts) == {"score", "persona", "persona_weight", "bias"}
        assert parts["persona"] == weights.argmax() and parts["persona_weight"] == pytest.approx(
            weights.max()
        )
        personas = system._personas_of(past, user).double().numpy()
        item = system.view.values[recommendation.item_num].astype(np.float64)
        assert parts["score"] == recommendation.score
        assert parts["score"] == pytest.approx(weights @ personas @ item + parts["bias"], abs=1e-4)
    assert len(found) == 5 and all(len(r.evidence) == 3 for r in found)


def test_known_users_are_scored_by_what_was_learned_of_them(system, planted):
    parts = RankingParts.of(planted, CONFIG.task, 3)
    table = system.user_scores(parts, "test")(np.array([4, 9])).numpy()
    np.testing.assert_allclose(system.catalogue_scores(history(1), 9), table[1], atol=1e-5)
    np.testing.assert_allclose(system.catalogue_scores(history(), 4), table[0], atol=1e-5)


def test_unknown_users_get_personas_from_their_history_whatever_its_order(system):
    first = system.catalogue_scores(history(0, 2, 4, 7))
    np.testing.assert_array_equal(system.catalogue_scores(history(7, 4, 0, 2, 7)), first)
    found = system.recommend(history(0, 2, 4, 6, 8), 5)
    assert sum(r.item_num % 2 == 0 for r in found) >= 4  # the even films are one taste


def test_nobody_is_shown_what_most_people_took(system, monkeypatch):
    monkeypatch.setattr(system, "_known_user", np.zeros(30, dtype=bool))
    for user in (None, 5):
        found = system.recommend(history(), 30, user_num=user)
        assert [r.item_num for r in found] == np.argsort(-system.popularity, kind="stable").tolist()
        assert found[0].parts.keys() == {"score"}


def test_a_batch_equals_one_by_one(system):
    requests = [
        ScoreRequest(None, history(1, 3), 5),
        ScoreRequest(2, history(4), 6),
        ScoreRequest(None, history(), 7),
    ]
    alone = [system.score([request])[0] for request in requests]
    np.testing.assert_array_equal(system.score(requests), alone)


def test_the_distance_of_tastes(system):
    past = history(0, 2, 4, 7)
    assert system.taste_distance(past, past.item_nums, 4) == 0
    shown = np.array([1, 3, 5])
    distance = system.taste_distance(past, shown, 4)
    assert 0 < distance < 1
    assert distance == system.taste_distance(past, shown[::-1], 4)


def test_planted_tastes_are_found_and_shuffled_ones_are_not(trained, planted, tmp_path):
    rng, rows = np.random.default_rng(0), planted.interactions
    items = np.empty_like(rows.item_nums)
    for user in range(rows.n_users):
        own = rows.user_nums == user
        items[own] = rng.permutation(rows.n_items)[: own.sum()]
    dealt_anew = replace(planted, interactions=replace(rows, item_nums=items))
    _, noise = fitted(dealt_anew, tmp_path / "shuffled")
    config = popularity.PopularityConfig(task=CONFIG.task)
    popular = popularity.fit(planted, config, tmp_path / "p", Workspace(tmp_path), 3, ignore_progress)
    found, chance, popular_found = (m["metrics"]["recall@5"]["value"] for m in (trained[1], noise, popular))
    assert found > max(chance, popular_found) + 0.2


def test_the_same_seed_gives_the_same_system_and_validate_the_same_value(trained, planted, tmp_path):
    again, metrics = fitted(planted, tmp_path / "again")
    written = (tmp_path / "again" / "personas.safetensors").stat().st_mtime_ns
    np.testing.assert_array_equal(
        again.catalogue_scores(history(), 4), trained[0].catalogue_scores(history(), 4)
    )
    value = amp_cf.validate(planted, CONFIG, tmp_path / "again", Workspace(tmp_path), 3, ignore_progress)
    assert value == metrics["validation"]["value"] == trained[1]["validation"]["value"]
    assert (tmp_path / "again" / "personas.safetensors").stat().st_mtime_ns == written


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": 0.2},
        {"attention": "dot"},
        {"initial": "xavier_normal"},
        {"n_negatives": 2},
        {"reg": 0.1},
        {"positive_entropy_weight": 0.5},
        {"negative_entropy_weight": 0.5},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_setting_reaches_the_training(planted, tmp_path, change):
    def scores(name: str, **values) -> np.ndarray:
        config = CONFIG.with_values({"attention": "cosine", "loop.epochs": 1} | values)
        amp_cf.learn(RankingParts.of(planted, config.task), config, tmp_path / name, 3, ignore_progress)
        return amp_cf.load(planted, config, tmp_path / name).catalogue_scores(history(), 4)

    assert not np.allclose(scores("changed", **change), scores("plain"), atol=1e-6)


def test_presets():
    assert [amp_cf.AMPCFConfig.preset(name).attention for name in PRESETS] == ["dot", "dot", "cosine"]
