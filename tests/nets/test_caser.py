"""Caser against equations 2-7, window by window."""

import numpy as np
import pytest
import torch

from rec_core.nets.caser import Caser

N_ITEMS, SIZE = 7, 4
ROWS, USERS = [[3, 1, 6], [2], [0, 5, 5, 2, 4, 1]], [1, 0, 1]
SEQUENCES = torch.tensor([[N_ITEMS] * (6 - len(row)) + row for row in ROWS])
SETTINGS = {
    "as published": {"n_horizontal": 3, "n_vertical": 2, "n_users": 2},
    "no user": {"n_horizontal": 3, "n_vertical": 2},
    "no vertical": {"n_horizontal": 3, "n_vertical": 0, "n_users": 2},
    "no horizontal": {"n_horizontal": 0, "n_vertical": 2, "n_users": 2},
    "two heights": {"n_horizontal": 3, "n_vertical": 1, "heights": (2, 4)},
}


def spread(window: int, settings: dict) -> Caser:
    generator = torch.Generator().manual_seed(0)
    net = Caser(N_ITEMS, SIZE, window, dropout=0.5, generator=generator, **settings).double().eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64) * 0.5)
    return net


def scores(read: list[int], user: int, net: Caser, window: int) -> np.ndarray:
    """All items' scores after `read`: L x D picture, filters, z = relu(W o + b), W' [z; P_u] + b'."""
    weights = {name: value.detach().numpy() for name, value in net.named_parameters()}
    vectors = [weights["items"][item] for item in read[-window:]]
    picture = np.array([np.zeros(SIZE)] * (window - len(vectors)) + vectors)
    answers = []
    for number, height in enumerate(net.heights):
        for filters, bias in zip(
            weights[f"horizontal.{number}.weight"], weights[f"horizontal.{number}.bias"], strict=True
        ):
            slid = [
                max(0.0, float((filters.T * picture[i : i + height]).sum() + bias))
                for i in range(window - height + 1)
            ]
            answers.append(max(slid))
    if net.vertical is not None:
        for dimension in range(SIZE):
            for filters, bias in zip(weights["vertical.weight"], weights["vertical.bias"], strict=True):
                answers.append(filters[0] @ picture[:, dimension] + bias)
    z = np.maximum(weights["dense.weight"] @ np.array(answers) + weights["dense.bias"], 0)
    both = np.concatenate([z, weights["users"][user]]) if "users" in weights else z
    return weights["outputs"][:, :-1] @ both + weights["outputs"][:, -1]


@pytest.mark.parametrize("window", [4, 5])
@pytest.mark.parametrize("name", SETTINGS)
def test_equals_the_loops(window: int, name: str):
    net = spread(window, SETTINGS[name])
    got = (net(SEQUENCES, torch.tensor(USERS)) @ net.item_vectors.T).detach().numpy()
    for row, user, mine in zip(ROWS, USERS, got, strict=True):
        for t in range(len(row)):
            expected = scores(row[: t + 1], user, net, window)
            np.testing.assert_allclose(mine[6 - len(row) + t], expected, atol=1e-12)


def test_users_matter_and_nobody_is_the_mean_of_them():
    net = spread(4, SETTINGS["as published"])
    nobody, first, second = (
        net.last(SEQUENCES, users) for users in (None, torch.zeros(3).long(), torch.ones(3).long())
    )
    assert net.reads_users and not torch.equal(first, second)
    torch.testing.assert_close(nobody, (first + second) / 2)
    assert not spread(4, SETTINGS["no user"]).reads_users


def test_a_filter_higher_than_the_window_is_refused():
    with pytest.raises(ValueError, match="height 6 does not fit into 5 items"):
        Caser(N_ITEMS, SIZE, 5, 3, 2, 0.5, torch.Generator(), heights=(2, 6))
