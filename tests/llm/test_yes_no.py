"""Scoring by the two logits of an answer, against plain forward passes."""

import numpy as np
import pytest
import torch

from rec_core.llm.answer_tokens import AnswerTokens, answer_tokens
from rec_core.llm.lora import LoraConfig, attach
from rec_core.llm.yes_no import (
    double_softmax_probs,
    last_logits,
    left_padded,
    yes_no_logits,
    yes_probs,
)
from rec_core.types import Cancelled, InputError, ProgressEvent


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


# --- shared beginnings --------------------------------------------------------------------------------------


class Numbers:
    """A tokenizer for prompts that are written as token numbers."""

    pad_token_id = 2

    def __call__(self, texts: list[str]) -> dict[str, list[list[int]]]:
        return {"input_ids": [[int(word) for word in text.split()] for text in texts]}


TOKENS = AnswerTokens(yes=11, no=23, yes_text="", no_text="")


def drawn(n: int, seed: int) -> list[int]:
    return np.random.default_rng(seed).integers(3, 200, n).tolist()


def spelled(rows: list[list[int]]) -> list[str]:
    return [" ".join(map(str, row)) for row in rows]


def plain_pairs(model, rows: list[list[int]]) -> np.ndarray:
    with torch.no_grad():
        return np.stack([model(torch.tensor([row])).logits[0, -1, [11, 23]].numpy() for row in rows])


HISTORY = drawn(150, 0)
SHARED = {
    "ragged": [HISTORY + drawn(n, n) for n in (1, 2, 3, 17, 30)],
    "one token behind": [[*HISTORY, last] for last in (7, 8, 9, 10)],
    "equal": [HISTORY + drawn(5, 1)] * 3 + [HISTORY + drawn(6, 2)] * 2,
    "a group of one": [HISTORY + drawn(n, n) for n in (4, 5)] + [drawn(60, 3)],
    "a whole beginning": [HISTORY, *([*HISTORY, *drawn(n, n)] for n in (1, 4, 9)), HISTORY[:-1]],
    "two users": [who + drawn(n, n) for who in (HISTORY, drawn(140, 4)) for n in (3, 8, 12)],
    "short": [drawn(n, n) for n in (1, 1, 2, 3)],
}


def test_many_prompts_are_scored_with_the_adapter_in_the_weights(llama):
    """Few are not; the logits are the same, and with the adapter off they are the bare model's."""
    model = attach(llama(), LoraConfig(rank=2), seed=0).eval()
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.5, generator=torch.Generator().manual_seed(1))
    rows, adapted = [drawn(9, n) for n in range(40)], []
    for name, part in model.named_modules():
        if name.endswith("lora_A.default"):
            part.register_forward_hook(lambda *_: adapted.append(1))
    many = yes_no_logits(model, Numbers(), spelled(rows), TOKENS)
    assert not adapted
    few = yes_no_logits(model, Numbers(), spelled(rows[:8]), TOKENS)
    assert adapted
    np.testing.assert_allclose(many, plain_pairs(model, rows), atol=1e-4)
    np.testing.assert_allclose(few, many[:8], atol=1e-4)
    with model.disable_adapter():
        bare = yes_no_logits(model, Numbers(), spelled(rows), TOKENS)
        np.testing.assert_allclose(bare, plain_pairs(model, rows), atol=1e-4)
    assert np.abs(bare - many).max() > 0.05


@pytest.mark.parametrize("rows", SHARED.values(), ids=SHARED.keys())
def test_shared_beginnings_give_the_plain_forward_s_logits(model, rows):
    model.eval()
    events: list[ProgressEvent] = []
    order = np.random.default_rng(0).permutation(len(rows))
    mixed = [rows[i] for i in order]
    found = yes_no_logits(model, Numbers(), spelled(mixed), TOKENS, progress=events.append)
    np.testing.assert_allclose(found, plain_pairs(model, mixed), atol=1e-4)
    assert (events[-1].step, events[-1].total) == (len(rows), len(rows))
    longest = max(map(len, rows))
    shared = "100%" not in events[-1].message
    assert shared == (longest > 100) and events[-1].message.startswith("two rows of the head")


def test_a_beginning_is_read_once_and_equal_prompts_too(model):
    model.eval()
    rows, read = [*SHARED["ragged"], SHARED["ragged"][0]], []
    embedding = model.get_input_embeddings()
    hook = embedding.register_forward_pre_hook(lambda _, args: read.append(args[0].numel()))
    yes_no_logits(model, Numbers(), spelled(rows), TOKENS)
    hook.remove()
    looks = 4 + 2 + 2 + 4  # what `llm.answer_head` watches, tries in two, and in a narrow last block
    assert sum(read) == looks + 150 + 5 * 30  # the suffixes of five rows, padded to the longest


def test_tokens_are_compared_not_letters(model, tokenizer):
    """Two titles that begin with the same letters end their common tokens within or before the word."""
    tokens = answer_tokens(tokenizer, "Answer:")
    start = "She rated these movies:\n" + "Heat (1995) (5 stars)\nM (1931) (1 star)\n" * 12
    prompts = [
        f"{start}{title}\nAnswer:" for title in ("Alien (1979)", "Aliens", "Ali", "Alie", "Alien (197")
    ]
    rows = [tokenizer.encode(prompt) for prompt in prompts]
    letters = len(tokenizer.encode(f"{start}Ali"))
    assert len({tuple(row[:letters]) for row in rows}) > 1  # the same letters, other tokens
    plain = np.stack([plain_pair(model.eval(), tokenizer, prompt) for prompt in prompts])
    np.testing.assert_allclose(yes_no_logits(model, tokenizer, prompts, tokens), plain, atol=1e-4)


