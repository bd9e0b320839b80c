"""Tiny language models of every build, as fixtures."""

from collections.abc import Callable
from typing import Any

import pytest

TEXTS = [
    f"The user is a woman.\nShe rated these movies, oldest first:\n{title} ({stars} stars)\n{other} (1 star)\n"
    f"Is its genre Drama? Answer only Yes or No.\n{title}\nAnswer: {word}."
    for title in ("Alien (1979)", "Heat (1995)", "Up (2009)")
    for other in ("M (1931)", "Tron (1982)")
    for stars, word in (("5", "Yes"), ("3.5", "No"), ("2", "Yes"))
]


@pytest.fixture(scope="session")
def texts() -> list[str]:
    return TEXTS


@pytest.fixture(scope="session")
def tokenizer(texts: list[str]) -> Any:
    from rec_core.llm.sample_lm import train_tokenizer

    lists = [f"A: Up\nB: Heat\nAnswer: {letter}" for letter in "ABCDE" for _ in range(3)]
    return train_tokenizer([*texts, *lists], 400)


@pytest.fixture(scope="session")
def llama(tokenizer: Any) -> Callable[..., Any]:
    """A function that gives a random Llama over the tokenizer, the same for the same seed."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    def make(hidden_size: int = 16, seed: int = 0, n_layers: int = 2) -> Any:
        torch.manual_seed(seed)
        return LlamaForCausalLM(
            LlamaConfig(
                hidden_size=hidden_size,
                intermediate_size=2 * hidden_size,
                num_hidden_layers=n_layers,
                num_attention_heads=2,
                num_key_value_heads=2,
                vocab_size=len(tokenizer),
                max_position_embeddings=512,
                initializer_range=0.3,
                bos_token_id=tokenizer.bos_token_id,
                eos_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.pad_token_id,
                tie_word_embeddings=True,
            )
        )

    return make


@pytest.fixture(scope="session")
def gpt2(tokenizer: Any) -> Any:
    """A random model whose positions are absolute: a wrong position number changes what it says."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    shape = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 256, "initializer_range": 0.5}
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    return GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), **shape, **ends)).eval()
