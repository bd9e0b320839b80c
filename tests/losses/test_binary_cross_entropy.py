"""Binary cross-entropy of logits by hand."""

import math

import pytest
import torch

from rec_core.losses.binary_cross_entropy import binary_cross_entropy, pair_cross_entropy


def test_by_hand():
    """-log sigmoid(2) = log(1 + e^-2) = 0.126928; -log(1 - sigmoid(-1)) = log(1 + e^-1) = 0.313262; mean 0.220095."""
    got = float(binary_cross_entropy(torch.tensor([2.0, -1.0]), torch.tensor([1.0, 0.0])))
    assert got == pytest.approx((math.log(1 + math.exp(-2)) + math.log(1 + math.exp(-1))) / 2, abs=1e-6)
    assert got == pytest.approx(0.220095, abs=1e-6)
    assert float(binary_cross_entropy(torch.zeros(3), torch.tensor([1.0, 0.0, 1.0]))) == pytest.approx(
        math.log(2)
    )


def test_finite_where_the_sigmoid_underflows():
    assert float(binary_cross_entropy(torch.tensor([-500.0]), torch.tensor([1.0]))) == pytest.approx(500.0)
    assert float(pair_cross_entropy(torch.tensor([-500.0]), torch.tensor([[500.0]]))) == pytest.approx(1000.0)


def test_pairs_are_a_sum_per_row_and_a_mean_over_rows():
    yes, no = torch.tensor([2.0, 0.5]), torch.tensor([[0.0, -1.0], [1.0, 3.0]])
    total = sum(math.log(1 + math.exp(-s)) for s in (2.0, 0.5))
    total += sum(math.log(1 + math.exp(s)) for s in (0.0, -1.0, 1.0, 3.0))
    assert float(pair_cross_entropy(yes, no)) == pytest.approx(total / 2, abs=1e-6)
    assert float(pair_cross_entropy(torch.zeros(2), torch.zeros(2, 1))) == pytest.approx(2 * math.log(2))


def test_gradients():
    generator = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(4, dtype=torch.float64, generator=generator), torch.tensor([1.0, 0, 0, 1])
    logits.requires_grad_()
    assert torch.autograd.gradcheck(lambda s: binary_cross_entropy(s, labels.double()), (logits,))
    no = torch.randn(4, 3, dtype=torch.float64, generator=generator, requires_grad=True)
    assert torch.autograd.gradcheck(pair_cross_entropy, (logits, no))