def test_what_a_prompt_is_scored_with_does_not_matter(model):
    rows = [row for rows in SHARED.values() for row in rows]
    together = yes_no_logits(model, Numbers(), spelled(rows), TOKENS)
    small = yes_no_logits(model, Numbers(), spelled(rows), TOKENS, max_tokens_per_batch=200)
    alone = np.concatenate([yes_no_logits(model, Numbers(), spelled([row]), TOKENS) for row in rows])
    np.testing.assert_allclose(together, alone, atol=1e-4)
    np.testing.assert_allclose(small, alone, atol=1e-4)


def test_no_batch_holds_more_than_it_may(llama):
    model, widths = llama().eval(), []
    model.model.register_forward_pre_hook(
        lambda _, __, kwargs: widths.append(
            (*kwargs["input_ids"].shape, kwargs["past_key_values"].get_seq_length())
            if kwargs.get("past_key_values")
            else (*kwargs["input_ids"].shape, 0)
        ),
        with_kwargs=True,
    )
    rows = [HISTORY + drawn(8, n) for n in range(30)]
    yes_no_logits(model, Numbers(), spelled(rows), TOKENS, max_tokens_per_batch=1_000)
    behind = [(n, width, cached) for n, width, cached in widths if cached > 10]
    assert {cached for _, _, cached in behind} == {150} and sum(n for n, _, _ in behind) == 30
    assert max(n * (width + cached) for n, width, cached in behind) == 6 * 158  # 7 x 158 is over 1,000


def test_a_cpu_reads_as_many_tokens_in_a_pass_as_its_cache_holds(llama):
    model, read = llama().eval(), []
    model.get_input_embeddings().register_forward_pre_hook(lambda _, args: read.append(args[0].numel()))
    rows = [drawn(100, n) for n in range(50)]
    yes_no_logits(model, Numbers(), spelled(rows), TOKENS)
    assert max(read) == 1_024 * torch.get_num_threads() // 100 * 100


def test_a_stop_between_batches_is_passed_on(llama):
    def stop(event: ProgressEvent) -> None:
        raise Cancelled(str(event.step))

    with pytest.raises(Cancelled, match="1"):
        yes_no_logits(llama(), Numbers(), spelled([[5, 6], [5, 7]]), TOKENS, 1, stop)


def test_a_prompt_without_tokens_is_refused(llama):
    with pytest.raises(InputError, match="Prompt 2 of 3 gives no token"):
        yes_no_logits(llama(), Numbers(), ["5 6", "", "7"], TOKENS)


# --- models that are left to their own forward pass -------------------------------------------------------


def capped_model():
    from transformers import Gemma2Config, Gemma2ForCausalLM

    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "head_dim": 8}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "vocab_size": 200, "initializer_range": 0.4}
    torch.manual_seed(0)
    return Gemma2ForCausalLM(Gemma2Config(**shape, **heads, final_logit_softcapping=2.0)).eval()


def test_a_window_that_forgets_reads_rows_whole():
    from transformers import MistralConfig, MistralForCausalLM

    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "vocab_size": 200}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "initializer_range": 0.4}
    torch.manual_seed(0)
    model, events = MistralForCausalLM(MistralConfig(**shape, **heads, sliding_window=20)).eval(), []
    found = yes_no_logits(model, Numbers(), spelled(SHARED["ragged"]), TOKENS, progress=events.append)
    np.testing.assert_allclose(found, plain_pairs(model, SHARED["ragged"]), atol=1e-4)
    assert events[-1].message == "two rows of the head, 100% of the tokens read"


def test_capped_logits_stay_right_and_the_way_is_told():
    model, events = capped_model(), []
    rows = SHARED["ragged"] + SHARED["short"]
    found = yes_no_logits(model, Numbers(), spelled(rows), TOKENS, progress=events.append)
    np.testing.assert_allclose(found, plain_pairs(model, rows), atol=1e-4)
    assert np.abs(found).max() > 1.0 and np.abs(found).max() <= 2.0  # the cap is felt
    assert events[-1].message == "the model's own forward pass: its logits are changed behind the head"


@pytest.mark.parametrize("whole_model", [False, True])
def test_the_mass_of_the_answers_is_that_of_a_softmax_over_the_vocabulary(
    llama, gpt2, tokenizer, texts, whole_model
):
    model = gpt2 if whole_model else llama()
    tokens = answer_tokens(tokenizer, "Answer:")
    prompts = [text.rpartition(" ")[0] for text in texts[:5]]
    logits = yes_no_logits(model, tokenizer, prompts, tokens, mass=True)
    assert np.array_equal(logits[:, :2], yes_no_logits(model, tokenizer, prompts, tokens))
    for prompt, row in zip(prompts, logits, strict=True):
        with torch.no_grad():
            probs = model(torch.tensor([tokenizer.encode(prompt)])).logits[0, -1].softmax(0).double()
        yes, no = float(probs[tokens.yes]), float(probs[tokens.no])
        assert np.exp(row[2]) == pytest.approx(yes + no, rel=1e-4)
        expected = np.exp(yes) / (np.exp(yes) + np.exp(no))  # the second softmax, as published
        assert double_softmax_probs(row[None])[0] == pytest.approx(expected, abs=1e-6)
