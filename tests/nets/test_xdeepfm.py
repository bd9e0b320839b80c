"""xDeepFM: the compressed interaction network against equation 6 as a triple loop."""

import pytest
import torch

from rec_core.nets import xdeepfm
from rec_core.nets.xdeepfm import CIN, MixedProducts, XDeepFM


def naive_cin(net: CIN, vectors: torch.Tensor, sizes: list[int], direct: bool) -> torch.Tensor:
    """Map h of layer k, entry d: ReLU of b_h + sum over i, j of W[h, i, j] * map_{k-1}[i, d] * field[j, d]."""
    rows = []
    for fields in vectors:
        maps, outputs = fields, []
        for k, (layer, size) in enumerate(zip(net.layers, sizes, strict=True)):
            weight = layer.weight.view(size, len(maps), len(fields))
            mixed = torch.zeros(size, fields.shape[1], dtype=vectors.dtype)
            for h in range(size):
                for i in range(len(maps)):
                    for j in range(len(fields)):
                        mixed[h] += weight[h, i, j] * maps[i] * fields[j]
                mixed[h] = (mixed[h] + layer.bias[h]).clamp(min=0)
            last = k == len(sizes) - 1
            shown = mixed if last or direct else mixed[size // 2 :]
            maps = mixed if direct else mixed[: size // 2]
            outputs.append(shown.sum(dim=1))
        rows.append(torch.cat(outputs))
    return torch.stack(rows)


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize("sizes", [[4, 6, 3], [5], [2, 3]])
def test_cin_equals_the_triple_loop(sizes, direct):
    net = CIN(3, sizes, torch.Generator().manual_seed(0), direct).double()
    with torch.no_grad():
        for layer in net.layers:
            layer.bias.copy_(drawn(len(layer.bias)))
    vectors = drawn(4, 3, 2)
    got = net(vectors)
    assert got.shape == (4, net.n_outputs)
    torch.testing.assert_close(got, naive_cin(net, vectors, sizes, direct))


def test_chunks_change_nothing(monkeypatch):
    inputs = [drawn(4, 7), drawn(3, 7), drawn(5, 12), drawn(5)]
    whole = MixedProducts.apply(*inputs)
    monkeypatch.setattr(xdeepfm, "_CHUNK_ENTRIES", 2)
    torch.testing.assert_close(MixedProducts.apply(*inputs), whole)
    assert torch.autograd.gradcheck(MixedProducts.apply, [tensor.requires_grad_() for tensor in inputs])


def test_bf16_rounds_the_large_products_alone():
    net = CIN(3, [6, 4], torch.Generator().manual_seed(0))
    vectors = drawn(50, 3, 4).float()
    with torch.autocast("cpu", torch.bfloat16):
        rough = net(vectors)
    exact = net(vectors)
    assert not torch.equal(rough, exact)
    torch.testing.assert_close(rough.float(), exact, atol=0.1, rtol=0.03)


def net(field_sizes, **changes) -> XDeepFM:
    return XDeepFM(field_sizes, 4, [5], [4, 3], 0.0, torch.Generator().manual_seed(0), **changes).double()


def test_logit_is_first_order_plus_cin_plus_deep(field_sizes, field_batch):
    model = net(field_sizes)
    vectors = model.fields(field_batch)
    want = (
        model.fields.first_order(field_batch)
        + naive_cin(model.cin, vectors, [4, 3], False) @ model.cin_output.weight[0]
        + model.cin_output.bias
        + model.output(model.mlp(vectors.flatten(1))).squeeze(1)
    )
    torch.testing.assert_close(model(field_batch), want)


def test_number_of_parameters(field_sizes):
    """Tables 23 * 5 + 1; CIN 36 * 4 + 4 and 2 * 6 * 3 + 3; its map 2 + 3 + 1; layers 24 * 5 + 5 and 5 + 1."""
    assert sum(p.numel() for p in net(field_sizes).parameters()) == 116 + 148 + 39 + 6 + 125 + 6


def test_every_parameter_learns_and_the_gradient_is_right(field_sizes, check_gradients):
    check_gradients(net(field_sizes))
