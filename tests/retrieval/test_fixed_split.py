"""The published merge against the code's steps, written out."""

import numpy as np
import pytest

from rec_core.retrieval.fixed_split import fixed_split


def as_published(retrieved: list[int], length: int, top_k: int) -> list[int]:
    """The steps of the authors' builder: positions are times, 0 the oldest."""
    first, second = top_k * 2 // 3, top_k - top_k * 2 // 3
    chosen = sorted(retrieved, key=lambda position: -position)[:first]
    newest = [position for position in range(length - 1, -1, -1) if position not in chosen][:second]
    return chosen + sorted(newest)


@pytest.mark.parametrize("top_k", [1, 3, 4, 30])
@pytest.mark.parametrize("length", [0, 2, 25, 80])
def test_it_equals_the_published_steps(top_k, length):
    similar = np.random.default_rng(length).permutation(length)[:top_k].tolist()
    recent = list(range(length - 1, -1, -1))
    rows = fixed_split(similar, recent, top_k)
    assert [row.position for row in rows] == as_published(similar, length, top_k)
    for row in rows:
        ranks = similar if row.channel == "semantic" else recent
        assert ranks[row.rank - 1] == row.position and row.score == 1 / row.rank


def test_of_the_retrieved_the_newest_stay_not_the_most_similar():
    rows = fixed_split([0, 9, 5], recency=[9, 8, 7, 6, 5, 4, 3, 2, 1, 0], top_k=3)
    assert [(row.position, row.channel) for row in rows] == [
        (9, "semantic"),
        (5, "semantic"),
        (8, "recency"),
    ]
