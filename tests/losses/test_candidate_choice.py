"""The choice among drawn candidates against the formula in a loop."""

import math

import pytest
import torch

from rec_core.losses.candidate_choice import candidate_choice


def test_equals_a_loop():
    scores = [[1.0, 0.5, -2.0], [0.0, 3.0, 0.1]]
    rows = [math.log(sum(math.exp(s) for s in row)) - row[0] for row in scores]
    assert float(candidate_choice(torch.tensor(scores))) == pytest.approx(sum(rows) / 2)


def test_chance_and_shift():
    scores = torch.randn(4, 5, dtype=torch.float64)
    assert float(candidate_choice(torch.zeros(3, 5))) == pytest.approx(math.log(5))
    assert float(candidate_choice(scores + 1e4)) == pytest.approx(float(candidate_choice(scores)))


def test_gradient():
    scores = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(candidate_choice, (scores,))
