"""The embedded model: where its tokens may not merge, what is packed, and that it trains."""

import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rec_core.llm.backbone import load_backbone
from rec_core.llm.causal_trainer import TrainerConfig
from rec_core.llm.sample_lm import SampleLMConfig, pack, train_sample_lm, train_tokenizer
from rec_core.prompts.choice import choice_prompt
from rec_core.prompts.like import ANSWER_END, like_prompt
from rec_core.types import ignore_progress

HISTORY = [("Alien (1979)", 5.0), ("Heat (1995)", 3.5), ("Up (2009)", 1.0)]


@pytest.fixture(scope="module")
def prompts() -> list[str]:
    like = like_prompt({"gender": "woman"}, HISTORY, "Up (2009)", 3.0, "relevance").text
    choice = choice_prompt({}, HISTORY, ["Alien (1979)", "Up (2009)", "Heat (1995)"])
    return [f"{like} Yes{ANSWER_END}", f"{like} No{ANSWER_END}", *(f"{choice} {letter}" for letter in "ABC")]


@pytest.fixture(scope="module")
def greedy(prompts):
    """A tokenizer that has seen these prompts so often that it merges whatever it may."""
    return train_tokenizer(prompts * 40, 1000)


def pieces(tokenizer, text: str) -> list[str]:
    spans = tokenizer(text, return_offsets_mapping=True, add_special_tokens=False)["offset_mapping"]
    return [text[start:end] for start, end in spans]


def test_frequent_titles_are_single_tokens(greedy, prompts):
    assert "Alien (1979)" in pieces(greedy, prompts[0])


def test_ratings_answers_and_letters_never_merge_with_their_neighbours(greedy, prompts):
    for prompt in prompts:
        cut, place = {0}, 0
        for piece in pieces(greedy, prompt):
            place += len(piece)
            cut.add(place)
        assert place == len(prompt)
        alone = r" \([\d.]+ stars?\)\n?|\n|Answer:| (?:Yes|No)(?=\.$)| [A-T]$|(?<=\n)[A-T]:"
        found = list(re.finditer(alone, prompt))
        assert len(found) > 8
        for match in found:
            assert {match.start(), match.end()} <= cut, f"{match.group()!r} merged in {prompt!r}"


def test_answers_are_single_tokens_however_small_the_data():
    """Two documents about long titles, and a vocabulary that is full before an answer comes up often."""
    text = "\n".join(
        f"The Return of the {name} (19{i})" for i, name in enumerate(["Moon", "Rain"] * 40, start=10)
    )
    scarce = train_tokenizer([f"{text}\nAnswer: Yes.", f"{text}\nAnswer: A"] * 2, 300)
    lead = scarce.encode("Answer:")
    for word in ("Yes", "No", *"ABCDE"):
        assert len(scarce.encode(f"Answer: {word}")) == len(lead) + 1, word


def test_an_answer_is_tokenised_alike_alone_and_in_place(greedy, prompts):
    lead = greedy.encode(prompts[0].removesuffix(" Yes."))
    assert greedy.encode(prompts[0]) == lead + greedy.encode(" Yes.", add_special_tokens=False)
    assert len(greedy.encode(" Yes.", add_special_tokens=False)) == 2
    choice = prompts[2].removesuffix(" A")
    assert [len(greedy.encode(f"{choice} {letter}")) for letter in "ABC"] == [
        len(greedy.encode(choice)) + 1
    ] * 3


@given(st.text(st.characters(codec="utf-8", exclude_characters="<>"), max_size=40))
def test_any_text_comes_back(text: str):
    ids = UNIVERSAL.encode(text)
    assert ids[0] == UNIVERSAL.bos_token_id
    assert UNIVERSAL.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False) == text


UNIVERSAL = train_tokenizer(["Up (2009) (5 stars)\nAnswer: Yes."] * 3, 300)


@pytest.mark.parametrize("block_length", [5, 32, 33, 10_000])
def test_packing_loses_no_token(tokenizer, texts, block_length):
    stream = [i for text in texts for i in [*tokenizer.encode(text), tokenizer.eos_token_id]]
    rows = pack(tokenizer, texts, block_length)
    packed = [i for row in rows for i in row.ids]
    assert packed == stream[: len(packed)] and len(stream) - len(packed) == (len(stream) % block_length == 1)
    assert {len(row.ids) for row in rows[:-1]} <= {block_length} and 1 < len(rows[-1].ids) <= block_length
    assert all(row.n_targets == len(row.ids) for row in rows)


def test_a_lone_last_token_is_left_out(tokenizer):
    length = len(tokenizer.encode("Up"))
    assert [row.ids for row in pack(tokenizer, ["Up"], length)] == [tokenizer.encode("Up")]


def test_training_writes_a_model_that_loads_and_the_seed_decides_it(texts, tmp_path):
    config = SampleLMConfig(
        hidden_size=16,
        n_layers=1,
        n_heads=2,
        vocab_size=300,
        block_length=64,
        max_positions=64,
        training=TrainerConfig(epochs=1, batch_size=8, learning_rate=1e-2),
    )
    weights = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        torch.manual_seed(len(weights))
        train_sample_lm(texts, config, tmp_path / name, tmp_path / f"work-{name}", seed, ignore_progress)
        backbone = load_backbone(str(tmp_path / name))
        weights.append(backbone.model.model.embed_tokens.weight)
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])
    assert backbone.tokenizer.encode("Up") == train_tokenizer(texts, 300).encode("Up")
    assert (
        backbone.tokenizer.pad_token == "<pad>"
        and len(backbone.tokenizer) == backbone.model.config.vocab_size
    )
