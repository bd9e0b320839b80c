"""Text vectors: the mean over real tokens, against one text at a time."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from rec_core.llm.text_encoder import TextEncoderConfig, encode, encoder_folder
from rec_core.types import InputError, ProgressEvent

TITLES = [
    "Up",
    "Alien (1979)",
    "A long story about rain and other weather (1999)",
    "M",
    "Heat (1995)",
    "Up",
    "",
]


@pytest.fixture(params=["bert", "llama", "gpt2"])
def folder(request, tiny_bert, llama, gpt2, tokenizer, tmp_path) -> Path:
    if request.param == "bert":
        return tiny_bert
    (llama() if request.param == "llama" else gpt2).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    facts = tmp_path / "tokenizer_config.json"  # causal models are often saved to be padded on the left
    facts.write_text(json.dumps({**json.loads(facts.read_text()), "padding_side": "left"}))
    return tmp_path


def naive(folder: Path, texts: list[str]) -> np.ndarray:
    """One text at a time, no padding, mean written as a loop."""
    from transformers import AutoModel, AutoTokenizer

    model, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    rows = []
    for text in texts:
        with torch.no_grad():
            states = model(torch.tensor([tokenizer.encode(text)])).last_hidden_state[0]
        total = torch.zeros(states.shape[1])
        for state in states:
            total += state
        rows.append((total / len(states)).numpy())
    return np.stack(rows)


@pytest.mark.parametrize("budget", [64, 4096])
def test_equals_one_text_at_a_time(folder, budget):
    events: list[ProgressEvent] = []
    config = TextEncoderConfig(name=str(folder), max_tokens_per_batch=budget)
    vectors = encode(TITLES, config, events.append)
    np.testing.assert_allclose(vectors, naive(folder, TITLES), atol=1e-5)
    assert vectors.dtype == np.float32 and np.array_equal(vectors[0], vectors[5])
    assert np.abs(vectors[0] - vectors[3]).max() > 0.01
    assert (len(events) > 1) == (budget == 64) and (events[-1].step, events[-1].total) == (7, 7)


def test_what_is_too_long_is_cut_at_the_end(tiny_bert):
    config = TextEncoderConfig(name=str(tiny_bert), max_length=8)
    long, cut = encode(["abcdefghijkl", "abcdef"], config)  # [CLS] + 6 letters + [SEP]
    np.testing.assert_allclose(long, cut, atol=1e-6)


def test_no_text_is_longer_than_the_model_can_read(tiny_bert):
    """512 positions: [CLS] + 510 letters + [SEP]."""
    long, cut = encode(["a b " * 300, "a b " * 255], TextEncoderConfig(name=str(tiny_bert), max_length=4000))
    np.testing.assert_allclose(long, cut, atol=1e-5)


def test_an_empty_text_has_a_vector_where_there_are_no_special_tokens(spelling, tmp_path):
    from transformers import LlamaConfig, LlamaModel

    tokenizer = spelling()
    tokenizer.pad_token = tokenizer.eos_token = "."
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    LlamaModel(LlamaConfig(vocab_size=len(tokenizer), **shape)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    vectors = encode(["", "Up", "."], TextEncoderConfig(name=str(tmp_path)))
    assert np.isfinite(vectors).all() and np.abs(vectors).max(axis=1).min() > 0
    np.testing.assert_allclose(vectors[0], vectors[2], atol=1e-6)
    np.testing.assert_allclose(encode([""], TextEncoderConfig(name=str(tmp_path))), vectors[:1], atol=1e-6)


def test_no_texts_give_no_rows(tiny_bert):
    assert encode([], TextEncoderConfig(name=str(tiny_bert))).shape == (0, 16)


def test_what_cannot_be_loaded_is_one_sentence(tiny_bert, tmp_path):
    for file in tiny_bert.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"{")
    for name in (str(tmp_path), str(tmp_path / "nowhere")):
        with pytest.raises(InputError, match="cannot be loaded"):
            encode(["Up"], TextEncoderConfig(name=name))


@pytest.mark.slow
def test_the_packaged_encoder_equals_sentence_transformers():
    from sentence_transformers import SentenceTransformer

    texts = ["Alien (1979)", "A crew meets something on a dark ship, and nobody hears it.", "Up", ""]
    theirs = SentenceTransformer(encoder_folder("minilm"), device="cpu").encode(
        texts, normalize_embeddings=True
    )
    ours = encode(texts, TextEncoderConfig())
    ours /= np.linalg.norm(ours, axis=1, keepdims=True)
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
