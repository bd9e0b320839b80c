"""What a run can be asked is read off its system's card, and what it cannot is one sentence."""

import json

import pytest

from rec_core.roster import card
from rec_core.types import InputError
from rec_core.workbench import capabilities, explain, lacking, recommend, rerank, runs_with, surface
from rec_core.workbench.capability_verbs import capable, config_of_run, scale_of


def test_capabilities_are_those_of_the_card(trained_runs):
    for system, run in trained_runs.ids.items():
        assert capabilities(run, workspace=trained_runs.space) == card(system).capabilities


def test_runs_with_a_capability_are_listed_when_they_are_done(trained_runs, tmp_path):
    space = trained_runs.space
    assert set(runs_with("Recommender", workspace=space)) == set(trained_runs.ids.values())
    with_vectors = {trained_runs["matrix_factorisation"], trained_runs["ctr_baselines"]}
    assert set(runs_with("EmbeddingSource", workspace=space)) == with_vectors
    assert runs_with("EvidenceScorer", workspace=space) == []
    status = space.run_path(trained_runs["ctr_baselines"]) / "status.json"
    before = status.read_text()
    status.write_text(json.dumps(json.loads(before) | {"state": "failed"}))
    try:
        assert runs_with("EmbeddingSource", workspace=space) == [trained_runs["matrix_factorisation"]]
    finally:
        status.write_text(before)


def test_what_a_run_lacks_is_one_sentence_with_a_way_out(trained_runs):
    run, space = trained_runs["ease"], trained_runs.space
    assert lacking(run, "Recommender", "Scorer", workspace=space) == ""
    sentence = lacking(run, "Recommender", "EmbeddingSource", workspace=space)
    for part in (run, "ease", "no item vectors", "matrix_factorisation", trained_runs["ctr_baselines"]):
        assert part in sentence
    assert "popularity" not in sentence and sentence.endswith(".") and "\n" not in sentence
    assert "none yet" in lacking(run, "ListChooser", workspace=space)


def test_a_capable_run_is_loaded_and_another_refused(trained_runs):
    system = capable(trained_runs["ease"], "Recommender", workspace=trained_runs.space)
    assert system.recommend
    with pytest.raises(InputError, match="choose a run of hybrid_score, rallrec, rella or zero_shot"):
        capable(trained_runs["ease"], "EvidenceScorer", workspace=trained_runs.space)


@pytest.mark.parametrize(
    "ask",
    [
        lambda run, space: rerank(run, "u01", "f01", 0.5, 1.0, workspace=space),
        lambda run, space: surface(run, workspace=space),
    ],
)
def test_verbs_of_the_reranker_need_a_system_that_merges_channels(trained_runs, ask):
    with pytest.raises(InputError, match="does not merge"):
        ask(trained_runs["matrix_factorisation"], trained_runs.space)


def test_config_and_seed_of_a_run_are_its_own(trained_runs):
    config, seed = config_of_run(trained_runs.space, trained_runs["ease"])
    assert (config.reg, seed) == (10.0, 0)


def test_scores_are_probabilities_only_of_systems_judged_by_likes(trained_runs):
    space = trained_runs.space
    scales = {system: scale_of(run, workspace=space) for system, run in trained_runs.ids.items()}
    assert {system for system, scale in scales.items() if scale == "probability"} == {"ctr_baselines"}
    for system, run in trained_runs.ids.items():
        assert recommend(run, "u01", workspace=space)["scale"] == scales[system]
        assert explain(run, "u01", "f01", workspace=space)["scale"] == scales[system]
