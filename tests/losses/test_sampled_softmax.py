"""Sampled softmax: its sum, its hits, and that the corrected one estimates the full denominator."""

import math

import numpy as np
import pytest
import torch

from rec_core.losses.cross_entropy import cross_entropy
from rec_core.losses.sampled_softmax import sampled_softmax

RNG = np.random.default_rng(0)
STATES, VECTORS = torch.tensor(RNG.normal(size=(4, 3))), torch.tensor(RNG.normal(size=(6, 3)))
TARGETS = torch.tensor([5, 0, 2, 2])


def naive(negatives: list[int], log_q: list[float] | None) -> float:
    total = 0.0
    for state, target in zip(STATES.numpy(), TARGETS.tolist(), strict=True):
        own = math.exp(float(state @ VECTORS[target].numpy()))
        others = 0.0
        for place, item in enumerate(negatives):
            if item != target:
                expected = len(negatives) * math.exp(log_q[place]) if log_q else 1.0
                others += math.exp(float(state @ VECTORS[item].numpy())) / expected
        total -= math.log(own / (own + others))
    return total / len(TARGETS)


def test_equals_the_loops_with_repeats_and_hits():
    negatives, log_q = [2, 1, 1, 0], [-1.0, -2.0, -2.0, -0.5]
    args = STATES, VECTORS, TARGETS, torch.tensor(negatives)
    assert float(sampled_softmax(*args)) == pytest.approx(naive(negatives, None), abs=1e-12)
    corrected = sampled_softmax(*args, torch.tensor(log_q, dtype=torch.float64))
    assert float(corrected) == pytest.approx(naive(negatives, log_q), abs=1e-12)
    assert naive(negatives, None) != pytest.approx(naive(negatives, log_q), abs=0.01)


@pytest.mark.parametrize("corrected", [True, False])
def test_every_item_drawn_once_is_the_full_softmax(corrected: bool):
    log_q = torch.full((6,), -math.log(6), dtype=torch.float64) if corrected else None
    got = sampled_softmax(STATES, VECTORS, TARGETS, torch.arange(6), log_q)
    torch.testing.assert_close(got, cross_entropy(STATES, VECTORS, TARGETS))


def test_the_corrected_denominator_is_right_on_average_whatever_the_draws():
    """Over all single draws j, weighted by their probability q_j: E[exp(s_t) + exp(s_j) / q_j, j not t] = sum."""
    q = torch.tensor([0.05, 0.3, 0.2, 0.1, 0.05, 0.3], dtype=torch.float64)
    scores = STATES @ VECTORS.T
    for row, target in enumerate(TARGETS.tolist()):
        mean = 0.0
        for item in range(6):
            draw = torch.tensor([item])
            loss = sampled_softmax(STATES[[row]], VECTORS, TARGETS[[row]], draw, q.log()[draw])
            mean += float(q[item]) * math.exp(float(loss + scores[row, target]))
        assert mean == pytest.approx(float(scores[row].exp().sum()), rel=1e-12)


def test_a_target_that_is_all_that_was_drawn_costs_nothing():
    assert float(sampled_softmax(STATES[[2]], VECTORS, TARGETS[[2]], torch.tensor([2, 2]))) == 0.0


def test_gradient():
    states, vectors = STATES.clone().requires_grad_(), VECTORS.clone().requires_grad_()
    negatives, log_q = torch.tensor([2, 1, 3]), torch.tensor([-1.0, -2.0, -1.5], dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda s, v: sampled_softmax(s, v, TARGETS, negatives, log_q), (states, vectors)
    )
