"""Reading a list prompt: one probability per letter."""

import numpy as np
import pytest
import torch

from rec_core.llm.slot_choice import slot_probs
from rec_core.types import InputError

PROMPTS = [
    "A: Up\nB: Heat\nC: Alien\nAnswer:",
    "Which?\nA: Heat (1995)\nB: Up\nC: Tron (1982)\nAnswer:",
    "Answer:",
]


@pytest.mark.parametrize("batch_size", [1, 2, 32])
def test_rows_are_the_softmax_of_the_letters_after_a_plain_forward(llama, gpt2, tokenizer, batch_size):
    for model in (llama(), gpt2):
        got = slot_probs(model, tokenizer, PROMPTS, "ABC", "Answer:", batch_size)
        columns = [tokenizer.encode(f"Answer: {letter}")[-1] for letter in "ABC"]
        for row, prompt in zip(got, PROMPTS, strict=True):
            with torch.no_grad():
                last = model.eval()(torch.tensor([tokenizer.encode(prompt)])).logits[0, -1, columns]
            np.testing.assert_allclose(row, torch.softmax(last.double(), 0).numpy(), atol=1e-5)
        np.testing.assert_allclose(got.sum(axis=1), 1.0, atol=1e-12)
        assert len(np.unique(got.round(4))) == 9


def test_no_prompts_give_no_rows(llama, tokenizer):
    assert slot_probs(llama(), tokenizer, [], "ABC", "Answer:").shape == (0, 3)


def test_split_letters_are_refused(llama, spelling):
    with pytest.raises(InputError, match="splits the answer letter 'B'"):
        slot_probs(llama(), spelling(" A"), PROMPTS, "AB", "Answer:")
