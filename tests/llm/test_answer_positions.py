"""Where the head of a language model is applied in training, and what it never sees."""

from copy import deepcopy
from typing import Any

import numpy as np
import pytest

from rec_core.llm.causal_trainer import TokenRow, TrainerConfig, fit_causal
from rec_core.types import ignore_progress

PAD = 2


def rows(n: int) -> list[TokenRow]:
    """Rows of 4 to 13 tokens with answers of two."""
    rng = np.random.default_rng(0)
    return [TokenRow(rng.integers(3, 200, int(rng.integers(4, 14))).tolist(), 2) for _ in range(n)]


def heads(model: Any) -> list[tuple[int, int]]:
    """Record rows and columns of whatever reaches the head."""
    seen: list[tuple[int, int]] = []
    model.get_output_embeddings().register_forward_pre_hook(
        lambda _head, inputs: seen.append(tuple(inputs[0].shape[:2]))
    )
    return seen


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_the_head_is_applied_to_the_answer_positions_and_no_others(llama, gpt2, tmp_path, kind):
    """Left-padded rows with answers of two tokens: 2 positions a row, whatever the padding."""
    data = rows(9)
    assert len({len(row.ids) for row in data}) > 3
    model = llama() if kind == "llama" else deepcopy(gpt2)
    seen = heads(model)
    config = TrainerConfig(epochs=2, batch_size=4, bucketing=False)
    fit_causal(model, data, PAD, config, tmp_path, 0, "fit", ignore_progress, validation=data[:3])
    trained = 2 * sum(row.n_targets for row in data)
    looked_at = sum(row.n_targets for row in data[:3])
    assert sum(n_rows * columns for n_rows, columns in seen) == trained + looked_at
    assert {columns for _, columns in seen} == {2}


def test_answers_of_unlike_length_reach_the_head_by_the_longest_of_the_batch(llama, tmp_path):
    data = [TokenRow(list(range(10, 22)), n) for n in (1, 3, 2, 1)]
    model = llama()
    seen = heads(model)
    fit_causal(model, data, PAD, TrainerConfig(batch_size=4), tmp_path, 0, "fit", ignore_progress)
    assert seen == [(4, 3)]


def test_the_last_token_of_a_row_is_not_read(llama, tmp_path):
    model, seen = llama(), []
    model.model.embed_tokens.register_forward_pre_hook(
        lambda part, inputs: seen.append(inputs[0].tolist()) if part.training else None
    )
    data = [TokenRow([11, 12, 13, 14], 1), TokenRow([21, 22, 23], 2)]
    fit_causal(model, data, PAD, TrainerConfig(batch_size=2), tmp_path, 0, "fit", ignore_progress)
    assert len(seen) == 1 and sorted(seen[0]) == [[PAD, 21, 22], [11, 12, 13]]


@pytest.mark.parametrize("n_targets", [1, 2])
def test_the_last_block_works_at_the_answer_positions_and_no_others(llama, tmp_path, n_targets):
    """And what is learned is what a last block that works everywhere learns, weight by weight."""
    data = [TokenRow(row.ids, n_targets) for row in rows(9)]
    learned = {}
    for again in (False, True):  # activations computed a second time are computed everywhere
        model, widths = llama(), {"first": set(), "last": set()}
        for name, block in (("first", model.model.layers[0]), ("last", model.model.layers[-1])):
            block.mlp.up_proj.register_forward_pre_hook(
                lambda part, inputs, kept=widths[name]: (
                    kept.add(inputs[0].shape[1]) if part.training else None
                )
            )
        config = TrainerConfig(epochs=2, batch_size=4, learning_rate=1e-2, gradient_checkpointing=again)
        fit_causal(model, data, PAD, config, tmp_path / str(again), 0, "fit", ignore_progress)
        learned[again] = model.state_dict()
        assert max(widths["first"]) > 4
        assert (widths["last"] == {n_targets}) is not again
    for name, weight in learned[False].items():
        np.testing.assert_allclose(weight.numpy(), learned[True][name].numpy(), atol=1e-5)
