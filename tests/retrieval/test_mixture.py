"""Equation 7 by hand."""

import numpy as np

from rec_core.retrieval.mixture import mix
from rec_core.types import EmbeddingTable


def table(view: str, rows: list[list[float]]) -> EmbeddingTable:
    values = np.array(rows, dtype=np.float32)
    return EmbeddingTable(view, values, np.any(values != 0, axis=1), "hand")


TEXT = table("text", [[3, 4], [0, 2], [1, 0]])  # norms 5, 2, 1
BEHAVIOUR = table("id", [[0, 0, 6], [1, 2, 2], [0, 0, 0]])  # norms 6, 3, 0: the last item is unknown


def test_equation_7_on_three_rows() -> None:
    mixed = mix([TEXT, BEHAVIOUR])
    expected = [
        [0.6, 0.8, 0, 0, 1],
        [0, 1, 1 / 3, 2 / 3, 2 / 3],
        [1, 0, 0, 0, 0],
    ]
    np.testing.assert_allclose(mixed.values, expected, atol=1e-7)
    assert mixed.values.dtype == np.float32
    assert (mixed.view, mixed.source) == ("mixture", "text || id")
    assert mixed.known.tolist() == [True, True, True]


def test_the_dot_product_of_mixed_rows_is_the_sum_of_the_cosines() -> None:
    mixed = mix([TEXT, BEHAVIOUR]).values
    # cosines of items 0 and 1: text 4*2/(5*2) = 0.8; behaviour 6*2/(6*3) = 2/3
    np.testing.assert_allclose(mixed[0] @ mixed[1], 0.8 + 2 / 3, rtol=1e-6)


def test_published_normalisation_divides_a_block_by_its_largest_row_norm() -> None:
    mixed = mix([TEXT, BEHAVIOUR], name="published", normalisation="table_max")
    np.testing.assert_allclose(mixed.values[:, :2], TEXT.values / 5, atol=1e-7)
    np.testing.assert_allclose(mixed.values[:, 2:], BEHAVIOUR.values / 6, atol=1e-7)
    assert mixed.view == "published"


def test_an_item_unknown_everywhere_stays_unknown_and_zero() -> None:
    empty = table("a", [[0, 0], [1, 0]])
    mixed = mix([empty, empty])
    assert mixed.known.tolist() == [False, True]
    np.testing.assert_array_equal(mixed.values[0], 0)
    assert np.isfinite(mix([table("a", [[0, 0]])], normalisation="table_max").values).all()
