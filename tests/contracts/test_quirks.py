"""Every switch of published code changes exactly what it says it changes."""

import numpy as np
import pytest

from rec_core.llm.text_encoder import TextEncoderConfig
from rec_core.llm.yes_no import double_softmax_probs
from rec_core.metrics.ctr import auc
from rec_core.systems.quirks import WHAT_IT_DOES, encoder_with
from rec_core.systems.reader import Reader
from rec_core.systems.retrievers import FixedSplit
from rec_core.types import InputError


@pytest.fixture
def switched(trained):
    """A function that opens the trained run again with switches on."""
    if not isinstance(trained.system, Reader):
        pytest.skip("reads no prompts")

    def make(*quirks: str):
        system = trained.system
        config = system.config.with_values({"quirks": list(quirks)})
        return type(system)(trained.dataset, config, trained.folder, system.views, system.popularity)

    return make


def positions(system, questions) -> list[list[int]]:
    return [[item.position for item in evidence] for evidence in system.evidence_of(questions)]


def test_a_switch_that_changes_nothing_here_is_refused(switched, trained):
    own = trained.system.config.own_quirks
    assert set(own) <= set(WHAT_IT_DOES)
    for quirk in set(WHAT_IT_DOES) - set(own):
        with pytest.raises(InputError, match=f"{quirk} changes nothing in this system"):
            switched(quirk)


def test_double_softmax_keeps_the_order_of_sure_answers_and_squeezes_the_scores(switched, questions):
    plain, doubled = switched(), switched("double_softmax")
    scores = doubled.score(questions)
    prompts = [plain.prompt(request).text for request in questions]
    np.testing.assert_allclose(scores, double_softmax_probs(plain.logits(prompts, mass=True)), atol=1e-6)
    assert scores.min() > 0.268 and scores.max() < 0.732
    assert auc(scores > np.median(scores), plain.score(questions)) > 0.5


def test_shifted_neighbours_shift_what_is_shown_and_what_is_tuned_on(switched, questions):
    plain = switched()
    if "shifted_neighbours" not in plain.config.own_quirks:
        pytest.skip("retrieves nothing")
    shifted = switched("shifted_neighbours")
    assert positions(plain, questions) != positions(shifted, questions)
    before, after = (
        [show.find(questions, 5) for show in system.tuning_shows()] for system in (plain, shifted)
    )
    assert before != after


def test_switches_of_the_mixture(switched, questions):
    plain = switched()
    if "fixed_split_reranker" not in plain.config.own_quirks:
        pytest.skip("has no reranker")
    split = switched("fixed_split_reranker")
    assert isinstance(split.retriever, FixedSplit) and positions(split, questions) != positions(
        plain, questions
    )
    scaled = switched("table_max_normalisation")
    widths = [scaled.views[view].values.shape[1] for view in ("text", "id", "aligned")]
    for block in np.split(scaled.mixture, np.cumsum(widths)[:-1], axis=1):
        assert np.linalg.norm(block, axis=1).max() == pytest.approx(1, abs=1e-5)
    assert not np.allclose(scaled.mixture, plain.mixture)


def test_the_leaky_graph_has_the_edges_of_the_test_period(fresh_run, planted, tmp_path, monkeypatch):
    from rec_core.systems import reader_views
    from rec_core.workbench import resume

    seen = {}

    class Enough(Exception):
        pass

    def train(interactions, train_rows, valid_rows, *_rest):
        seen["train"], seen["valid"] = train_rows, valid_rows
        raise Enough

    monkeypatch.setattr(reader_views, "train_behaviour_view", train)
    for quirks in ([], ["leaky_graph"]):
        space, run = fresh_run("hybrid_score", tmp_path / f"leaky{len(quirks)}", quirks=quirks)
        with pytest.raises(Enough):
            resume(run, workspace=space)
        if not quirks:
            last_train = seen["train"].max()
    n = len(planted.interactions)
    assert len(seen["train"]) == n - 30 and len(seen["valid"]) == 30  # each of 30 users' last row is left out
    assert seen["train"].max() > last_train and not set(seen["train"]) & set(seen["valid"])


def test_the_text_encoder_of_the_published_code():
    plain = TextEncoderConfig(pca=4)
    assert encoder_with(plain, ()) == plain
    changed = encoder_with(plain, ("last_generated_token_embedding",))
    assert (changed.pooling, changed.pca) == ("last_generated", 4)
