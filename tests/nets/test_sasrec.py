"""SASRec against the formulas, one row, one position and one head at a time."""

import math

import numpy as np
import pytest
import torch

from rec_core.nets.causal_block import CausalAttention
from rec_core.nets.ragged_rows import RaggedRows
from rec_core.nets.sasrec import SASRec

N_ITEMS, MAX_LENGTH, SIZE, HEADS, HIDDEN = 7, 5, 4, 2, 6
ROWS = [[3, 1, 6], [2], [0, 5, 5, 2, 4]]
SEQUENCES = torch.tensor([[N_ITEMS] * (MAX_LENGTH - len(row)) + row for row in ROWS])


def spread(style: str) -> SASRec:
    heads = HEADS if style == "library" else 1
    generator = torch.Generator().manual_seed(0)
    net = SASRec(N_ITEMS, MAX_LENGTH, SIZE, 2, heads, HIDDEN, 0.5, generator, style=style).double().eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64) * 0.5)
    return net


def norm(x: np.ndarray, layer: torch.nn.LayerNorm) -> np.ndarray:
    scaled = (x - x.mean()) / math.sqrt(((x - x.mean()) ** 2).mean() + 1e-12)
    return scaled * layer.weight.detach().numpy() + layer.bias.detach().numpy()


def affine(x: np.ndarray, layer: torch.nn.Linear) -> np.ndarray:
    return layer.weight.detach().numpy() @ x + layer.bias.detach().numpy()


def attend(xs: list[np.ndarray], block, heads: int) -> list[np.ndarray]:
    """Position t looks at positions 0..t: softmax(q . k / sqrt(d)) weighs the values, head by head."""
    projected = [affine(x, block.attention.queries_keys_values) for x in xs]
    width, seen = SIZE // heads, []
    for t in range(len(xs)):
        parts = []
        for head in range(heads):
            q, k, v = (
                [p[kind * SIZE + head * width : kind * SIZE + (head + 1) * width] for p in projected]
                for kind in range(3)
            )
            weights = [math.exp(q[t] @ k[s] / math.sqrt(width)) for s in range(t + 1)]
            parts.append(sum(w * v[s] for s, w in enumerate(weights)) / sum(weights))
        seen.append(np.concatenate(parts))
    return seen


def library(row: list[int], net: SASRec) -> list[np.ndarray]:
    items, positions = net.items.detach().numpy(), net.positions.detach().numpy()
    xs = [norm(items[item] + positions[t], net.norm) for t, item in enumerate(row)]
    for block in net.blocks:
        seen = [affine(s, block.attention.mix) for s in attend(xs, block, HEADS)]
        xs = [norm(x + s, block.norms[0]) for x, s in zip(xs, seen, strict=True)]
        for t, x in enumerate(xs):
            wide = affine(x, block.widen)
            gelu = np.array([w * 0.5 * (1 + math.erf(w / math.sqrt(2))) for w in wide])
            xs[t] = norm(x + affine(gelu, block.narrow), block.norms[1])
    return xs


def paper(row: list[int], net: SASRec) -> list[np.ndarray]:
    items, positions = net.items.detach().numpy(), net.positions.detach().numpy()
    shift = MAX_LENGTH - len(row)
    xs = [items[item] + positions[shift + t] for t, item in enumerate(row)]
    for block in net.blocks:
        seen = attend([norm(x, block.norms[0]) for x in xs], block, 1)
        xs = [x + s for x, s in zip(xs, seen, strict=True)]
        for t, x in enumerate(xs):
            wide = affine(norm(x, block.norms[1]), block.widen)
            xs[t] = x + affine(np.maximum(wide, 0), block.narrow)
    return [norm(x, net.norm) for x in xs]


@pytest.mark.parametrize(("style", "naive"), [("library", library), ("paper", paper)])
def test_equals_the_loops(style: str, naive):
    net = spread(style)
    states = net(SEQUENCES).detach().numpy()
    for row, state in zip(ROWS, states, strict=True):
        np.testing.assert_allclose(state[MAX_LENGTH - len(row) :], np.array(naive(row, net)), atol=1e-10)


def test_written_out_attention_equals_the_fused_one():
    """In training a CPU takes another way; with a dropout that almost never happens it gives the same."""
    torch.manual_seed(0)
    attention = CausalAttention(SIZE, HEADS, 1e-12, True).double()
    rows = RaggedRows(SEQUENCES, N_ITEMS)
    states = torch.randn(len(rows.items), SIZE, dtype=torch.float64)
    torch.testing.assert_close(attention.train()(states, rows), attention.eval()(states, rows))


def test_attention_drops_whole_weights():
    """With values of one, what a position sees is the sum of the kept weights, each doubled."""
    attention = CausalAttention(2, 1, 0.5, False).train()
    with torch.no_grad():
        attention.queries_keys_values.weight.zero_()
        attention.queries_keys_values.bias.copy_(torch.tensor([0.0, 0, 0, 0, 1, 1]))
    torch.manual_seed(0)
    rows = RaggedRows(torch.zeros(2000, 2, dtype=torch.int64), 1)
    seen = attention(torch.zeros(4000, 2), rows).view(2000, 2, 2)
    assert torch.equal(seen[..., 0], seen[..., 1])
    assert set(seen[:, 0, 0].tolist()) == {0.0, 2.0} and set(seen[:, 1, 0].tolist()) == {0.0, 1.0, 2.0}
    assert float(seen.detach().mean()) == pytest.approx(1.0, abs=0.1)


def test_gradient():
    net = spread("library")
    names = [name for name, _ in net.named_parameters()]

    def states(*values: torch.Tensor) -> torch.Tensor:
        parameters = dict(zip(names, values, strict=True))
        return torch.func.functional_call(net, parameters, (SEQUENCES[:2],))

    values = tuple(parameter.detach().clone().requires_grad_() for parameter in net.parameters())
    assert torch.autograd.gradcheck(states, values, fast_mode=True)


def test_published_starting_values():
    net = SASRec(3000, 50, 64, 2, 2, 256, 0.5, torch.Generator().manual_seed(0))
    assert float(net.items.detach().std()) == pytest.approx(0.02, rel=0.02)
    assert float(net.blocks[1].widen.weight.detach().std()) == pytest.approx(0.02, rel=0.03)
    assert not net.blocks[0].narrow.bias.any() and bool((net.norm.weight == 1).all())


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="longer than 2"):
        SASRec(N_ITEMS, 2, SIZE, 1, 1, HIDDEN, 0.0, torch.Generator())(SEQUENCES)
    with pytest.raises(ValueError, match="shared by 3 heads"):
        SASRec(N_ITEMS, 2, SIZE, 1, 3, HIDDEN, 0.0, torch.Generator())
