"""Dropout: its rate, its mean, its randomness, its gradient."""

import pytest
import torch

from rec_core.nets.dropout import Dropout


@pytest.mark.parametrize("prob", [0.1, 0.3, 0.5, 0.9])
def test_the_rate_and_the_mean(prob: float):
    """Over 400,000 elements the rate's standard deviation is at most 0.0008: five of them are allowed."""
    torch.manual_seed(0)
    dropped = Dropout(prob)(torch.ones(1000, 400))
    zeros = float((dropped == 0).double().mean())
    assert zeros == pytest.approx(prob, abs=0.004)
    assert float(dropped.double().mean()) == pytest.approx(1.0, abs=0.004 / (1 - prob))
    kept = dropped[dropped != 0]
    torch.testing.assert_close(kept, torch.full_like(kept, 1 / (1 - prob)), rtol=1e-4, atol=0)


def test_each_place_of_a_draw_and_neighbours_are_independent():
    """One draw decides four elements: each of the four has the rate, no pair goes together."""
    torch.manual_seed(1)
    gone = (Dropout(0.3)(torch.ones(100_000, 4)) == 0).double()
    torch.testing.assert_close(gone.mean(0), torch.full((4,), 0.3, dtype=torch.float64), atol=0.008, rtol=0)
    together = torch.corrcoef(gone.T) - torch.eye(4)
    assert float(together.abs().max()) < 0.016  # five standard deviations of 1 / sqrt(100,000)


def test_the_rate_is_exact_over_all_draws_that_can_be(monkeypatch):
    """Every 16-bit value once: exactly round(0.3 * 65536) = 19661 of them drop, and the mean is exactly one."""
    values = torch.arange(-(2**15), 2**15, dtype=torch.int16).view(torch.int64)
    monkeypatch.setattr(torch.Tensor, "random_", lambda self, *_: self.copy_(values))
    dropped = Dropout(0.3)(torch.ones(2**16, dtype=torch.float64))
    assert int((dropped == 0).sum()) == 19661
    assert float(dropped.mean()) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("shape", [(7,), (3, 5), (2, 3, 3), (0, 4)])
def test_any_shape_and_the_gradient_is_the_mask(shape: tuple[int, ...]):
    inputs = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    out = Dropout(0.5)(inputs)
    out.sum().backward()
    assert out.shape == shape and inputs.grad is not None
    torch.testing.assert_close(out, inputs * inputs.grad)
    assert set(inputs.grad.flatten().tolist()) <= {0.0, 2.0}


def test_the_default_generator_decides():
    layer, inputs = Dropout(0.5), torch.ones(1000)
    torch.manual_seed(5)
    first, second = layer(inputs), layer(inputs)
    torch.manual_seed(5)
    assert torch.equal(layer(inputs), first) and not torch.equal(first, second)


def test_nothing_happens_outside_training_or_at_zero():
    inputs = torch.randn(9)
    assert Dropout(0.5).eval()(inputs) is inputs
    assert Dropout(0.0)(inputs) is inputs


@pytest.mark.parametrize("prob", [-0.1, 1.0, 1.5])
def test_other_probabilities_are_refused(prob: float):
    with pytest.raises(ValueError, match="dropout probability"):
        Dropout(prob)
