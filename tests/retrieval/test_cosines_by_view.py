"""Similarities by hand."""

import numpy as np

from rec_core.retrieval.cosine import cosines_by_view
from rec_core.types import EmbeddingTable


def test_cosines_by_view_and_nan_where_nothing_is_known() -> None:
    text = EmbeddingTable(
        "text", np.array([[3, 4], [5, 0], [0, -2]], np.float32), np.array([True] * 3), "hand"
    )
    behaviour = EmbeddingTable(
        "id", np.array([[1, 1], [0, 0], [2, 2]], np.float32), np.array([True, False, True]), "hand"
    )
    found = cosines_by_view({"text": text, "id": behaviour}, 0, [1, 2, 0])
    np.testing.assert_allclose(found["text"], [0.6, -0.8, 1.0])
    np.testing.assert_allclose(found["id"], [np.nan, 1.0, 1.0])
    assert np.isnan(cosines_by_view({"id": behaviour}, 1, [0])["id"]).all()
    assert cosines_by_view({"text": text}, 0, [])["text"].shape == (0,)


def test_a_vector_marked_unknown_is_not_used_even_when_it_holds_numbers() -> None:
    table = EmbeddingTable("id", np.ones((2, 2), np.float32), np.array([True, False]), "hand")
    assert np.isnan(cosines_by_view({"id": table}, 0, [1])["id"]).all()
