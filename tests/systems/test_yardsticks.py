"""What popularity, item-kNN, EASE and iALS promise alike, on planted tastes and on shuffled ones."""

from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from rec_core.config import PRESETS
from rec_core.evaluation.full_ranking import rank_catalogue
from rec_core.evaluation.per_user import per_user_metrics
from rec_core.store import Workspace, read_json
from rec_core.systems import ease, ials, item_knn, popularity
from rec_core.systems.ranking_parts import RankingParts
from rec_core.types import Dataset, History, InputError, ScoreRequest, ignore_progress

CONFIGS = {
    popularity: popularity.PopularityConfig(),
    item_knn: item_knn.ItemKNNConfig(n_neighbours=8),
    ease: ease.EASEConfig(reg=5.0),
    ials: ials.IALSConfig(embedding_size=4, reg=1.0, alpha=4.0),
}
LIKES = {"task.positives": "likes", "task.cutoffs": [1, 5]}
PERSONAL = [item_knn, ease, ials]


@pytest.fixture(params=CONFIGS, ids=lambda module: module.__name__.rpartition(".")[2])
def module(request) -> ModuleType:
    return request.param


def fitted(module: ModuleType, dataset: Dataset, folder, **values):
    config = CONFIGS[module].with_values(LIKES | values)
    metrics = module.fit(dataset, config, folder, Workspace(folder), 3, ignore_progress)
    return module.load(dataset, config, folder), metrics, config


def history(*item_nums: int) -> History:
    n = len(item_nums)
    return History(np.array(item_nums, np.int32), np.full(n, 5, np.float32), np.arange(n))


def test_fit_writes_what_it_returns_and_validate_sees_the_same(module, planted, tmp_path):
    _, metrics, config = fitted(module, planted, tmp_path)
    assert read_json(tmp_path / "metrics.json") == metrics
    assert set(metrics["metrics"]) >= {"recall@1", "recall@5", "ndcg@5", "hit@1"}
    value = module.validate(planted, config, tmp_path / "again", Workspace(tmp_path), 3, ignore_progress)
    assert value == metrics["validation"]["value"]


def test_a_users_scores_are_those_of_the_training_history(module, planted, tmp_path):
    system, _, config = fitted(module, planted, tmp_path)
    parts = RankingParts.of(planted, config.task, 3)
    users = np.array([4, 0, 17])
    rows = parts.histories("valid")
    for phase in ("valid", "test"):
        found = system.user_scores(parts, phase)(users).numpy()
        for user, scores in zip(users, found, strict=True):
            unknown = system.catalogue_scores(history(*rows.row(user)))
            np.testing.assert_allclose(scores, unknown, atol=1e-5)


@pytest.mark.parametrize("module", [item_knn, ease])
def test_the_test_may_read_validation_items(module, planted, tmp_path):
    system, _, config = fitted(module, planted, tmp_path, read_valid_at_test=True)
    parts = RankingParts.of(planted, config.task, 3)
    longer = np.flatnonzero(
        np.diff(parts.histories("test").indptr) > np.diff(parts.histories("valid").indptr)
    )
    for phase in ("valid", "test"):
        expected = system.catalogue_scores(history(*parts.histories(phase).row(longer[0])))
        np.testing.assert_allclose(system.user_scores(parts, phase)(longer[:1])[0], expected, atol=1e-6)


def test_recommendations_are_new_ordered_and_unbothered_by_repeats(module, planted, tmp_path):
    system, _, _ = fitted(module, planted, tmp_path)
    found = system.recommend(history(0, 2, 4), top_k=30)
    assert len(found) == 27 and not {0, 2, 4} & {r.item_num for r in found}
    assert [r.score for r in found] == sorted((r.score for r in found), reverse=True)
    again = system.recommend(history(0, 2, 0, 4, 4), top_k=30)
    assert [(r.item_num, r.score) for r in again] == [(r.item_num, r.score) for r in found]


def test_nobody_knows_anything_of_an_empty_history(module, planted, tmp_path):
    system, _, config = fitted(module, planted, tmp_path)
    most_taken = np.argsort(-RankingParts.of(planted, config.task, 3).popularity, kind="stable")
    assert [r.item_num for r in system.recommend(history(), 30)] == most_taken.tolist()
    if module is not ials:  # which knows what user 5 took
        assert [r.item_num for r in system.recommend(history(), 30, user_num=5)] == most_taken.tolist()


def test_a_batch_of_requests_equals_one_by_one(module, planted, tmp_path):
    system, _, _ = fitted(module, planted, tmp_path)
    requests = [
        ScoreRequest(None, history(1, 3), 5),
        ScoreRequest(2, history(4), 6),
        ScoreRequest(None, history(), 7),
    ]
    alone = [system.score([request])[0] for request in requests]
    np.testing.assert_array_equal(system.score(requests), alone)
    assert len(set(alone)) > 1 and system.score([]).shape == (0,)


def test_the_same_seed_gives_the_same_system_and_what_is_there_is_kept(module, planted, tmp_path):
    first, _, config = fitted(module, planted, tmp_path / "a")
    second, _, _ = fitted(module, planted, tmp_path / "b")
    one, two = (system.catalogue_scores(history(0, 9, 11)) for system in (first, second))
    np.testing.assert_array_equal(one, two)
    files = {file: file.stat().st_mtime_ns for file in (tmp_path / "a").glob("*.safetensors")}
    assert len(files) == 1
    if module is not popularity:
        fitted(module, planted, tmp_path / "a")
        assert files == {file: file.stat().st_mtime_ns for file in files}


@pytest.mark.parametrize("watched", ["recall@5", "ndcg@10", "mrr@3"])
def test_the_watched_metric_is_that_of_validation(watched, planted, tmp_path):
    system, metrics, config = fitted(ease, planted, tmp_path, **{"task.watch": watched})
    parts = RankingParts.of(planted, config.task, 3)
    ranking = rank_catalogue(system.user_scores(parts, "valid"), parts.valid, parts.n_items, 10)
    expected = per_user_metrics(ranking, (3, 5, 10))[watched].mean()
    assert metrics["validation"] == {"metric": watched, "value": pytest.approx(expected)}


@pytest.mark.parametrize("module", PERSONAL)
def test_planted_tastes_are_found_and_shuffled_ones_are_not(module, planted, tmp_path):
    _, planted_metrics, _ = fitted(module, planted, tmp_path / "planted")
    _, chance, _ = fitted(popularity, planted, tmp_path / "popularity")
    _, shuffled_metrics, _ = fitted(module, shuffled(planted), tmp_path / "shuffled")
    found, popular, noise = (
        metrics["metrics"]["recall@5"]["value"] for metrics in (planted_metrics, chance, shuffled_metrics)
    )
    assert found > popular + 0.25
    assert noise < found - 0.25


def test_every_preset_is_a_config(module):
    config_class = type(CONFIGS[module])
    for name in PRESETS:
        assert isinstance(config_class.preset(name), config_class)
    with pytest.raises(InputError, match="no field"):
        config_class.from_values({"no_such_field": 1})


def shuffled(dataset: Dataset) -> Dataset:
    """The same users, times and ratings with items dealt anew."""
    rng = np.random.default_rng(0)
    rows = dataset.interactions
    items = np.empty_like(rows.item_nums)
    for user in range(rows.n_users):
        own = rows.user_nums == user
        items[own] = rng.permutation(rows.n_items)[: own.sum()]
    return replace(dataset, interactions=replace(rows, item_nums=items))
