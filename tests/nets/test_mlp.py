"""Dense layers against the formula written out."""

import pytest
import torch

from rec_core.nets.dropout import Dropout
from rec_core.nets.mlp import MLP, linear


def net(**changes) -> MLP:
    settings = {"n_inputs": 3, "hidden_sizes": [5, 4], "dropout": 0.0} | changes
    return MLP(**settings, generator=torch.Generator().manual_seed(0))


def test_forward_equals_the_formula():
    model, inputs = net(), torch.randn(6, 3, generator=torch.Generator().manual_seed(1))
    first, second = (layer for layer in model.layers if isinstance(layer, torch.nn.Linear))
    with torch.no_grad():
        first.bias.normal_(generator=torch.Generator().manual_seed(2))
        rows = []
        for x in inputs:
            hidden = [max(0.0, float(w @ x + b)) for w, b in zip(first.weight, first.bias, strict=True)]
            hidden = torch.tensor(hidden)
            rows.append(
                [max(0.0, float(w @ hidden + b)) for w, b in zip(second.weight, second.bias, strict=True)]
            )
    torch.testing.assert_close(model(inputs), torch.tensor(rows), atol=1e-6, rtol=1e-5)
    assert model.n_outputs == 4 and net(hidden_sizes=[]).n_outputs == 3


def test_dropout_stands_before_every_layer_and_sleeps_outside_training():
    model, inputs = net(dropout=0.5), torch.ones(4, 3)
    assert [type(layer) for layer in model.layers][::3] == [Dropout, Dropout]
    assert not torch.equal(model(inputs), model(inputs))
    model.eval()
    assert torch.equal(model(inputs), net()(inputs))


def test_batch_norm_stands_between_map_and_relu():
    kinds = [type(layer).__name__ for layer in net(batch_norm=True).layers]
    assert kinds == ["Linear", "BatchNorm1d", "ReLU"] * 2


def test_weights_start_xavier_normal_and_biases_at_zero():
    layer = linear(300, 200, torch.Generator().manual_seed(0))
    assert float(layer.weight.detach().std()) == pytest.approx((2 / 500) ** 0.5, rel=0.02)
    assert not layer.bias.any()
    assert torch.equal(layer.weight, linear(300, 200, torch.Generator().manual_seed(0)).weight)


def test_gradients_are_right_and_reach_everything():
    model = net().double()
    inputs = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    assert torch.autograd.gradcheck(model, (inputs.requires_grad_(),))
    model(inputs).sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in model.parameters())
