"""Rows in batches by a budget of tokens, by hand and by the rule."""

import numpy as np

from rec_core.llm.token_budget import token_batches


def test_batches_hold_the_budget_and_every_row_once():
    lengths = np.random.default_rng(0).integers(1, 60, 200).tolist()
    batches = token_batches(lengths, 240)
    assert sorted(row for batch in batches for row in batch) == list(range(200))
    assert all(len(batch) * max(lengths[row] for row in batch) <= 240 for batch in batches)
    assert len(batches) < 40
    assert token_batches([500, 3], 240) == [[1], [0]] and token_batches([], 240) == []


def test_batches_keep_both_budgets_and_lose_nothing():
    lengths = [5, 1, 3, 40, 2, 9, 9]
    batches = [[1, 4, 2, 0], [5, 6], [3]]  # four rows of up to 5, two of 9, and one over the budget
    assert token_batches(lengths, 20) == batches
    assert token_batches(lengths, 100, max_read=20) == batches
    # behind one shared token a pass reads 4 x 4 and 3 x 8, a batch holds 4 x 5 and 3 x 9
    behind = [5, 3, 2, 9, 9]
    assert token_batches(behind, 20, prefix=1) == [[2, 1, 0], [3, 4]]
    assert token_batches(behind, 100, prefix=1, max_read=16) == [[2, 1, 0], [3, 4]]
    assert token_batches(behind, 100, prefix=1, max_read=24) == [[2, 1, 0], [3, 4]]
    assert token_batches(behind, 100, prefix=1, max_read=40) == [[2, 1, 0, 3, 4]]
