"""Trust and agreement against scikit-learn, naive loops and planted cases."""

import numpy as np
import pytest
from sklearn.manifold import trustworthiness as library_trustworthiness

from rec_core.projections import trust
from rec_core.projections.neighbours import map_neighbours, space_neighbours
from rec_core.types import InputError

RNG = np.random.default_rng(0)
VALUES = RNG.normal(size=(60, 6))
POINTS = VALUES[:, :2] + 0.3 * RNG.normal(size=(60, 2))


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def naive_neighbours(score, n: int, k: int) -> list[list[int]]:
    return [sorted((j for j in range(n) if j != i), key=lambda j, i=i: -score(i, j))[:k] for i in range(n)]


def test_neighbours_equal_naive_loops() -> None:
    by_cosine = naive_neighbours(lambda i, j: cosine(VALUES[i], VALUES[j]), 60, 7)
    by_distance = naive_neighbours(lambda i, j: -np.linalg.norm(POINTS[i] - POINTS[j]), 60, 7)
    assert space_neighbours(VALUES, 7).tolist() == by_cosine
    assert map_neighbours(POINTS, 7).tolist() == by_distance


def test_neighbours_never_hold_the_row_itself() -> None:
    same = np.ones((40, 3))
    for near in (space_neighbours(same, 5), map_neighbours(same[:, :2], 5)):
        assert near.shape == (40, 5)
        assert (near != np.arange(40)[:, None]).all()
    assert space_neighbours(VALUES[:3], 9).shape == map_neighbours(POINTS[:3], 9).shape == (3, 2)
    assert space_neighbours(VALUES[:1], 9).shape == map_neighbours(POINTS[:1], 9).shape == (1, 0)


@pytest.mark.parametrize("k", [1, 5, 20])
def test_trustworthiness_equals_the_library(k: int) -> None:
    expected = library_trustworthiness(VALUES, POINTS, n_neighbors=k, metric="cosine")
    assert trust.trustworthiness(VALUES, POINTS, k) == pytest.approx(expected, abs=1e-12)


def test_trustworthiness_does_not_depend_on_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [trust.trustworthiness_per_item(VALUES, POINTS), trust.partner_rank(VALUES, VALUES[::-1])]
    spread = trust.uniformity(VALUES)
    monkeypatch.setattr(trust, "_CHUNK_CELLS", 60 * 7)
    np.testing.assert_array_equal(trust.trustworthiness_per_item(VALUES, POINTS), whole[0])
    np.testing.assert_array_equal(trust.partner_rank(VALUES, VALUES[::-1]), whole[1])
    assert trust.uniformity(VALUES) == pytest.approx(spread, abs=1e-12)


def test_a_moved_item_is_the_one_not_to_be_trusted() -> None:
    angle = np.linspace(0, 1.5, 40)
    values = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points = np.stack([angle, np.zeros(40)], axis=1)
    assert trust.trustworthiness_per_item(values, points, 3).min() == 1.0
    points[2, 0] = 1.49  # a story from one end, drawn at the other
    shade = trust.trustworthiness_per_item(values, points, 3)
    assert shade.argmin() == 2
    assert shade[2] < 0.1  # its neighbours there are almost the farthest items
    assert shade[15:25].min() == 1.0


def test_neighbour_overlap_by_hand_and_bounds() -> None:
    angle = np.array([0.0, 0.1, 0.25, 1.0, 1.2])
    values = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points = np.array([[0, 0], [0.1, 0], [5, 0], [5.1, 0], [9, 0]])
    # nearest two by angle: 0:{1,2} 1:{0,2} 2:{1,0} 3:{4,2} 4:{3,2}; on the map: 0:{1,2} 1:{0,2} 2:{3,4}
    # 3:{2,4} 4:{3,2}
    assert trust.neighbour_overlap(values, points, 2).tolist() == [1.0, 1.0, 0.0, 1.0, 1.0]


