"""Exact lists of rows long enough to be cut into groups."""

import numpy as np
import pytest
import torch

from rec_core.evaluation import exact_top as module
from rec_core.evaluation.exact_top import exact_top


@pytest.mark.parametrize("n_values", [2, 5, 1000, 10**9])
@pytest.mark.parametrize("top_k", [1, 7, 40])
def test_equals_a_stable_sort(n_values, top_k):
    rng = np.random.default_rng(n_values)
    for n_items in (top_k, 3 * top_k, 8 * top_k, 8 * top_k + 5, 501):
        scores = rng.integers(0, n_values, (6, n_items)).astype(np.float64)
        scores[0, : n_items // 2] = scores[1, 1:] = scores[2] = -np.inf
        order = np.argsort(-scores, axis=1, kind="stable")
        shown = np.where(np.take_along_axis(scores, order, 1) > -np.inf, order, -1)[:, :top_k]
        padded = np.pad(shown, ((0, 0), (0, top_k - shown.shape[1])), constant_values=-1)
        assert exact_top(torch.from_numpy(scores), top_k).tolist() == padded.tolist()


def test_few_items_survive_the_bound():
    """What makes it fast: of 4,000 items a handful more than K are sorted."""
    scores = torch.from_numpy(np.random.default_rng(0).normal(size=(50, 4000)))
    survivors = (scores >= module._lower_bound(scores, 20)).sum(dim=1)
    assert survivors.min() >= 20 and survivors.double().mean() < 26
