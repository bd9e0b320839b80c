"""What the comparison of a reading system scores: every arm with its own evidence, zero-shot untuned."""

import numpy as np
import pandas as pd
import pytest

from rec_core.llm.yes_no import yes_probs
from rec_core.retrieval.cosine import cosines
from rec_core.systems.evidence import select_evidence
from rec_core.systems.like_questions import requests_of
from rec_core.systems.reader import Reader


def fused(system, target: int) -> np.ndarray:
    """Half the softmax of text cosines and half that of ID cosines over all 30 items."""
    sides = []
    for view in ("text", "id"):
        mass = np.exp(cosines(system.views[view].values, target, range(30)))
        sides.append(mass / mass.sum())
    return np.mean(sides, axis=0)


NAIVE_CLOSENESS = {
    "rallrec": lambda system, liked: system.mixture @ np.mean([system.mixture[i] for i in liked], axis=0),
    "rella": lambda system, liked: np.mean(
        [cosines(system.views["text"].values, i, range(30)) for i in liked], axis=0
    ),
    "hybrid_score": lambda system, liked: np.mean([fused(system, i) for i in liked], axis=0),
    "zero_shot": lambda system, liked: system.popularity,
}


@pytest.fixture
def asked(trained):
    """The predictions of the run and the requests behind them."""
    if not isinstance(trained.system, Reader):
        pytest.skip("other systems compare no arms")
    from rec_core.data.ctr import make_ctr_samples

    predictions = pd.read_parquet(trained.folder / "predictions.parquet")
    samples = make_ctr_samples(trained.dataset.interactions, trained.dataset.like_threshold, 5)
    rows = np.searchsorted(samples.rows, predictions["row"])
    return predictions, requests_of(trained.dataset, samples.take(rows))


def test_every_arm_reads_its_own_prompt(trained, asked):
    predictions, requests = asked
    system = trained.system
    assert system.main_arm in system.arms()
    for name, arm in system.arms().items():
        assert arm.tuned == (name != "zero_shot")
        evidence = select_evidence(requests, arm.retriever, 5)
        prompts = [
            system.prompter.like(request, items, arm.retriever.order).text
            for request, items in zip(requests, evidence, strict=True)
        ]
        expected = yes_probs(system.logits(prompts, tuned=arm.tuned))
        np.testing.assert_allclose(predictions[f"p_{name}"], expected, atol=1e-5, err_msg=name)
    columns = [f"p_{name}" for name in system.arms()]
    assert len({tuple(predictions[column].round(6)) for column in columns}) == len(columns)


def test_the_untuned_model_is_the_backbone_itself(trained, asked):
    from rec_core.llm.answer_tokens import answer_tokens
    from rec_core.llm.backbone import load_backbone
    from rec_core.llm.yes_no import yes_no_logits

    system, (_, requests) = trained.system, asked
    prompts = [system.prompt(request).text for request in requests]
    plain = load_backbone(system.backbone_folder)
    tokens = answer_tokens(plain.tokenizer, "Answer:")
    untuned = yes_no_logits(plain.model, plain.tokenizer, prompts, tokens)
    np.testing.assert_allclose(system.logits(prompts, tuned=False), untuned, atol=1e-5)
    moved = np.abs(system.logits(prompts) - untuned).max()
    assert moved > 1e-3 if system.tuning_shows() else moved < 1e-5


def test_lists_are_read_by_the_untuned_model(trained, asked):
    from rec_core.llm.backbone import load_backbone
    from rec_core.llm.slot_choice import slot_probs
    from rec_core.types import ChoiceRequest

    system, (_, requests) = trained.system, asked
    choices = [ChoiceRequest(r.user_num, r.history, (2, 5, 7)) for r in requests[:6]]
    plain = load_backbone(system.backbone_folder)
    prompts = [system.prompter.choice(choice, 8) for choice in choices]
    expected = slot_probs(plain.model, plain.tokenizer, prompts, "ABC", "Answer:")
    np.testing.assert_allclose(system.choose(choices), expected, atol=1e-6)
    if system.tuning_shows():
        with_adapter = slot_probs(system.backbone.model, plain.tokenizer, prompts, "ABC", "Answer:")
        assert np.abs(with_adapter - expected).max() > 1e-5


def test_candidates_are_close_to_what_was_liked(trained, asked):
    system, (_, requests) = trained.system, asked
    for request in requests[:5]:
        history = request.history
        liked = [
            i for i, r in zip(history.item_nums, history.ratings, strict=True) if r > 3
        ] or history.item_nums
        close = NAIVE_CLOSENESS[system.main_arm](system, liked)
        unseen = [i for i in range(30) if i not in history.item_nums]
        expected = sorted(unseen, key=lambda i: (-round(float(close[i]), 6), i))
        nums, scores = system.candidates(history, 6)
        assert nums.tolist() == expected[:6] and np.all(np.diff(scores) <= 0)


def test_retrieval_quality_is_the_mean_cosine_in_each_view_and_the_share_of_the_same_answer(trained, asked):
    predictions, requests = asked
    system, measured = trained.system, trained.result["retrieval"]
    for name, arm in system.arms().items():
        evidence = select_evidence(requests, arm.retriever, 5)
        for view, table in system.views.items():
            means = [
                cosines(table.values, request.item_num, [item.item_num for item in items]).mean()
                for request, items in zip(requests, evidence, strict=True)
            ]
            assert measured[name][f"{view}_cosine"] == pytest.approx(np.mean(means), abs=1e-6)
        agreeing = [
            np.mean([(item.rating > 3) == label for item in items])
            for items, label in zip(evidence, predictions["label"], strict=True)
        ]
        assert measured[name]["label_agreement"] == pytest.approx(np.mean(agreeing))
    assert set(measured["random"]) == {f"{view}_cosine" for view in system.views}
