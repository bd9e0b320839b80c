"""DeepFM against a loop over all pairs."""

import torch

from rec_core.nets.deepfm import DeepFM, pairwise


def net(field_sizes, **changes) -> DeepFM:
    return DeepFM(field_sizes, 4, [6, 5], 0.0, torch.Generator().manual_seed(0), **changes).double()


def test_pairwise_by_hand_and_by_loop():
    # (1, 2), (3, 4), (5, 6): 1*3+2*4 + 1*5+2*6 + 3*5+4*6 = 11 + 17 + 39
    assert float(pairwise(torch.tensor([[[1.0, 2], [3, 4], [5, 6]]]))) == 67.0
    vectors = torch.randn(3, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    want = [
        sum(float(row[i] @ row[j]) for i in range(5) for j in range(i + 1, 5)) for row in vectors.unbind()
    ]
    torch.testing.assert_close(pairwise(vectors), torch.tensor(want, dtype=torch.float64))


def test_logit_is_first_order_plus_pairs_plus_deep(field_sizes, field_batch):
    model = net(field_sizes)
    vectors = model.fields(field_batch)
    weights = model.output.weight.squeeze(0)
    for row, logit in enumerate(model(field_batch)):
        pairs = sum(vectors[row, i] @ vectors[row, j] for i in range(6) for j in range(i + 1, 6))
        deep = weights @ model.mlp(vectors[row].reshape(1, -1)).squeeze(0) + model.output.bias.squeeze()
        torch.testing.assert_close(logit, model.fields.first_order(field_batch)[row] + pairs + deep)


def test_number_of_parameters(field_sizes):
    """Tables: (12 + 5 + 6) rows of 4 and of 1, a bias; layers 24 * 6 + 6, 6 * 5 + 5, 5 + 1."""
    assert sum(p.numel() for p in net(field_sizes).parameters()) == 23 * 5 + 1 + 150 + 35 + 6


def test_every_parameter_learns_and_the_gradient_is_right(field_sizes, check_gradients):
    check_gradients(net(field_sizes))
