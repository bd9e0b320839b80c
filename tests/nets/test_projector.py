"""The projector against its formula."""

import math

import numpy as np
import torch

from rec_core.nets.projector import Projector


def test_forward_equals_the_formula():
    net = Projector(3, 4, 2, torch.Generator().manual_seed(0)).double()
    text = np.random.default_rng(0).normal(size=(5, 3))
    first, second = net.first, net.second
    hidden = text @ first.weight.detach().numpy().T + first.bias.detach().numpy()
    gelu = np.vectorize(lambda x: 0.5 * x * (1 + math.erf(x / math.sqrt(2))))(hidden)
    expected = gelu @ second.weight.detach().numpy().T + second.bias.detach().numpy()
    np.testing.assert_allclose(net(torch.tensor(text)).detach().numpy(), expected, atol=1e-12)


def test_gradients_reach_every_parameter():
    net = Projector(3, 4, 2, torch.Generator().manual_seed(0)).double()
    text = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    names = [name for name, _ in net.named_parameters()]

    def run(*values: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(net, dict(zip(names, values, strict=True)), text)

    assert torch.autograd.gradcheck(run, tuple(p.detach().clone().requires_grad_() for p in net.parameters()))


def test_initial_values_come_from_the_generator_alone_and_keep_their_bound():
    torch.manual_seed(1)
    first = Projector(100, 50, 20, torch.Generator().manual_seed(5))
    torch.manual_seed(2)
    again = Projector(100, 50, 20, torch.Generator().manual_seed(5))
    for a, b in zip(first.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)
    assert 0.09 < float(first.first.weight.detach().abs().max()) <= 0.1  # 1 / sqrt(100)
    assert float(first.second.weight.detach().abs().max()) <= 50**-0.5
