"""AutoInt: attention over fields against loops over rows, heads and fields, and against torch's own module."""

import pytest
import torch

from rec_core.nets.autoint import AutoInt, FieldAttention, field_products, weighted_fields


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(sum(shape)))


def attention(residual: bool = False) -> FieldAttention:
    layer = FieldAttention(6, 2, 0.0, torch.Generator().manual_seed(0), residual).double()
    with torch.no_grad():
        layer.inward.bias.copy_(drawn(18))
        layer.outward.bias.copy_(drawn(6))
    return layer


def naive(layer: FieldAttention, fields: torch.Tensor) -> torch.Tensor:
    """Equations 5-7 for each row (F, A): softmax over k of <Q m, K k> / sqrt(3), times V k, heads side by side."""
    rows = []
    for row in fields:
        q, k, v = layer.inward(row).chunk(3, dim=1)
        heads = []
        for head in (slice(0, 3), slice(3, 6)):
            outputs = []
            for m in range(len(row)):
                scores = torch.stack([q[m, head] @ k[j, head] / 3**0.5 for j in range(len(row))]).softmax(0)
                outputs.append(sum(scores[j] * v[j, head] for j in range(len(row))))
            heads.append(torch.stack(outputs))
        attended = layer.outward(torch.cat(heads, dim=1))
        rows.append(attended if layer.residual is None else (attended + layer.residual(row)).relu())
    return torch.stack(rows)


@pytest.mark.parametrize("residual", [False, True])
def test_attention_equals_the_loops(residual):
    layer, fields = attention(residual), drawn(3, 4, 6)
    got = layer(fields.permute(1, 2, 0)).permute(2, 0, 1)
    torch.testing.assert_close(got, naive(layer, fields))


def test_attention_equals_torchs_module():
    layer, fields = attention(), drawn(3, 4, 6)
    peer = torch.nn.MultiheadAttention(6, 2, batch_first=True).double()
    with torch.no_grad():
        peer.in_proj_weight.copy_(layer.inward.weight)
        peer.in_proj_bias.copy_(layer.inward.bias)
        peer.out_proj.load_state_dict(layer.outward.state_dict())
    got = layer(fields.permute(1, 2, 0)).permute(2, 0, 1)
    torch.testing.assert_close(got, peer(fields, fields, fields)[0])


def test_products_and_sums_equal_einsum_with_right_gradients():
    left, right, weights = drawn(3, 2, 4, 5), drawn(3, 2, 4, 5).flip(0), drawn(3, 3, 2, 5)
    want = torch.einsum("ihdb,jhdb->ijhb", left, right)
    torch.testing.assert_close(field_products(left, right), want)
    want = torch.einsum("ijhb,jhdb->ihdb", weights, right)
    torch.testing.assert_close(weighted_fields(weights, right), want)
    for tensor in (left, right, weights):
        tensor.requires_grad_()
    assert torch.autograd.gradcheck(field_products, (left, right), fast_mode=True)
    assert torch.autograd.gradcheck(weighted_fields, (weights, right), fast_mode=True)


def net(field_sizes, residual="none") -> AutoInt:
    generator = torch.Generator().manual_seed(0)
    return AutoInt(field_sizes, 4, [5], 6, 2, 2, 0.0, generator, residual).double()


@pytest.mark.parametrize("residual", ["none", "last", "every"])
def test_logit_is_first_order_plus_attention_plus_deep(field_sizes, field_batch, residual):
    model = net(field_sizes, residual)
    vectors = model.fields(field_batch)
    attended = model.entry(vectors)
    for layer in model.attention:
        attended = naive(layer, attended)
    if residual == "last":
        attended = attended + model.residual(vectors)
    explicit = model.attention_output(attended.relu().flatten(1)).squeeze(1)
    deep = model.output(model.mlp(vectors.flatten(1))).squeeze(1)
    torch.testing.assert_close(model(field_batch), model.fields.first_order(field_batch) + explicit + deep)


def test_dropped_attention_weights_change_the_result_in_training_alone():
    layer = FieldAttention(6, 2, 0.5, torch.Generator().manual_seed(0))
    fields = drawn(4, 6, 3).float()
    assert not torch.equal(layer(fields), layer(fields))
    layer.eval()
    assert torch.equal(layer(fields), layer(fields))


def test_number_of_parameters(field_sizes):
    """Tables 23 * 5 + 1; entry 4 * 6 + 6; two layers of 6 * 18 + 18 and 6 * 6 + 6; maps 36 + 1, 125, 5 + 1."""
    n = sum(p.numel() for p in net(field_sizes).parameters())
    assert n == 116 + 30 + 2 * (126 + 42) + 37 + 125 + 6
    assert sum(p.numel() for p in net(field_sizes, "last").parameters()) == n + 30
    assert sum(p.numel() for p in net(field_sizes, "every").parameters()) == n + 2 * 36


@pytest.mark.parametrize("residual", ["none", "last", "every"])
def test_every_parameter_learns_and_the_gradient_is_right(field_sizes, check_gradients, residual):
    model = net(field_sizes, residual)
    check_gradients(model)
