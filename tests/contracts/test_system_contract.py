"""What every system of the roster promises, whatever paper it follows."""

from importlib import import_module

import numpy as np
import pandas as pd
import pytest

from rec_core import types
from rec_core.config import PRESETS
from rec_core.roster import SYSTEMS, card, with_capability
from rec_core.store import read_json
from rec_core.types import VIEWS, ChoiceRequest, History, InputError, ScoreRequest
from rec_core.workbench import config_of

PROTOCOLS = (
    "Recommender",
    "Scorer",
    "EvidenceScorer",
    "ChannelMerger",
    "ListChooser",
    "EmbeddingSource",
    "Explainer",
)
NOBODY = History(np.empty(0, np.int32), np.empty(0, np.float32), np.empty(0, np.int64))


@pytest.fixture
def needs(trained):
    """A function that skips the test where the system does not offer a capability."""

    def check(capability: str) -> None:
        if capability not in trained.card.capabilities:
            pytest.skip(f"{trained.card.name} is no {capability}")

    return check


# --- what it says of itself ------------------------------------------------------------------------------------------


def test_every_protocol_is_known_here():
    protocols = {name for name, value in vars(types).items() if getattr(value, "_is_protocol", False)}
    assert protocols - {"Protocol"} == set(PROTOCOLS)


def test_declared_capabilities_are_the_protocols_it_satisfies(trained):
    satisfied = {name for name in PROTOCOLS if isinstance(trained.system, getattr(types, name))}
    assert satisfied == set(trained.card.capabilities)
    assert all(trained.card in with_capability(name) for name in satisfied)
    module, _, name = trained.card.class_path.rpartition(".")
    assert type(trained.system) is getattr(import_module(module), name)


def test_its_module_names_the_paper(trained):
    places = (trained.card.module, trained.card.class_path.rpartition(".")[0])
    words = " ".join(import_module(place).__doc__ or "" for place in places)
    assert "Paper:" in words or "No paper:" in words
    assert trained.card.paper and trained.card.hardware and trained.card.title


def test_an_unknown_system_is_refused():
    with pytest.raises(InputError, match="choose one of"):
        card("no such system")


# --- config ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [entry.name for entry in SYSTEMS])
@pytest.mark.parametrize("preset", PRESETS)
def test_config_survives_yaml(name, preset, tmp_path):
    config = config_of(name, preset)
    config.save(tmp_path / "config.yaml")
    assert type(config).load(tmp_path / "config.yaml") == config
    with pytest.raises(InputError, match="no_such_field"):
        config.with_values({"no_such_field": 1})


def test_the_runs_config_is_the_one_asked_for(trained):
    config = type(config_of(trained.card.name)).load(trained.folder / "config.yaml")
    facts = read_json(trained.folder / "run.json")
    assert config == config_of(trained.card.name, facts["preset"], facts["overrides"], facts["dataset"])


# --- training --------------------------------------------------------------------------------------------------------


def test_the_run_is_done_and_its_progress_never_runs_backwards(trained):
    assert read_json(trained.folder / "status.json")["state"] == "done"
    asked = {"n_test_rows", "n_test_users"} & trained.result.keys()
    assert asked and all(trained.result[name] > 0 for name in asked) and trained.result["seconds"] > 0
    stages: dict[str, list[int]] = {}
    for event in trained.events:
        stages.setdefault(event.stage, []).append(event.step)
        assert 0 <= event.step <= event.total
    assert len(stages) > 1
    for stage, steps in stages.items():
        assert steps == sorted(steps), stage


# --- scoring ---------------------------------------------------------------------------------------------------------


def test_a_batch_equals_one_by_one(trained, needs, questions):
    needs("Scorer")
    batch = trained.system.score(questions)
    alone = [trained.system.score([question])[0] for question in questions]
    assert batch.shape == (10,) and np.isfinite(batch).all()
    np.testing.assert_allclose(batch, alone, atol=1e-5)
    np.testing.assert_allclose(trained.system.score(questions[::-1]), batch[::-1], atol=1e-5)
    assert len(np.unique(batch.round(6))) > 1
    assert trained.system.score([]).shape == (0,)


def test_saved_and_loaded_gives_the_same_scores(trained, needs, questions):
    needs("Scorer")
    assert np.array_equal(trained.load().score(questions), trained.system.score(questions))


