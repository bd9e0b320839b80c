"""A beginning read once and lent to many rows, against whole passes."""

import pytest
import torch

from rec_core.llm.shared_prefix import can_be_lent, lent, prefix_cache, rotates_by_length

PREFIX, RESTS = [3, 9, 4, 7, 5], [[6, 8, 2], [9, 1, 1], [4, 4, 7]]


@pytest.fixture(params=["llama", "gpt2"])
def body(request, llama, gpt2):
    model = llama() if request.param == "llama" else gpt2
    return model.base_model.eval()


@pytest.fixture
def cache(body):
    with torch.no_grad():
        return prefix_cache(body, PREFIX, torch.device("cpu"))


def states_behind(body, cache, rests):
    with torch.no_grad():
        return body(
            input_ids=torch.tensor(rests), past_key_values=lent(cache, len(rests)), use_cache=True
        ).last_hidden_state


def test_rows_behind_a_lent_beginning_have_the_states_of_whole_rows(body, cache):
    found = states_behind(body, cache, RESTS)
    with torch.no_grad():
        whole = body(input_ids=torch.tensor([PREFIX + rest for rest in RESTS])).last_hidden_state
    torch.testing.assert_close(found, whole[:, len(PREFIX) :], atol=1e-5, rtol=0)


def test_lending_leaves_the_original_as_it_was(body, cache):
    before = [(layer.keys.clone(), layer.values.clone()) for layer in cache.layers]
    first = states_behind(body, cache, RESTS)
    assert torch.equal(
        states_behind(body, cache, RESTS), first
    )  # a cache that had grown would move positions
    for layer, (keys, values) in zip(cache.layers, before, strict=True):
        assert layer.get_seq_length() == len(PREFIX)
        assert torch.equal(layer.keys, keys) and torch.equal(layer.values, values)


def test_only_caches_that_keep_everything_can_be_lent(body, cache):
    from transformers import DynamicCache, MistralConfig, MistralForCausalLM, StaticCache

    class Forgetful(DynamicCache):
        pass

    assert can_be_lent(cache)
    assert not can_be_lent(Forgetful([(layer.keys, layer.values) for layer in cache.layers]))
    assert not can_be_lent(None)
    assert not can_be_lent(StaticCache(config=body.config, max_cache_len=16))
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "vocab_size": 50}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2}
    windowed = MistralForCausalLM(MistralConfig(**shape, **heads, sliding_window=3)).base_model
    with torch.no_grad():
        assert not can_be_lent(prefix_cache(windowed, PREFIX, torch.device("cpu")))


class Rotary(torch.nn.Module):
    def __init__(self, rope_type) -> None:
        super().__init__()
        self.rope_type = rope_type


@pytest.mark.parametrize(
    ("kind", "follows"),
    [
        ("default", False),
        ("yarn", False),
        ("dynamic", True),
        ("longrope", True),
        ({"full_attention": "longrope", "sliding_attention": "default"}, True),
        ({"full_attention": "default"}, False),
    ],
)
def test_frequencies_that_follow_the_length_are_recognised(kind, follows):
    assert rotates_by_length(torch.nn.Sequential(torch.nn.Linear(2, 2), Rotary(kind))) is follows
