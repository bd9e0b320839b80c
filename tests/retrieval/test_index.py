"""The faiss index against a loop over all pairs."""

import numpy as np
import pytest

from rec_core.retrieval.index import ExactIndex
from rec_core.types import InputError


def naive(values: np.ndarray, query: np.ndarray, k: int, metric: str) -> list[int]:
    scored = []
    for num, row in enumerate(values.astype(np.float64)):
        score = sum(a * b for a, b in zip(row, query.astype(np.float64), strict=True))
        norms = np.sqrt((row**2).sum() * (query.astype(np.float64) ** 2).sum())
        if metric == "cosine":
            score = score / norms if norms > 0 else 0.0
        scored.append((-round(score, 9), num))
    return [num for _, num in sorted(scored)[:k]]


@pytest.mark.parametrize("metric", ["cosine", "dot"])
def test_equals_a_naive_loop_with_ties_to_the_lower_number(metric: str) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(60, 5)).astype(np.float32)
    values[40:] = values[:20]  # every one of these is a tie with a lower number
    values[30] = 0.0
    queries = rng.normal(size=(25, 5)).astype(np.float32)
    scores, nums = ExactIndex(values, metric).search(queries, 12)
    assert nums.tolist() == [naive(values, q, 12, metric) for q in queries]
    assert (np.diff(scores, axis=1) <= 0).all()


def test_scores_by_hand() -> None:
    values = np.array([[3, 4], [0, 2], [-1, 0]], dtype=np.float32)
    query = np.array([[1, 0]], dtype=np.float32)
    scores, nums = ExactIndex(values, "cosine").search(query, 3)
    assert nums.tolist() == [[0, 1, 2]]
    np.testing.assert_allclose(scores, [[0.6, 0.0, -1.0]], atol=1e-7)  # 3/5, 0, -1
    scores, _ = ExactIndex(values, "dot").search(query, 2)
    np.testing.assert_allclose(scores, [[3.0, 0.0]])


def test_ties_beyond_the_first_proposals_still_go_to_the_lowest_numbers() -> None:
    rng = np.random.default_rng(2)
    for width in (3, 64, 101):
        values = np.tile(rng.normal(size=(1, width)).astype(np.float32), (500, 1))
        scores, nums = ExactIndex(values).search(rng.normal(size=(30, width)), 40)
        assert nums.tolist() == [list(range(40))] * 30
        assert (scores == scores[:, :1]).all()


def test_the_first_k_are_the_head_of_the_whole_ranking() -> None:
    rng = np.random.default_rng(3)
    for width in (2, 5, 33):  # few directions at many lengths: cosines that differ by rounding at most
        directions = rng.normal(size=(3, width))[rng.integers(0, 3, 200)]
        index = ExactIndex(directions * rng.uniform(0.1, 10, (200, 1)))
        queries = rng.normal(size=(30, width))
        everything = index.search(queries, 200)
        for k in (1, 7, 19):
            scores, nums = index.search(queries, k)
            np.testing.assert_array_equal(nums, everything[1][:, :k])
            np.testing.assert_array_equal(scores, everything[0][:, :k])


def test_a_query_gives_the_same_answer_alone_and_in_a_batch() -> None:
    rng = np.random.default_rng(1)
    values, queries = rng.normal(size=(200, 33)), rng.normal(size=(40, 33))
    index = ExactIndex(values)
    scores, nums = index.search(queries, 7)
    for row, query in enumerate(queries):
        alone = index.search(query[None], 7)
        np.testing.assert_array_equal(alone[0][0], scores[row])
        np.testing.assert_array_equal(alone[1][0], nums[row])


def test_edges() -> None:
    index = ExactIndex(np.eye(3))
    assert index.search(np.eye(3)[:1], 10)[1].shape == (1, 3)  # never more than there are items
    assert index.search(np.zeros((0, 3)), 2)[1].shape == (0, 2)
    assert index.search(np.zeros((1, 3)), 2)[1].tolist() == [[0, 1]]
    with pytest.raises(InputError, match="at least 1"):
        index.search(np.eye(3), 0)
    with pytest.raises(InputError, match="dimensions"):
        index.search(np.eye(4), 1)
    with pytest.raises(InputError, match="rows in it"):
        ExactIndex(np.zeros((0, 3)))
    with pytest.raises(InputError, match="finite"):
        ExactIndex(np.array([[np.nan, 1.0]]))
