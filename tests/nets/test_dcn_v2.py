"""DCN-v2: the cross network against equation 1 layer by layer."""

import pytest
import torch

from rec_core.nets.dcn_v2 import DCNv2


def net(field_sizes, structure="stacked") -> DCNv2:
    model = DCNv2(field_sizes, 4, [5], 2, 0.0, torch.Generator().manual_seed(0), structure).double()
    with torch.no_grad():
        for layer in model.cross:
            layer.bias.normal_(generator=torch.Generator().manual_seed(1))
    return model


def naive(model: DCNv2, inputs: torch.Tensor) -> torch.Tensor:
    rows = []
    for start in inputs:
        x = start
        for layer in model.cross:
            mixed = torch.stack([weight @ x for weight in layer.weight]) + layer.bias
            x = start * mixed + x
        rows.append(x)
    return torch.stack(rows)


@pytest.mark.parametrize("structure", ["stacked", "parallel"])
def test_logit_equals_the_formula(field_sizes, field_batch, structure):
    model = net(field_sizes, structure)
    inputs = model.fields(field_batch).flatten(1)
    crossed = naive(model, inputs)
    torch.testing.assert_close(model.crossed(inputs), crossed)
    stacked = structure == "stacked"
    last = model.mlp(crossed) if stacked else torch.cat([crossed, model.mlp(inputs)], dim=1)
    torch.testing.assert_close(model(field_batch), model.output(last).squeeze(1))


def test_number_of_parameters(field_sizes):
    """Tables 23 * 4; cross 2 * (24 * 24 + 24); layer 24 * 5 + 5 with norm 10; map 5 + 1, or 29 + 1."""
    assert sum(p.numel() for p in net(field_sizes).parameters()) == 92 + 1200 + 125 + 10 + 6
    assert sum(p.numel() for p in net(field_sizes, "parallel").parameters()) == 92 + 1200 + 125 + 10 + 30


@pytest.mark.parametrize("structure", ["stacked", "parallel"])
def test_every_parameter_learns_and_the_gradient_is_right(field_sizes, check_gradients, structure):
    check_gradients(net(field_sizes, structure).eval())
