"""BPR and its penalty by hand."""

import math

import pytest
import torch

from rec_core.losses.bpr import bpr_loss, bpr_of_rows, l2_of_rows


def test_bpr_by_hand():
    positive, negative = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 1.0])
    # -log sigmoid(2) = log(1 + e^-2) = 0.126928; -log sigmoid(-1) = log(1 + e) = 1.313262; mean 0.720095
    expected = (math.log(1 + math.exp(-2)) + math.log(1 + math.e)) / 2
    assert expected == pytest.approx(0.720095, abs=1e-6)
    assert float(bpr_loss(positive, negative)) == pytest.approx(expected, abs=1e-6)
    assert float(bpr_loss(positive, positive)) == pytest.approx(math.log(2))


def test_bpr_is_finite_where_the_sigmoid_underflows():
    assert float(bpr_loss(torch.tensor([-500.0]), torch.tensor([500.0]))) == pytest.approx(1000.0)


def test_penalty_by_hand():
    a, b = torch.tensor([[1.0, 2.0], [0.0, 1.0]]), torch.tensor([[3.0, 0.0], [0.0, 0.0]])
    # squares 1 + 4 + 1 + 9 = 15, halved and divided by the two rows of the batch
    assert float(l2_of_rows(a, b)) == pytest.approx(15 / 4)


def test_gradients():
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(4, dtype=torch.float64, generator=generator, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(bpr_loss, (x, y))
    rows = torch.randn(3, 2, dtype=torch.float64, generator=generator, requires_grad=True)
    assert torch.autograd.gradcheck(lambda r: l2_of_rows(r, 2 * r), (rows,))


def test_bpr_of_rows_is_bpr_of_looked_up_rows_with_repeats():
    table = torch.randn(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    users, positives, negatives = torch.tensor([0, 1, 0]), torch.tensor([2, 3, 2]), torch.tensor([4, 4, 5])
    rows = [table[index].numpy() for index in (users, positives, negatives)]
    losses = [math.log(1 + math.exp(-(u @ i - u @ j))) for u, i, j in zip(*rows, strict=True)]
    assert float(bpr_of_rows(table, users, positives, negatives)) == pytest.approx(sum(losses) / 3)
    table.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: 3 * bpr_of_rows(x, users, positives, negatives), (table,))
