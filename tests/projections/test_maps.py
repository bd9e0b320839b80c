"""The maps: PCA against an eigenvector calculation, UMAP's inputs always, UMAP itself when slow tests run."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from rec_core.projections.pca_map import pca_map
from rec_core.projections.trust import trustworthiness
from rec_core.projections.umap_map import umap_map
from rec_core.types import InputError

RNG = np.random.default_rng(0)


def clusters(n: int = 120) -> tuple[np.ndarray, np.ndarray]:
    label = np.arange(n) % 4
    return (np.eye(4)[label] + 0.1 * RNG.normal(size=(n, 4))).astype(np.float32), label


def test_pca_map_is_the_top_of_the_covariance_of_directions() -> None:
    values = RNG.normal(size=(50, 5)) + 1.0
    points = pca_map(values)
    unit = values / np.linalg.norm(values, axis=1, keepdims=True)
    centred = unit - unit.mean(axis=0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    expected = centred @ vectors[:, [-1, -2]]
    assert points.dtype == np.float32
    np.testing.assert_allclose(np.abs(points), np.abs(expected), atol=1e-6)  # an axis may be mirrored
    np.testing.assert_array_equal(points, pca_map(values))


def test_pca_map_ignores_lengths() -> None:
    values = RNG.normal(size=(30, 4))
    np.testing.assert_allclose(pca_map(values), pca_map(values * RNG.uniform(0.5, 9, (30, 1))), atol=1e-6)


def test_pca_map_fills_missing_axes() -> None:
    assert pca_map(np.ones((1, 4))).tolist() == [[0, 0]]
    one_axis = pca_map(np.array([[1.0], [-1.0], [2.0]]))
    assert one_axis.shape == (3, 2)
    assert (one_axis[:, 1] == 0).all()


class FakeUMAP:
    """Records what it is given and returns zeros."""

    calls: list[dict]

    def __init__(self, **settings) -> None:
        self.settings = settings

    def fit_transform(self, rows: np.ndarray) -> np.ndarray:
        FakeUMAP.calls.append({"rows": rows, **self.settings})
        return np.zeros((len(rows), 2))


def test_umap_gets_exact_neighbours_itself_first(monkeypatch: pytest.MonkeyPatch) -> None:
    FakeUMAP.calls = []
    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=FakeUMAP))
    values = RNG.normal(size=(40, 3))
    umap_map(values, seed=1, n_neighbors=6)
    umap_map(values, seed=2, n_neighbors=6)
    umap_map(values[:5], seed=1)
    first, second, small = FakeUMAP.calls
    unit = values / np.linalg.norm(values, axis=1, keepdims=True)
    distance = np.linalg.norm(unit[:, None] - unit[None], axis=2)
    nearest, distances, search_index = first["precomputed_knn"]
    np.testing.assert_array_equal(nearest, np.argsort(distance, axis=1)[:, :6])
    np.testing.assert_array_equal(nearest[:, 0], np.arange(40))
    np.testing.assert_allclose(distances, np.sort(distance, axis=1)[:, :6], atol=1e-6)
    assert search_index is None
    assert (first["n_neighbors"], first["n_epochs"], first["init"]) == (6, 200, "pca")
    assert first["random_state"] != second["random_state"]
    assert small["n_neighbors"] == 4  # always fewer than items


def test_umap_needs_a_few_items() -> None:
    with pytest.raises(InputError, match="PCA map"):
        umap_map(np.eye(4), seed=0)


@pytest.mark.slow
def test_umap_separates_planted_clusters_and_repeats_itself() -> None:
    values, label = clusters()
    points = umap_map(values, seed=0)
    assert points.shape == (120, 2) and points.dtype == np.float32
    centres = np.array([points[label == c].mean(axis=0) for c in range(4)])
    nearest = np.linalg.norm(points[:, None] - centres[None], axis=2).argmin(axis=1)
    assert (nearest == label).mean() > 0.95
    assert trustworthiness(values, points) > 0.85
    np.testing.assert_array_equal(points, umap_map(values, seed=0))
    assert not np.array_equal(points, umap_map(values, seed=1))
    assert np.isfinite(umap_map(values[:5], seed=0)).all()
    assert np.isfinite(umap_map(np.ones((30, 3)), seed=0)).all()  # all texts alike
