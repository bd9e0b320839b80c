"""InfoNCE in one and in both directions, against the equations written as loops."""

import math

import numpy as np
import pytest
import torch

from rec_core.losses.info_nce import info_nce, symmetric_info_nce


def naive(projected: np.ndarray, behaviour: np.ndarray, temperature: float) -> float:
    def f(a: np.ndarray, b: np.ndarray) -> float:
        return math.exp(float(a @ b) / (np.linalg.norm(a) * np.linalg.norm(b)) / temperature)

    n = len(projected)
    total = 0.0
    for i in range(n):
        own = f(projected[i], behaviour[i])
        total -= math.log(own / sum(f(projected[i], behaviour[j]) for j in range(n)))
        total -= math.log(own / sum(f(projected[j], behaviour[i]) for j in range(n)))
    return total / n


@pytest.mark.parametrize("temperature", [1.0, 0.1])
def test_equals_the_loops(temperature: float):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(6, 3)), rng.normal(size=(6, 3))
    got = float(symmetric_info_nce(torch.tensor(a), torch.tensor(b), temperature))
    assert got == pytest.approx(naive(a, b, temperature), abs=1e-10)
    assert naive(a, b, temperature) != pytest.approx(naive(b[::-1], a, temperature))


def test_chance_is_twice_the_logarithm_of_the_items():
    same = torch.ones(8, 4)
    assert float(symmetric_info_nce(same, 3 * same, 0.2)) == pytest.approx(2 * math.log(8), abs=1e-5)


def test_matching_pairs_come_close_to_zero_and_lengths_do_not_matter():
    basis = torch.eye(8)
    assert float(symmetric_info_nce(5 * basis, 0.1 * basis, 0.02)) == pytest.approx(0.0, abs=1e-6)


def test_gradient():
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(4, 3, dtype=torch.float64, generator=generator, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(lambda x, y: symmetric_info_nce(x, y, 0.5), (a, b))


def test_unequal_shapes_are_refused():
    with pytest.raises(ValueError, match="shapes differ"):
        symmetric_info_nce(torch.ones(3, 2), torch.ones(4, 2), 1.0)


@pytest.mark.parametrize("temperature", [1.0, 0.1])
def test_one_direction_equals_the_loops(temperature: float):
    rng = np.random.default_rng(1)
    anchors, keys, own = rng.normal(size=(4, 3)), rng.normal(size=(6, 3)), [5, 0, 2, 2]
    total = 0.0
    for anchor, mine in zip(anchors, own, strict=True):
        f = [math.exp(anchor @ k / np.linalg.norm(anchor) / np.linalg.norm(k) / temperature) for k in keys]
        total -= math.log(f[mine] / sum(f))
    got = float(info_nce(torch.tensor(anchors), torch.tensor(keys), torch.tensor(own), temperature))
    assert got == pytest.approx(total / 4, abs=1e-10)


def test_the_symmetric_one_is_the_sum_of_the_two_directions():
    generator = torch.Generator().manual_seed(2)
    a, b = (torch.randn(5, 3, generator=generator) for _ in range(2))
    both = info_nce(a, b, torch.arange(5), 0.3) + info_nce(b, a, torch.arange(5), 0.3)
    torch.testing.assert_close(symmetric_info_nce(a, b, 0.3), both)


def test_gradient_of_one_direction():
    generator = torch.Generator().manual_seed(0)
    a, k = (torch.randn(n, 3, dtype=torch.float64, generator=generator, requires_grad=True) for n in (4, 5))
    own = torch.tensor([4, 0, 1, 1])
    assert torch.autograd.gradcheck(lambda x, y: info_nce(x, y, own, 0.5), (a, k))
