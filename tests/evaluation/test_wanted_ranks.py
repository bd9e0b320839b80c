"""Counting and sorting give the same ranks."""

import numpy as np
import pytest
import torch

from rec_core.evaluation import wanted_ranks as module
from rec_core.evaluation.wanted_ranks import wanted_ranks


@pytest.mark.parametrize("few", [0, 2, 100])
@pytest.mark.parametrize("cells", [1, 2**17])
@pytest.mark.parametrize("n_values", [3, 10**9])
def test_counting_and_sorting_equal_a_loop(monkeypatch, few, cells, n_values):
    monkeypatch.setattr(module, "_FEW", few)
    monkeypatch.setattr(module, "_CELLS", cells)
    rng = np.random.default_rng(0)
    scores = rng.integers(0, n_values, (5, 30)).astype(np.float64)
    rows = np.repeat(np.arange(5), [1, 3, 1, 8, 2])
    items = np.concatenate([np.sort(rng.choice(30, n, replace=False)) for n in (1, 3, 1, 8, 2)])
    found = wanted_ranks(torch.tensor(scores), torch.tensor(rows), torch.tensor(items), np.arange(5))
    for row, item, rank in zip(rows, items, found.tolist(), strict=True):
        assert rank == 1 + sum(
            (-scores[row, other], other) < (-scores[row, item], item) for other in range(30)
        )


def test_one_user_among_several_with_as_many_pairs_as_rows():
    """Pairs as many as rows, but not one each: nothing may be mixed up."""
    scores = torch.tensor([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0], [2.0, 1.0, 3.0]])
    rows, items = torch.tensor([0, 1, 1, 2]), torch.tensor([0, 0, 1, 0])
    assert wanted_ranks(scores, rows, items, np.arange(3)).tolist() == [1, 3, 2, 2]
    assert wanted_ranks(scores, torch.tensor([0, 0, 2]), torch.tensor([0, 2, 1]), np.arange(3)).tolist() == [
        1,
        3,
        3,
    ]