def test_its_test_metrics_have_limits_and_one_of_them_is_the_headline(trained):
    metrics = trained.result["metrics"]
    assert trained.card.headline in metrics
    for name, interval in metrics.items():
        assert interval["n"] > 0, name
        if interval["low"] is not None:
            assert interval["low"] <= interval["value"] <= interval["high"], name


def test_test_predictions_are_its_scores(trained, needs):
    needs("Scorer")
    from rec_core.data.histories import HistoryStore

    if not (trained.folder / "predictions.parquet").exists():
        pytest.skip("judged by ranking the catalogue")
    predictions = pd.read_parquet(trained.folder / "predictions.parquet")
    columns = [name for name in predictions if name.startswith("p_")]
    own = f"p_{trained.result['main_arm']}" if "main_arm" in trained.result else columns[0]
    interactions = trained.dataset.interactions
    store = HistoryStore(interactions)
    requests = []
    for row in predictions["row"]:
        user, item = int(interactions.user_nums[row]), int(interactions.item_nums[row])
        before = np.flatnonzero(store.rows(user) == row)[0]
        requests.append(ScoreRequest(user, store.of(user, int(before)), item))
    assert [r.item_num for r in requests] == predictions["item_num"].tolist()
    ratings = interactions.ratings[predictions["row"]]
    assert np.array_equal(predictions["label"] == 1, ratings > trained.dataset.like_threshold)
    np.testing.assert_allclose(predictions[own], trained.system.score(requests), atol=1e-5)


def test_the_judged_lists_are_what_it_recommends_to_known_users(trained, needs):
    needs("Recommender")
    from rec_core.data.histories import HistoryStore
    from rec_core.data.interactions import subset
    from rec_core.systems.ranking_parts import RankingParts

    if not (trained.folder / "top_items.parquet").exists():
        pytest.skip("judged by like questions")
    task = type(config_of(trained.card.name)).load(trained.folder / "config.yaml").task
    parts = RankingParts.of(trained.dataset, task, 0)
    judged = pd.read_parquet(trained.folder / "top_items.parquet").sort_values("rank")
    judged = judged.groupby("user_num")["item_num"].agg(list)
    after_training, after_validation = (
        HistoryStore(subset(trained.dataset.interactions, rows))
        for rows in (parts.split.train, np.sort(np.concatenate([parts.split.train, parts.split.valid])))
    )

    def lists(store):
        hidden = [after_validation.of(user).item_nums for user in judged.index]
        found = [trained.system.recommend(store.of(user), 30, user) for user in judged.index]
        unseen = [
            [item.item_num for item in items if item.item_num not in seen]
            for items, seen in zip(found, hidden, strict=True)
        ]
        return [items[: len(kept)] for items, kept in zip(unseen, judged, strict=True)]

    # some systems read the validation item in the test, some do not
    assert judged.tolist() in (lists(after_training), lists(after_validation))


def test_an_unknown_user_and_an_empty_history_are_scored(trained, needs, questions):
    needs("Scorer")
    requests = [ScoreRequest(None, question.history, question.item_num) for question in questions]
    requests += [ScoreRequest(user, NOBODY, 4) for user in (None, 0)]
    scores = trained.system.score(requests)
    assert scores.shape == (12,) and np.isfinite(scores).all()


# --- evidence --------------------------------------------------------------------------------------------------------


def test_evidence_is_history_and_never_the_target(trained, needs, questions):
    needs("EvidenceScorer")
    for question in questions:
        for target in (
            question.item_num,
            int(question.history.item_nums[-1]),
            int(question.history.item_nums[0]),
        ):
            evidence = trained.system.select_evidence(
                ScoreRequest(question.user_num, question.history, target)
            )
            assert evidence and target not in [item.item_num for item in evidence]
            positions = [item.position for item in evidence]
            assert len(set(positions)) == len(positions)
            for item in evidence:
                assert item.item_num == question.history.item_nums[item.position]
                assert item.rating == question.history.ratings[item.position]
    assert trained.system.select_evidence(ScoreRequest(None, NOBODY, 3)) == ()


