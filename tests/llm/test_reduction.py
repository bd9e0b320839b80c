"""Principal components against scikit-learn's and against what defines them."""

import numpy as np
import pytest

from rec_core.llm.reduction import principal_components
from rec_core.llm.text_encoder import TextEncoderConfig, encode
from rec_core.types import InputError


def table(n: int, size: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n, size)) * np.linspace(3, 0.5, size) + rng.normal(size=size)).astype(np.float32)


@pytest.mark.parametrize(("n", "size"), [(40, 8), (8, 40), (12, 12)])
@pytest.mark.parametrize("n_components", [1, 5])
def test_equals_scikit_learn_up_to_the_sign_of_a_column(n, size, n_components):
    from sklearn.decomposition import PCA

    values = table(n, size)
    theirs = PCA(n_components, svd_solver="full").fit_transform(values.astype(np.float64))
    ours = principal_components(values, n_components)
    assert ours.dtype == np.float32 and ours.shape == (n, n_components)
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=1e-4)


@pytest.mark.parametrize(("n", "size"), [(40, 8), (8, 40)])
def test_directions_are_those_of_the_covariance_and_their_signs_are_fixed(n, size):
    values = table(n, size).astype(np.float64)
    centred = values - values.mean(axis=0)
    spread, directions = np.linalg.eigh(centred.T @ centred)
    ours = principal_components(values.astype(np.float32), 3)
    for k in range(3):
        direction = directions[:, -1 - k]
        direction *= np.sign(direction[np.abs(direction).argmax()])  # its largest loading is positive
        np.testing.assert_allclose(ours[:, k], centred @ direction, atol=1e-4)
        assert float(ours[:, k] @ ours[:, k]) == pytest.approx(spread[-1 - k], rel=1e-4)


def test_small_differences_of_large_numbers_are_kept():
    values = table(50, 6) * 1e-2 + 1000
    exact = principal_components(values.astype(np.float64) - 1000, 2)
    np.testing.assert_allclose(principal_components(values, 2), exact, atol=1e-6)


def test_the_same_table_gives_the_same_bits():
    values = table(50, 20)
    assert np.array_equal(principal_components(values, 7), principal_components(values.copy(), 7))


def test_more_components_than_there_are_is_refused():
    for shape in ((5, 9), (9, 5)):
        with pytest.raises(InputError, match="lower pca to 5 or less"):
            principal_components(table(*shape), 6)


def test_text_vectors_are_reduced_over_all_texts(tiny_bert):
    texts = ["Up", "Alien (1979)", "M", "Heat (1995)", "A long story about rain", ""]
    whole = encode(texts, TextEncoderConfig(name=str(tiny_bert)))
    reduced = encode(texts, TextEncoderConfig(name=str(tiny_bert), pca=3))
    assert np.array_equal(reduced, principal_components(whole, 3))
    with pytest.raises(
        InputError, match="7 principal components cannot be taken of 6 vectors with 16 columns"
    ):
        encode(texts, TextEncoderConfig(name=str(tiny_bert), pca=7))
