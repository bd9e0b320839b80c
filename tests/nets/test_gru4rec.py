"""GRU4Rec against the gates' formulas, one step at a time."""

import math

import numpy as np
import pytest
import torch

from rec_core.nets.gru4rec import GRU4Rec

N_ITEMS = 7
ROWS = [[3, 1, 6], [2], [0, 5, 5, 2, 4]]
SEQUENCES = torch.tensor([[N_ITEMS] * (5 - len(row)) + row for row in ROWS])


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def naive(row: list[int], net: GRU4Rec) -> np.ndarray:
    """Reset r and update z from input and memory: n = tanh(W x + r (U h)), h becomes (1 - z) n + z h."""
    weights = {name: value.detach().numpy() for name, value in net.named_parameters()}
    inputs = [weights["items"][item] for item in row]
    for layer in range(2):
        w, u = weights[f"gru.weight_ih_l{layer}"], weights[f"gru.weight_hh_l{layer}"]
        size = u.shape[1]
        memory, outputs = np.zeros(size), []
        for x in inputs:
            (wr, wz, wn), (ur, uz, un) = np.split(w @ x, 3), np.split(u @ memory, 3)
            reset, update = sigmoid(wr + ur), sigmoid(wz + uz)
            memory = (1 - update) * np.tanh(wn + reset * un) + update * memory
            outputs.append(memory)
        inputs = outputs
    return np.array([weights["to_items.weight"] @ h + weights["to_items.bias"] for h in inputs])


def test_equals_the_loops():
    net = GRU4Rec(N_ITEMS, 3, 4, 2, 0.3, torch.Generator().manual_seed(0)).double().eval()
    states = net(SEQUENCES).detach().numpy()
    for row, state in zip(ROWS, states, strict=True):
        np.testing.assert_allclose(state[5 - len(row) :], naive(row, net), atol=1e-12)


def test_starting_values():
    """Xavier: items 2 / (I + D); the recurrence uniform within sqrt(6 / (3 H + H)); the map within 1 / sqrt(H)."""
    net = GRU4Rec(2000, 64, 128, 1, 0.3, torch.Generator().manual_seed(0))
    assert float(net.items.detach().std()) == pytest.approx(math.sqrt(2 / 2064), rel=0.02)
    bound = math.sqrt(6 / (4 * 128))
    assert float(net.gru.weight_hh_l0.detach().abs().max()) == pytest.approx(bound, rel=0.01)
    assert float(net.to_items.weight.detach().abs().max()) == pytest.approx(128**-0.5, rel=0.01)
