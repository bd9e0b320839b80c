"""Recommending and explaining by systems that read no prompt."""

import numpy as np
import pytest

from rec_core.types import History, InputError, ScoreRequest
from rec_core.workbench import explain, load_run, recommend, user_history

SYSTEMS = ("matrix_factorisation", "ease", "popularity", "ctr_baselines")


@pytest.mark.parametrize("system", SYSTEMS)
def test_recommendations_are_unseen_and_called_as_on_every_page(trained_runs, system):
    run, space = trained_runs[system], trained_runs.space
    seen = user_history(run, "u03", workspace=space)
    items = recommend(run, "u03", top_k=4, workspace=space)["items"]
    assert [item["rank"] for item in items] == [1, 2, 3, 4]
    assert not {item["item_id"] for item in items} & set(seen["item_id"])
    for item in items:
        number = int(item["item_id"][1:])
        assert item["title"].endswith(f"({1950 + number})")
        assert {piece["item_id"] for piece in item["evidence"]} <= set(seen["item_id"])


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_composed_history_is_served_and_explained(trained_runs, system):
    run, space = trained_runs[system], trained_runs.space
    pairs = [("f02", 5.0), ("f04", 4.0)]
    item = recommend(run, None, pairs, 1, workspace=space)["items"][0]
    found = explain(run, None, item["item_id"], pairs, workspace=space)
    assert found["score"] == pytest.approx(item["score"], rel=1e-5)
    assert found["note"] == ""  # nothing was learned of somebody unknown
    alone = explain(run, None, item["item_id"], pairs[:1], workspace=space)
    assert alone["removals"] == []
    assert ("nothing is left" in alone["note"]) == bool(alone["evidence"])


def test_removals_are_scored_from_the_history_alone(trained_runs):
    run, space = trained_runs["matrix_factorisation"], trained_runs.space
    system = load_run(run, workspace=space)
    found = explain(run, "u05", "f01", workspace=space)
    assert found["prompt"] == "" and found["tokens"] == {}
    history = user_history(run, "u05", workspace=space)
    before = (
        history[: history["item_id"].tolist().index("f01")] if "f01" in set(history["item_id"]) else history
    )
    nums = np.array([int(item[1:]) for item in before["item_id"]], np.int32)
    past = History(nums, before["rating"].to_numpy(np.float32), before["timestamp"].to_numpy())
    whole = system.score([ScoreRequest(None, past, 1)])[0]
    learned = system.score([ScoreRequest(5, past, 1)])[0]
    assert found["score"] == pytest.approx(learned) and learned != pytest.approx(whole)
    assert f"{whole:.4g}" in found["note"] and "known user" in found["note"]
    assert len(found["removals"]) == 3
    for removal in found["removals"]:
        without = system.score([ScoreRequest(None, past.without(removal["position"]), 1)])[0]
        assert removal["score_without"] == pytest.approx(without)
        assert removal["change"] == pytest.approx(without - whole)


def test_removals_of_a_sum_over_the_history_are_its_weights_and_need_no_note(trained_runs):
    found = explain(trained_runs["ease"], "u05", "f01", workspace=trained_runs.space)
    assert found["note"] == ""
    weights = {piece["position"]: piece["score"] for piece in found["evidence"]}
    assert weights
    for removal in found["removals"]:
        assert removal["change"] == pytest.approx(-weights[removal["position"]], abs=1e-6)


def test_a_system_that_names_no_evidence_gets_the_nearest_history_items(trained_runs):
    run, space = trained_runs["ctr_baselines"], trained_runs.space
    values = load_run(run, workspace=space).embeddings()["id"].values
    pairs = [(f"f{n:02}", 4.0) for n in (3, 7, 11, 20)]
    found = explain(run, None, "f01", pairs, workspace=space)
    vectors = values[[3, 7, 11, 20]] / np.linalg.norm(values[[3, 7, 11, 20]], axis=1, keepdims=True)
    cosines = vectors @ values[1] / np.linalg.norm(values[1])
    expected = [pairs[place][0] for place in np.argsort(-cosines)[:3]]
    assert [piece["item_id"] for piece in found["evidence"]] == expected
    assert found["evidence"][0]["similarities"]["id"] == pytest.approx(cosines.max(), abs=1e-5)


def test_popularity_has_no_evidence_and_says_so(trained_runs):
    found = explain(trained_runs["popularity"], "u05", "f01", workspace=trained_runs.space)
    assert (found["evidence"], found["removals"], found["note"]) == ([], [], "")
    assert "without evidence" in found["sentence"]


def test_what_cannot_be_asked_is_refused(trained_runs):
    run, space = trained_runs["ease"], trained_runs.space
    for ask in (
        lambda: recommend(run, "u01", top_k=0, workspace=space),
        lambda: recommend(run, workspace=space),
        lambda: explain(run, "nobody", "f01", workspace=space),
    ):
        with pytest.raises(InputError):
            ask()
