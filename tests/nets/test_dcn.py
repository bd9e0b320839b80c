"""DCN: the cross network against equation 3 layer by layer."""

import pytest
import torch

from rec_core.nets.dcn import DCN, RankOneCross


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(sum(shape)))


def cross(n_layers: int) -> RankOneCross:
    net = RankOneCross(6, n_layers, torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        net.bias.copy_(drawn(n_layers, 6))
    return net


def naive(net: RankOneCross, inputs: torch.Tensor) -> torch.Tensor:
    rows = []
    for start in inputs:
        x = start
        for weight, bias in zip(net.weight, net.bias, strict=True):
            x = start * (x @ weight) + bias + x
        rows.append(x)
    return torch.stack(rows)


@pytest.mark.parametrize("n_layers", [0, 1, 2, 5])
def test_closed_form_equals_the_layers(n_layers):
    net, inputs, direction = cross(n_layers), drawn(4, 6), drawn(6)
    torch.testing.assert_close(net(inputs), naive(net, inputs))
    torch.testing.assert_close(net.project(inputs, direction), naive(net, inputs) @ direction)


def net(field_sizes) -> DCN:
    return DCN(field_sizes, 4, [5, 4], 3, 0.0, torch.Generator().manual_seed(0)).double()


def test_logit_is_one_map_of_crossed_and_deep(field_sizes, field_batch):
    model = net(field_sizes)
    inputs = model.fields(field_batch).flatten(1)
    both = torch.cat([naive(model.cross, inputs), model.mlp(inputs)], dim=1)
    torch.testing.assert_close(model(field_batch), model.output(both).squeeze(1))


def test_number_of_parameters(field_sizes):
    """Tables 23 * 4; cross 3 * (24 + 24); layers 24 * 5 + 5, 5 * 4 + 4 with norms 2 * (5 + 4); map 28 + 1."""
    assert sum(p.numel() for p in net(field_sizes).parameters()) == 92 + 144 + 125 + 24 + 18 + 29


def test_every_parameter_learns_and_the_gradient_is_right(field_sizes, check_gradients):
    check_gradients(net(field_sizes).eval())
