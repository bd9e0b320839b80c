"""Full softmax cross-entropy against its sum."""

import math

import numpy as np
import pytest
import torch

from rec_core.losses.cross_entropy import cross_entropy


def test_equals_the_loops():
    rng = np.random.default_rng(0)
    states, vectors, targets = rng.normal(size=(5, 3)), rng.normal(size=(6, 3)), np.array([5, 0, 2, 2, 3])
    total = 0.0
    for state, target in zip(states, targets, strict=True):
        everything = sum(math.exp(float(state @ vector)) for vector in vectors)
        total -= math.log(math.exp(float(state @ vectors[target])) / everything)
    got = cross_entropy(torch.tensor(states), torch.tensor(vectors), torch.tensor(targets))
    assert float(got) == pytest.approx(total / 5, abs=1e-12)


def test_chance_is_the_logarithm_of_the_items_and_large_scores_do_not_overflow():
    states, targets = torch.ones(4, 2), torch.tensor([0, 1, 2, 6])
    assert float(cross_entropy(states, torch.ones(7, 2), targets)) == pytest.approx(math.log(7))
    apart = torch.tensor([[900.0, 0.0], [-900.0, 0.0]])
    assert float(cross_entropy(torch.ones(1, 2), apart, torch.tensor([1]))) == pytest.approx(1800.0)


def test_gradient():
    generator = torch.Generator().manual_seed(0)
    states, vectors = (
        torch.randn(n, 3, dtype=torch.float64, generator=generator, requires_grad=True) for n in (4, 5)
    )
    targets = torch.tensor([4, 0, 1, 1])
    assert torch.autograd.gradcheck(lambda s, v: cross_entropy(s, v, targets), (states, vectors))


def test_many_states_in_pieces_are_the_same_as_all_at_once():
    """300 states are three pieces of at most 128."""
    generator = torch.Generator().manual_seed(0)
    states, vectors = (
        torch.randn(n, 8, generator=generator, dtype=torch.float64, requires_grad=True) for n in (300, 40)
    )
    targets = torch.randint(40, (300,), generator=generator)
    whole = torch.nn.functional.cross_entropy(states @ vectors.T, targets)
    pieces = cross_entropy(states, vectors, targets)
    torch.testing.assert_close(pieces, whole)
    expected, got = (torch.autograd.grad(loss * 3, (states, vectors)) for loss in (whole, pieces))
    torch.testing.assert_close(got, expected)