def test_seed_stability_ignores_turning_and_falls_for_unrelated_maps() -> None:
    turned = POINTS @ np.array([[0.0, -1.0], [1.0, 0.0]])
    assert (trust.seed_stability([POINTS, turned, POINTS]) == 1.0).all()
    unrelated = RNG.permutation(POINTS)
    assert trust.seed_stability([POINTS, unrelated]).mean() < 0.35  # chance: 10 / 59 = 0.17
    # of three maps only one pair agrees
    mixed = trust.seed_stability([POINTS, turned, unrelated]).mean()
    assert mixed == pytest.approx((1 + 2 * trust.seed_stability([POINTS, unrelated]).mean()) / 3, abs=1e-9)
    with pytest.raises(InputError, match="at least 2"):
        trust.seed_stability([POINTS])


def test_knn_overlap_equals_a_naive_loop() -> None:
    other = VALUES + 0.8 * RNG.normal(size=VALUES.shape)
    a = naive_neighbours(lambda i, j: cosine(VALUES[i], VALUES[j]), 60, 5)
    b = naive_neighbours(lambda i, j: cosine(other[i], other[j]), 60, 5)
    expected = [len(set(x) & set(y)) / 5 for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(trust.knn_overlap(VALUES, other, 5), expected)
    with pytest.raises(InputError, match="same items"):
        trust.knn_overlap(VALUES, other[:-1])


def test_cka_equals_the_centred_gram_matrices() -> None:
    a, b = RNG.normal(size=(12, 3)) + 4.0, RNG.normal(size=(12, 5)) - 1.0
    centring = np.eye(12) - 1 / 12
    gram_a, gram_b = (centring @ (x @ x.T) @ centring for x in (a, b))
    expected = np.trace(gram_a @ gram_b) / np.sqrt(np.trace(gram_a @ gram_a) * np.trace(gram_b @ gram_b))
    assert trust.cka(a, b) == pytest.approx(expected, rel=1e-9)


def test_cka_is_one_under_rotation_scale_and_shift() -> None:
    rotation, _ = np.linalg.qr(RNG.normal(size=(6, 6)))
    assert trust.cka(VALUES, 3.0 * VALUES @ rotation + 7.0) == pytest.approx(1.0, abs=1e-9)
    assert np.isnan(trust.cka(VALUES, np.ones((60, 2))))


def test_partner_rank_equals_a_naive_loop() -> None:
    other = RNG.normal(size=VALUES.shape)
    expected = []
    for i in range(60):
        own = cosine(VALUES[i], other[i])
        expected.append(1 + sum(cosine(VALUES[i], other[j]) > own for j in range(60)))
    np.testing.assert_array_equal(trust.partner_rank(VALUES, other), expected)
    assert (trust.partner_rank(VALUES, 2 * VALUES) == 1).all()
    assert (trust.partner_rank(VALUES, np.ones_like(VALUES)) == 30.5).all()  # says nothing: (60 + 1) / 2
    with pytest.raises(InputError, match="one space"):
        trust.partner_rank(VALUES, VALUES[:, :3])


def test_modality_gap_by_hand() -> None:
    a = np.array([[2.0, 0.0], [0.0, 5.0]])  # unit rows (1, 0), (0, 1): centre (1/2, 1/2)
    b = np.array([[-1.0, 0.0], [0.0, 3.0]])  # unit rows (-1, 0), (0, 1): centre (-1/2, 1/2)
    assert trust.modality_gap(a, b) == pytest.approx(1.0)
    assert trust.modality_gap(VALUES, VALUES * 4) == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(InputError, match="one space"):
        trust.modality_gap(a, b[:1])


def test_uniformity_by_hand() -> None:
    # pairs: (0,1) at right angles d^2 = 2, (0,2) opposite d^2 = 4, (1,2) d^2 = 2
    rows = np.array([[3.0, 0.0], [0.0, 1.0], [-2.0, 0.0]])
    expected = np.log((np.exp(-4) + np.exp(-8) + np.exp(-4)) / 3)
    assert trust.uniformity(rows) == pytest.approx(expected, rel=1e-9)
    assert trust.uniformity(np.ones((5, 3))) == pytest.approx(0.0, abs=1e-9)
    assert np.isnan(trust.uniformity(np.ones((1, 3))))


def test_tiny_maps_have_nothing_to_distrust() -> None:
    for n in (1, 2):
        assert trust.trustworthiness_per_item(VALUES[:n], POINTS[:n]).tolist() == [1.0] * n
    assert trust.neighbour_overlap(VALUES[:1], POINTS[:1]).tolist() == [1.0]
