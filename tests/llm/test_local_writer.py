"""Texts of a local model against one plain forward pass per token, alone and in every kind of batch."""

import pytest
import torch

from rec_core.llm.local_writer import LocalConfig, LocalWriter
from rec_core.llm.row_sampler import draw
from rec_core.llm.writer import Ask, SamplingConfig
from rec_core.seeding import numpy_generator
from rec_core.store import write_json
from rec_core.types import InputError

MORE_ENDS = range(100, 130)  # tokens that end an answer beside the tokenizer's own
SAMPLING = SamplingConfig(max_new_tokens=12)
ASKS = [Ask(f"k{i}", "Heat (1995)\n" * (1 + i % 3) + f"Tell {i}", attempt=i % 2) for i in range(7)]


@pytest.fixture(scope="module", params=["llama", "gpt2"])
def model(request):
    """A rotary model and one with absolute positions."""
    found = request.getfixturevalue(request.param)
    return (found() if request.param == "llama" else found).eval()


@pytest.fixture(scope="module")
def folder(model, tokenizer, tmp_path_factory):
    """The model on disk, with ways of generating of its own that must not count."""
    path = tmp_path_factory.mktemp("writer")
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    ways = {"do_sample": True, "temperature": 3.0, "repetition_penalty": 5.0, "max_new_tokens": 3}
    write_json(
        path / "generation_config.json", {**ways, "eos_token_id": [tokenizer.eos_token_id, *MORE_ENDS]}
    )
    return path


def written(folder, asks, sampling=SAMPLING, seed=0, **config):
    with LocalWriter(str(folder), sampling, seed, LocalConfig(**config)) as writer:
        return {answer.ask.key: answer for answer in writer.answers(asks)}


def by_hand(model, tokenizer, ask, sampling, seed):
    """One forward pass over everything so far per token, no cache, no padding, no batch."""
    ids = tokenizer.encode(ask.prompt)
    start, ends = len(ids), {tokenizer.eos_token_id, *MORE_ENDS}
    uniforms = numpy_generator(seed, "writing", ask.key, ask.attempt).random(sampling.max_new_tokens)
    for uniform in uniforms:
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[:, -1]
        ids.append(draw(logits, torch.tensor([uniform]), sampling.temperature, sampling.top_p).item())
        if ids[-1] in ends:
            return tokenizer.decode(ids[start:], skip_special_tokens=True), "stop", len(ids) - start
    return tokenizer.decode(ids[start:], skip_special_tokens=True), "length", len(ids) - start


@pytest.mark.parametrize("sampling", [SAMPLING, SamplingConfig(temperature=0.0, max_new_tokens=9)])
def test_a_text_is_what_plain_forward_passes_give(model, tokenizer, folder, sampling):
    answers = written(folder, ASKS, sampling, seed=4)
    for ask in ASKS:
        answer = answers[ask.key]
        found = (answer.text, answer.finish, answer.answer_tokens)
        assert found == by_hand(model, tokenizer, ask, sampling, 4)
        assert answer.prompt_tokens == len(tokenizer.encode(ask.prompt))


def test_a_text_depends_on_neither_batch_nor_order_nor_what_was_written_before(folder):
    whole = written(folder, ASKS)
    for asks, budget in ((ASKS[::-1], 1), (ASKS[2:5], 16_384), ([ASKS[6], ASKS[0]], 120)):
        some = written(folder, asks, max_tokens_per_batch=budget)
        for key, answer in some.items():
            assert (answer.text, answer.finish) == (whole[key].text, whole[key].finish)


def test_seed_key_and_attempt_each_change_the_text(folder):
    first = Ask("k0", ASKS[0].prompt)
    texts = [
        written(folder, [ask], seed=seed)["k0" if ask.key == "k0" else "k9"].text
        for ask, seed in (
            (first, 0),
            (first, 1),
            (Ask("k9", first.prompt), 0),
            (Ask("k0", first.prompt, 1), 0),
        )
    ]
    assert len(set(texts)) == 4


def test_an_answer_that_ends_is_told_from_one_that_is_cut(model, tokenizer, folder):
    asks = [Ask(f"e{i}", "Heat (1995)") for i in range(40)]
    answers = written(folder, asks, SamplingConfig(temperature=2.0, top_p=1.0, max_new_tokens=15))
    finishes = [answers[ask.key].finish for ask in asks]
    assert set(finishes) == {"stop", "length"}
    for answer in answers.values():
        assert "</s>" not in answer.text
        assert (answer.answer_tokens == 15) or answer.finish == "stop"


def test_a_chat_model_is_spoken_to_in_its_template(folder, tokenizer, tmp_path):
    import shutil

    chatty = shutil.copytree(folder, tmp_path / "chatty")
    wrapped = f"{tokenizer.bos_token}user: {ASKS[0].prompt}\nassistant:"
    (chatty / "chat_template.jinja").write_text(
        "{{ bos_token }}{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant:{% endif %}"
    )
    asked = written(chatty, [ASKS[0]])[ASKS[0].key]
    plain = written(folder, [Ask(ASKS[0].key, wrapped.removeprefix(tokenizer.bos_token))])[ASKS[0].key]
    assert (asked.text, asked.prompt_tokens) == (plain.text, plain.prompt_tokens)
    assert asked.prompt_tokens > len(tokenizer.encode(ASKS[0].prompt))


def test_a_prompt_that_leaves_no_room_for_the_answer_is_told_before(folder):
    with pytest.raises(InputError, match="lower max_new_tokens"):
        written(folder, [Ask("k", "Up " * 60)], SamplingConfig(max_new_tokens=505))


def test_a_model_that_is_not_there_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="cannot be loaded"):
        written(tmp_path / "none", ASKS)