def test_scoring_the_selected_evidence_is_scoring(trained, needs, questions):
    needs("EvidenceScorer")
    evidence = [trained.system.select_evidence(question) for question in questions]
    np.testing.assert_allclose(
        trained.system.score_evidence(questions, evidence), trained.system.score(questions), atol=1e-6
    )
    fewer = trained.system.score_evidence(questions, [items[:1] for items in evidence])
    assert not np.allclose(fewer, trained.system.score(questions), atol=1e-6)


# --- recommending ----------------------------------------------------------------------------------------------------


def test_recommendations_are_sorted_unseen_and_complete(trained, needs, questions):
    needs("Recommender")
    interactions = trained.dataset.interactions
    for question in questions[:3]:
        found = trained.system.recommend(question.history, 5, question.user_num)
        assert [item.rank for item in found] == [1, 2, 3, 4, 5]
        scores = [item.score for item in found]
        assert scores == sorted(scores, reverse=True)
        nums = [item.item_num for item in found]
        assert len(set(nums)) == 5 and not set(nums) & set(question.history.item_nums.tolist())
        for item in found:
            assert item.item_id == interactions.item_ids[item.item_num]
            assert item.item_num not in [row.item_num for row in item.evidence]
            assert {row.item_num for row in item.evidence} <= set(question.history.item_nums.tolist())
    if "Scorer" in trained.card.capabilities:
        requests = [ScoreRequest(question.user_num, question.history, item.item_num) for item in found]
        np.testing.assert_allclose(trained.system.score(requests), [item.score for item in found], atol=1e-5)


def test_seen_items_come_back_only_when_asked_for(trained, needs, questions, everything_seen):
    needs("Recommender")
    n_items = len(everything_seen)
    whole = History(everything_seen, np.full(n_items, 4, np.float32), np.arange(n_items, dtype=np.int64))
    assert trained.system.recommend(whole, 5) == []
    again = trained.system.recommend(whole, 5, exclude_seen=False)
    assert len(again) == 5
    but_two = whole.without(3).without(10)
    assert {item.item_num for item in trained.system.recommend(but_two, 5)} == {3, 11}


def test_unknown_users_and_empty_histories_get_recommendations(trained, needs, questions):
    needs("Recommender")
    for user_num in (None, 2):
        assert len(trained.system.recommend(NOBODY, 4, user_num)) == 4
    assert len(trained.system.recommend(questions[0].history, 4, None)) == 4
    assert trained.system.recommend(NOBODY, 0) == []
    many = trained.system.recommend(NOBODY, 1000)
    assert len(many) == trained.dataset.interactions.n_items


def test_asking_changes_nothing(trained, needs, questions):
    needs("Recommender")
    question = questions[0]
    before = question.history.item_nums.copy(), trained.system.score(questions)
    first = trained.system.recommend(question.history, 5, question.user_num)
    assert trained.system.recommend(question.history, 5, question.user_num) == first
    assert np.array_equal(question.history.item_nums, before[0])
    assert np.array_equal(trained.system.score(questions), before[1])


# --- choosing and embeddings -----------------------------------------------------------------------------------------


def test_slots_of_a_list_sum_to_one(trained, needs, questions):
    needs("ListChooser")
    requests = [ChoiceRequest(q.user_num, q.history, (1, 4, 9, 16)) for q in questions]
    requests.append(ChoiceRequest(None, NOBODY, (4, 1, 16, 9)))
    slots = trained.system.choose(requests)
    assert slots.shape == (11, 4) and (slots > 0).all()
    np.testing.assert_allclose(slots.sum(axis=1), 1.0, atol=1e-9)
    np.testing.assert_allclose(trained.system.choose(requests[3:4]), slots[3:4], atol=1e-5)
    assert trained.system.choose([]).shape[0] == 0


def test_embeddings_are_one_row_per_item(trained, needs):
    needs("EmbeddingSource")
    tables = trained.system.embeddings()
    assert set(tables) <= set(VIEWS)
    for view, table in tables.items():
        assert table.view == view and table.source
        assert table.values.dtype == np.float32 and np.isfinite(table.values).all()
        assert len(table.values) == len(table.known) == trained.dataset.interactions.n_items
        assert (
            not table.values[~table.known].any() and np.abs(table.values[table.known]).sum(axis=1).min() > 0
        )
