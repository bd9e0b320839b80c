"""Groups of a history: found, counted, of the right length and the same every time."""

import numpy as np
import pytest

from rec_core.systems.persona_fold_in import fold_in_personas

RNG = np.random.default_rng(0)
EAST, NORTH = np.array([1.0, 0, 0]), np.array([0, 1.0, 0])
TWO_TASTES = np.array(
    [scale * way + 0.05 * RNG.normal(size=3) for way in (EAST, NORTH) for scale in (1, 2, 5)]
)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_two_tastes_become_two_personas_whatever_the_lengths_and_the_order():
    for order in (np.arange(6), np.array([3, 0, 4, 1, 5, 2])):
        personas = fold_in_personas(TWO_TASTES[order], 2, 3.0)
        assert personas.dtype == np.float32 and personas.shape == (2, 3)
        np.testing.assert_allclose(np.linalg.norm(personas, axis=1), 3, rtol=1e-5)
        found = sorted((cosine(persona, EAST), cosine(persona, NORTH)) for persona in personas)
        assert found[0] == pytest.approx((0, 1), abs=0.1) and found[1] == pytest.approx((1, 0), abs=0.1)


def test_a_persona_is_the_middle_of_its_group():
    units = TWO_TASTES / np.linalg.norm(TWO_TASTES, axis=1, keepdims=True)
    middles = [units[:3].sum(axis=0), units[3:].sum(axis=0)]
    personas = fold_in_personas(TWO_TASTES, 2, 1.0)
    assert sorted(max(cosine(p, m) for m in middles) for p in personas)[0] == pytest.approx(1)


def test_three_tastes_of_unlike_sizes_are_told_apart():
    ways, sizes = np.eye(3), (8, 1, 1)
    vectors = np.array([way for way, size in zip(ways, sizes, strict=True) for _ in range(size)])
    personas = fold_in_personas(vectors, 3, 1.0)
    np.testing.assert_allclose(personas[np.argsort(personas.argmax(axis=1))], ways, atol=1e-6)


@pytest.mark.parametrize("n_items", [1, 2])
def test_fewer_items_than_personas_repeat_them(n_items):
    personas = fold_in_personas(TWO_TASTES[[0, 5]][:n_items], 3, 1.0)
    assert len(np.unique(personas.round(6), axis=0)) == n_items
    np.testing.assert_array_equal(personas[n_items % 3], personas[0])


def test_nothing_and_zero_vectors_give_zero_personas():
    assert not fold_in_personas(np.zeros((0, 3)), 2, 1.0).any()
    assert not fold_in_personas(np.zeros((4, 3)), 2, 1.0).any()
