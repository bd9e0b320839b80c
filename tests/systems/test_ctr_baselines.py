"""CTR baselines: planted tastes are found, shuffled ones are not; nothing of the test part is read."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rec_core.data.interactions import reordered
from rec_core.data.last_of_user import last_of_user
from rec_core.metrics.ctr import auc
from rec_core.store import Workspace, read_json
from rec_core.systems.ctr_baselines import CTRBaselines, CTRBaselinesConfig, likes
from rec_core.systems.ctr_report import ctr_metrics
from rec_core.systems.ctr_training import _train_index, fit, load, validate
from rec_core.systems.like_questions import Parts, requests_of
from rec_core.types import (
    Dataset,
    EmbeddingSource,
    History,
    InputError,
    Recommender,
    Scorer,
    ScoreRequest,
    ignore_progress,
)

MODELS = ("deepfm", "xdeepfm", "dcn", "dcn_v2", "autoint")
NOBODY = History(np.empty(0, np.int32), np.empty(0, np.float32), np.empty(0, np.int64))


def config(**changes) -> CTRBaselinesConfig:
    values = {"hidden_sizes": (16,), "cin_sizes": (6, 4), "history_length": 6, "batch_size": 32}
    return CTRBaselinesConfig.from_values({**values, "loop.epochs": 8, "loop.learning_rate": 5e-3, **changes})


def run(dataset: Dataset, folder, seed: int = 0, **changes) -> tuple[dict, CTRBaselines]:
    settings = config(**changes)
    result = fit(dataset, settings, folder, Workspace(folder), seed, ignore_progress)
    return result, load(dataset, settings, folder)


@pytest.fixture(scope="module")
def trained(planted, tmp_path_factory) -> tuple[dict, CTRBaselines]:
    return run(planted, tmp_path_factory.mktemp("deepfm"))


@pytest.mark.parametrize("model", MODELS)
def test_planted_tastes_are_found(model, planted, tmp_path):
    result, system = run(planted, tmp_path, model=model)
    assert result["metrics"]["auc"]["value"] > 0.85 and result["validation"]["value"] > 0.85
    predictions = pd.read_parquet(tmp_path / "predictions.parquet")
    assert list(predictions) == ["row", "user_num", "item_num", "label", f"p_{model}"]
    assert auc(predictions["label"], predictions[f"p_{model}"]) == result["metrics"]["auc"]["value"]
    assert read_json(tmp_path / "metrics.json") == result
    assert set(result["metrics"]) == {"auc", "user_auc", "log_loss", "accuracy", "calibration_error"}
    assert (
        isinstance(system, Scorer) and isinstance(system, Recommender) and isinstance(system, EmbeddingSource)
    )


def test_shuffled_ratings_hold_nothing(planted, tmp_path):
    rows = planted.interactions
    ratings = np.random.default_rng(0).permutation(rows.ratings)
    result, _ = run(replace(planted, interactions=replace(rows, ratings=ratings)), tmp_path)
    assert result["metrics"]["auc"]["value"] < 0.75


def test_test_predictions_are_scores_of_the_questions_as_requests(planted, trained):
    result, system = trained
    parts = Parts.of(planted, 5)
    test = parts.samples.take(parts.split.test)
    scores = system.score(requests_of(planted, test))
    metrics = ctr_metrics(test.labels, scores, test.user_nums, 0)
    assert metrics["auc"]["value"] == pytest.approx(result["metrics"]["auc"]["value"], abs=1e-9)
    alone = [system.score([request])[0] for request in requests_of(planted, test)[:5]]
    np.testing.assert_allclose(scores[:5], alone, atol=1e-6)


def test_older_history_than_the_window_says_nothing_and_younger_does(planted, trained):
    _, system = trained
    store = requests_of(planted, Parts.of(planted, 5).samples.take(np.arange(250, 253)))
    long = next(request for request in store if len(request.history) > 7)
    shorter = ScoreRequest(long.user_num, long.history.without(0), long.item_num)
    other = ScoreRequest(long.user_num, long.history.without(len(long.history) - 1), long.item_num)
    first, same, different = system.score([long, shorter, other])
    assert first == pytest.approx(same, abs=1e-7) and abs(first - different) > 1e-6


def test_unknown_users_and_empty_histories_are_served(planted, trained):
    _, system = trained
    scores = system.score(
        [ScoreRequest(None, NOBODY, 4), ScoreRequest(0, NOBODY, 4), ScoreRequest(0, NOBODY, 5)]
    )
    assert np.isfinite(scores).all() and len(np.unique(scores)) == 3
    assert system.score([]).shape == (0,)
    assert len(system.recommend(NOBODY, 1000)) == 30 and system.recommend(NOBODY, 0) == []


def test_recommendations_are_the_best_unseen_items(planted, trained):
    _, system = trained
    request = requests_of(planted, Parts.of(planted, 5).samples.take(np.array([200])))[0]
    found = system.recommend(request.history, 5, request.user_num)
    every = system.score([ScoreRequest(request.user_num, request.history, item) for item in range(30)])
    np.testing.assert_allclose(system.catalogue_scores(request.history, request.user_num), every, atol=1e-6)
    every[request.history.item_nums] = -1
    assert [entry.item_num for entry in found] == np.argsort(-every, kind="stable")[:5].tolist()
    assert [entry.rank for entry in found] == [1, 2, 3, 4, 5]


def test_embeddings_are_the_items_own_field(planted, trained):
    _, system = trained
    table = system.embeddings()["id"]
    assert table.values.shape == (30, 10) and table.values.dtype == np.float32
    table_of_net = system.net.fields.vectors["singles"].detach().numpy()
    start = sum(system.fields.sizes[: system.fields.names.index("item")])
    known = np.flatnonzero(table.known)
    assert np.array_equal(table.values[known[0]], table_of_net[system.fields.item_codes[known[0], -1]])
    assert system.fields.item_codes[known[0], -1] > start
    assert not table.values[~table.known].any()


def test_saved_and_loaded_scores_alike_and_the_seed_decides(planted, trained, tmp_path):
    result, system = trained
    again, twin = run(planted, tmp_path / "again")
    assert again == result
    request = [ScoreRequest(3, NOBODY, 7)]
    assert np.array_equal(twin.score(request), system.score(request))
    assert not np.array_equal(
        run(planted, tmp_path / "other", seed=1)[1].score(request), system.score(request)
    )


def test_validate_is_fit_without_the_test_part(planted, trained, tmp_path):
    """Turn every test rating upside down: the same validation AUC."""
    result, _ = trained
    rows, parts = planted.interactions, Parts.of(planted, 5)
    ratings = rows.ratings.copy()
    ratings[parts.samples.rows[parts.split.test[0]] :] = 3
    turned = replace(planted, interactions=replace(rows, ratings=ratings))
    for number, dataset in enumerate((planted, turned)):
        folder = tmp_path / str(number)
        value = validate(dataset, config(), folder, Workspace(folder), 0, ignore_progress)
        assert value == result["validation"]["value"]
        assert not (folder / "predictions.parquet").exists()


def test_fewer_shots_are_a_subset_of_more(planted):
    parts = Parts.of(planted, 5)
    few, more = _train_index(parts, 10, 3), _train_index(parts, 50, 3)
    assert few.tolist() == more[:10].tolist() and set(more) <= set(parts.split.train)
    assert _train_index(parts, 10, 4).tolist() != few.tolist()
    assert np.array_equal(_train_index(parts, 0, 3), parts.split.train)


def test_few_shots_train_on_those_questions_alone(planted, tmp_path):
    result, system = run(planted, tmp_path, n_shots=20)
    assert result["n_train_rows"] == 20 and "20 training questions drawn" in result["protocol"]
    drawn = Parts.of(planted, 5).samples.take(_train_index(Parts.of(planted, 5), 20, 0))
    assert set(np.flatnonzero(system.fields.known_items)) == set(drawn.item_nums.tolist())


def test_the_protocol_says_how_the_questions_were_cut(planted, trained, tmp_path):
    assert "cut 80/10/10 by global time" in trained[0]["protocol"]
    rows = reordered(planted.interactions, last_of_user(planted.interactions))
    asked = replace(planted, interactions=rows, has_time=False, questions="last_of_user")
    result, _ = run(asked, tmp_path)
    assert "one per user" in result["protocol"] and "by user at random" in result["protocol"]
    assert result["n_test_rows"] == len(Parts.of(asked, 5).split.test)
    for one, has in ((trained[0], True), (result, False)):  # nobody asked once gives both answers
        assert ("user_auc" in one["metrics"]) is ("user_auc" in one["protocol"]) is has


def test_a_killed_run_ends_like_one_that_was_left_alone(planted, trained, tmp_path):
    class Stop(Exception):
        pass

    def stop(event):
        if event.stage == "CTR net" and event.step > 40:
            raise Stop

    settings = config(**{"loop.checkpoint_seconds": 0})
    with pytest.raises(Stop):
        fit(planted, settings, tmp_path, Workspace(tmp_path), 0, stop)
    assert fit(planted, settings, tmp_path, Workspace(tmp_path), 0, ignore_progress) == trained[0]


def test_metrics_come_with_intervals_and_calibration_by_hand():
    labels, probs = np.array([1, 0, 1, 0]), np.array([0.9, 0.2, 0.6, 0.7])
    found = ctr_metrics(labels, probs, np.array([0, 0, 1, 1]), 0)
    # bins 0.9, 0.2, 0.6 and 0.7 hold one row each: (0.1 + 0.2 + 0.4 + 0.7) / 4
    assert found["calibration_error"]["value"] == pytest.approx(0.35)
    assert found["user_auc"]["value"] == 0.5 and found["auc"]["value"] == 0.75
    assert all(entry["n"] == 2 for entry in found.values())


def test_presets_and_wrong_values():
    for name in ("tiny", "small", "paper"):
        assert CTRBaselinesConfig.preset(name).model == "deepfm"
    with pytest.raises(InputError, match="model"):
        CTRBaselinesConfig.from_values({"model": "deep"})


def test_likes_in_chunks_equal_one_batch(planted, trained, monkeypatch):
    _, system = trained
    places = np.array([[user, item, 0, 0] for user in range(3) for item in range(5)])
    reader = system._reader(NOBODY.item_nums, NOBODY.ratings)
    whole = likes(system.net, reader, places)
    monkeypatch.setattr("rec_core.systems.ctr_baselines._CHUNK", 4)
    np.testing.assert_allclose(likes(system.net, reader, places), whole, atol=1e-7)
