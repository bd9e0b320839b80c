"""Scoring by the two logits of an answer, against plain forward passes."""

import numpy as np
import pytest
import torch

from rec_core.llm.answer_tokens import answer_tokens
from rec_core.llm.yes_no import _batches, last_logits, left_padded, yes_no_logits, yes_probs
from rec_core.types import ProgressEvent


@pytest.fixture(params=["llama", "gpt2"])
def model(request, llama, gpt2):
    return llama() if request.param == "llama" else gpt2


@pytest.fixture
def prompts(texts):
    return [text[: text.rindex("Answer:") + 7] for text in texts] + ["Answer:", "Up\nAnswer:"]


def plain_pair(model, tokenizer, prompt: str) -> np.ndarray:
    """The whole forward pass of one unpadded prompt, nothing saved on the way."""
    tokens = answer_tokens(tokenizer, "Answer:")
    with torch.no_grad():
        return model(torch.tensor([tokenizer.encode(prompt)])).logits[0, -1, [tokens.yes, tokens.no]].numpy()


def test_batched_equals_one_by_one_and_the_plain_forward(model, tokenizer, prompts):
    tokens = answer_tokens(tokenizer, "Answer:")
    batched = yes_no_logits(model, tokenizer, prompts, tokens)
    alone = np.concatenate([yes_no_logits(model, tokenizer, [prompt], tokens) for prompt in prompts])
    plain = np.stack([plain_pair(model, tokenizer, prompt) for prompt in prompts])
    np.testing.assert_allclose(batched, alone, atol=1e-5)
    np.testing.assert_allclose(batched, plain, atol=1e-5)
    assert len(np.unique(plain[:, 0].round(3))) > 5  # the prompts really differ


def test_the_token_budget_changes_nothing_but_the_batches(model, tokenizer, prompts):
    tokens = answer_tokens(tokenizer, "Answer:")
    events: list[ProgressEvent] = []
    small = yes_no_logits(model, tokenizer, prompts, tokens, max_tokens_per_batch=100, progress=events.append)
    np.testing.assert_allclose(small, yes_no_logits(model, tokenizer, prompts, tokens), atol=1e-5)
    assert len(events) > 3 and (events[-1].step, events[-1].total) == (len(prompts), len(prompts))


def test_left_padding_is_irrelevant(model, tokenizer):
    row = tokenizer.encode("Up (2009)\nAnswer:")
    ids, mask = left_padded([row], tokenizer.pad_token_id)
    more = torch.nn.functional.pad(ids, (9, 0), value=5), torch.nn.functional.pad(mask, (9, 0), value=0)
    with torch.no_grad():
        torch.testing.assert_close(
            last_logits(model, *more), last_logits(model, ids, mask), atol=1e-5, rtol=0
        )


def test_probability_is_the_softmax_over_the_pair(model, tokenizer, prompts):
    logits = yes_no_logits(model, tokenizer, prompts, answer_tokens(tokenizer, "Answer:"))
    pair = np.exp(logits.astype(np.float64))
    np.testing.assert_allclose(yes_probs(logits), pair[:, 0] / pair.sum(axis=1), rtol=1e-5)
    assert yes_probs(np.array([[0.0, 0.0], [np.log(3), 0.0]])) == pytest.approx([0.5, 0.75])


def test_no_prompts_give_no_rows(model, tokenizer):
    assert yes_no_logits(model, tokenizer, [], answer_tokens(tokenizer, "Answer:")).shape == (0, 2)


def test_the_model_is_read_without_dropout(gpt2, tokenizer, prompts):
    tokens = answer_tokens(tokenizer, "Answer:")
    expected = yes_no_logits(gpt2, tokenizer, prompts, tokens)
    gpt2.train()
    assert np.array_equal(yes_no_logits(gpt2, tokenizer, prompts, tokens), expected)


def test_left_padded_by_hand():
    ids, mask = left_padded([[7, 8, 9], [4]], 0)
    assert ids.tolist() == [[7, 8, 9], [0, 0, 4]] and mask.tolist() == [[1, 1, 1], [0, 0, 1]]


def test_batches_keep_the_budget_and_lose_nothing():
    encoded = [[0] * n for n in (5, 1, 3, 40, 2, 9, 9)]
    order = sorted(range(7), key=lambda i: len(encoded[i]))
    batches = _batches(order, encoded, 20)
    assert sorted(i for batch in batches for i in batch) == list(range(7))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(len(encoded[i]) for i in batch) <= 20
    assert [len(batch) for batch in batches] == [4, 2, 1]  # 4 x 5 and 2 x 9 fit into 20, 40 stands alone
