"""Pooling, layers and the last generated token: text vectors against one plain forward pass per text."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rec_core.llm import text_encoder
from rec_core.llm.generated_state import last_generated_states
from rec_core.llm.pooling import last_pooled, mean_pooled
from rec_core.llm.text_encoder import TextEncoderConfig, encode
from rec_core.llm.writer import SamplingConfig
from rec_core.seeding import numpy_generator
from rec_core.types import InputError

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
    return saved(llama() if request.param == "llama" else gpt2, tokenizer, tmp_path)


@pytest.fixture
def writer(llama, tokenizer, tmp_path) -> Path:
    return saved(llama(), tokenizer, tmp_path)


def saved(model: Any, tokenizer: Any, path: Path, side: str = "left") -> Path:
    """Causal models are often saved to be padded on the left."""
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    facts = path / "tokenizer_config.json"
    facts.write_text(json.dumps({**json.loads(facts.read_text()), "padding_side": side}))
    return path


def plain(folder: Path, text: str, layer: int, end: bool = False) -> tuple[list[int], torch.Tensor]:
    """Token numbers of one text and the states (T, D) of one layer, from an unpadded forward pass."""
    from transformers import AutoModel, AutoTokenizer

    model, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    ids = [*tokenizer.encode(text), *([tokenizer.eos_token_id] if end else [])]
    with torch.no_grad():
        return ids, model(torch.tensor([ids]), output_hidden_states=True).hidden_states[layer][0]


@pytest.mark.parametrize("layer", [-1, -2, 0, 1, 2])
@pytest.mark.parametrize("pooling", ["mean", "last"])
def test_any_layer_equals_its_states_in_a_plain_pass(folder, pooling, layer):
    config = TextEncoderConfig(name=str(folder), pooling=pooling, layer=layer, max_tokens_per_batch=64)
    for title, vector in zip(TITLES, encode(TITLES, config), strict=True):
        states = plain(folder, title, layer)[1]
        expected = states.mean(dim=0) if pooling == "mean" else states[-1]
        np.testing.assert_allclose(vector, expected.numpy(), atol=1e-5)


def test_the_last_layer_has_two_numbers(folder):
    """Both lie behind the final norm; one layer lower lies elsewhere."""
    numbers = {
        layer: encode(TITLES, TextEncoderConfig(name=str(folder), layer=layer)) for layer in (-1, 2, 1)
    }
    np.testing.assert_allclose(numbers[2], numbers[-1], atol=1e-6)
    assert np.abs(numbers[1] - numbers[-1]).max() > 0.01


@pytest.mark.parametrize("layer", [3, -4])
def test_a_layer_that_is_not_there_is_refused(folder, layer):
    with pytest.raises(InputError, match=rf"2 layers and no layer {layer}; choose one from -3 to 2"):
        encode(TITLES, TextEncoderConfig(name=str(folder), layer=layer))


def test_the_end_token_is_put_behind_the_text_once(writer, tokenizer):
    end = tokenizer.eos_token
    texts = [*TITLES, f"Up{end}"]
    vectors = encode(texts, TextEncoderConfig(name=str(writer), pooling="eos"))
    for title, vector in zip(TITLES, vectors, strict=False):
        ids, states = plain(writer, title, -1, end=True)
        assert ids[-1] == tokenizer.eos_token_id
        np.testing.assert_allclose(vector, states[-1].numpy(), atol=1e-5)
    np.testing.assert_allclose(vectors[-1], vectors[0], atol=1e-6)
    assert (
        np.abs(vectors - encode(texts, TextEncoderConfig(name=str(writer), pooling="last")))[:-1]
        .min(axis=1)
        .max()
        > 0
    )


def test_room_is_left_for_the_end_token(writer, tokenizer):
    text = "Alien Heat Tron " * 20
    vector = encode([text], TextEncoderConfig(name=str(writer), pooling="eos", max_length=8))[0]
    from transformers import AutoModel

    ids = [*tokenizer.encode(text)[:7], tokenizer.eos_token_id]
    with torch.no_grad():
        states = AutoModel.from_pretrained(writer).eval()(torch.tensor([ids])).last_hidden_state[0]
    np.testing.assert_allclose(vector, states[-1].numpy(), atol=1e-5)


def test_a_tokenizer_without_end_token_is_refused(tiny_bert):
    with pytest.raises(InputError, match="has no end token"):
        encode(TITLES, TextEncoderConfig(name=str(tiny_bert), pooling="eos"))


@pytest.mark.parametrize("side", ["left", "right"])
def test_pooling_by_hand_with_padding_on_either_side(side):
    tokens = torch.tensor([[1.0, 2.0], [3.0, 6.0]])
    padding = torch.full((2, 2), 100.0)
    rows, marks = ([padding, tokens], [0, 0, 1, 1]) if side == "left" else ([tokens, padding], [1, 1, 0, 0])
    hidden = torch.stack([torch.cat(rows), torch.arange(8.0).view(4, 2)])
    mask = torch.tensor([marks, [1, 1, 1, 1]])
    assert mean_pooled(hidden, mask).tolist() == [[2.0, 4.0], [3.0, 4.0]]
    assert last_pooled(hidden, mask).tolist() == [[3.0, 6.0], [6.0, 7.0]]


def test_the_mean_over_no_tokens_is_zero():
    assert mean_pooled(torch.ones(1, 3, 2), torch.zeros(1, 3, dtype=torch.long)).tolist() == [[0.0, 0.0]]


def naive_state(
    model: Any, ids: list[int], uniforms: np.ndarray, temperature: float, top_p: float, ends: set[int]
):
    """Write token by token with whole passes; the state the last token was drawn from, and the tokens."""
    written: list[int] = []
    for uniform in uniforms:
        with torch.no_grad():
            output = model(torch.tensor([[*ids, *written]]), output_hidden_states=True)
        state = output.hidden_states[-1][0, -1]
        probs = torch.softmax(output.logits[0, -1].double() / temperature, dim=0).tolist()
        ranked = sorted(range(len(probs)), key=lambda i: (-probs[i], i))
        kept, total = set(), 0.0
        for i in ranked:
            if total < top_p:
                kept.add(i)
            total += probs[i]
        mass, reached, token = sum(probs[i] for i in kept), 0.0, -1
        for i in sorted(kept):
            reached += probs[i]
            if reached > uniform * mass:
                token = i
                break
        written.append(token)
        if token in ends:
            break
    return state.numpy(), written


@pytest.mark.parametrize("n_generated", [1, 2, 12])
@pytest.mark.parametrize("top_p", [1.0, 0.6])
def test_the_last_generated_state_equals_writing_token_by_token(writer, tokenizer, n_generated, top_p):
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(writer).eval()
    config = TextEncoderConfig(
        name=str(writer),
        pooling="last_generated",
        n_generated=n_generated,
        temperature=0.9,
        top_p=top_p,
        sampling_seed=5,
    )
    lengths = set()
    for title, vector in zip(TITLES, encode(TITLES, config), strict=True):
        uniforms = numpy_generator(5, "generated state", title).random(n_generated)
        expected, written = naive_state(
            model, tokenizer.encode(title), uniforms, 0.9, top_p, {tokenizer.eos_token_id}
        )
        np.testing.assert_allclose(vector, expected, atol=1e-4)
        lengths.add(len(written))
    assert max(lengths) == n_generated


def test_a_row_that_ends_early_keeps_the_state_of_its_own_end(llama, tokenizer):
    """Tokens that some row is bound to draw end it, while the others go on."""
    from rec_core.llm.yes_no import left_padded

    model = llama().eval()
    texts, n = TITLES[:5], 6
    rows = [tokenizer.encode(text) for text in texts]
    draws = [numpy_generator(0, "generated state", text).random(n) for text in texts]
    paths = [naive_state(model, row, u, 1.0, 1.0, set())[1] for row, u in zip(rows, draws, strict=True)]
    ends = {paths[0][0], paths[1][2]}
    model.generation_config.eos_token_id = sorted(ends)
    ids, mask = left_padded(rows, tokenizer.pad_token_id)
    sampling = SamplingConfig(temperature=1.0, top_p=1.0, max_new_tokens=n)
    states = last_generated_states(model, ids, mask, texts, sampling, 0)
    lengths = []
    for state, row, uniforms in zip(states, rows, draws, strict=True):
        expected, written = naive_state(model, row, uniforms, 1.0, 1.0, ends)
        np.testing.assert_allclose(state.detach().numpy(), expected, atol=1e-4)
        lengths.append(len(written))
    assert lengths[0] == 1 and len(set(lengths)) > 1


def test_what_a_text_writes_does_not_depend_on_its_batch_and_the_seed_decides_it(writer):
    config = TextEncoderConfig(name=str(writer), pooling="last_generated", n_generated=4)
    together = encode(TITLES, config)
    alone = np.concatenate([encode([title], config) for title in TITLES])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert np.array_equal(encode(TITLES, config), together)
    other = encode(TITLES, config.with_values({"sampling_seed": 1}))
    assert np.abs(other - together).max() > 0.01


def test_the_global_generator_stands_still(writer):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    encode(TITLES[:2], TextEncoderConfig(name=str(writer), pooling="last_generated", n_generated=2))
    assert torch.equal(torch.rand(1), expected)


def test_who_cannot_write_is_refused(tiny_bert, llama, tokenizer, tmp_path, writer):
    from transformers import BertConfig, BertForMaskedLM

    generated = {"pooling": "last_generated", "n_generated": 2}
    with pytest.raises(InputError, match="without the head that writes"):
        encode(["Up"], TextEncoderConfig(name=str(tiny_bert), **generated))
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    masked = BertForMaskedLM(BertConfig(vocab_size=len(tokenizer), **shape))
    with pytest.raises(InputError, match="is an encoder and writes nothing"):
        encode(
            ["Up"], TextEncoderConfig(name=str(saved(masked, tokenizer, tmp_path / "masked")), **generated)
        )
    with pytest.raises(InputError, match="set layer to -1"):
        encode(["Up"], TextEncoderConfig(name=str(writer), layer=1, **generated))
    with pytest.raises(InputError, match="lower n_generated"):
        encode(["Up"], TextEncoderConfig(name=str(writer), pooling="last_generated", n_generated=512))


def test_the_new_fields_leave_the_default_as_it_was():
    dump = TextEncoderConfig().model_dump()
    assert {key: dump[key] for key in ("name", "max_length", "max_tokens_per_batch")} == {
        "name": "minilm",
        "max_length": 256,
        "max_tokens_per_batch": 4096,
    }
    assert (dump["pooling"], dump["layer"], dump["pca"]) == ("mean", -1, 0)
    assert text_encoder.CHUNK_TEXTS == 512
