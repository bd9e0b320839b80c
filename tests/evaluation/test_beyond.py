"""Measures of lists end to end: a ranking in, a table and a dictionary out."""

import numpy as np
import pandas as pd
import pytest

from rec_core.evaluation.beyond import beyond_accuracy, genre_matrix
from rec_core.evaluation.full_ranking import Ranking
from rec_core.evaluation.held_out import HeldOut
from rec_core.types import Catalogue, InputError

HELD_OUT = HeldOut(
    np.array([4, 7]),
    (np.array([0, 1, 2]), np.array([5, 5])),
    (np.array([0, 2, 3]), np.array([0, 3, 1])),
)
RANKING = Ranking(HELD_OUT, np.array([[1, 2], [0, -1]], np.int32), np.array([3, 3]))
POPULARITY = np.array([8, 4, 2, 1, 1, 0])
GENRES = np.array([[1, 0], [1, 0], [0, 1], [1, 1], [0, 0], [0, 1]])
VIEWS = {"id": np.array([[1.0, 0], [1, 0], [0, 1], [0, 1], [0, 0], [1, 1]])}


def test_by_hand():
    """16 interactions: items 0, 1, 2 carry 1, 2 and 3 bits; long tail is all but item 0 (a fifth of 6, rounded)."""
    table, catalogue = beyond_accuracy(RANKING, POPULARITY, GENRES, VIEWS, HELD_OUT.hidden)
    assert table["user_num"].tolist() == [4, 7]
    assert table["novelty"].tolist() == pytest.approx([2.5, 1])
    assert table["arp"].tolist() == [3, 8] and table["aplt"].tolist() == [1, 0]
    assert table["popularity_lift"].tolist() == pytest.approx([3 / 4.5 - 1, 8 / 4 - 1])
    assert table["diversity_id"].to_numpy() == pytest.approx([1, np.nan], nan_ok=True)
    past, shown = np.array([0.75, 0.25]), np.array([0.5, 0.5])
    expected = (past * np.log(past / (0.99 * shown + 0.01 * past))).sum()
    assert table["miscalibration"].tolist() == pytest.approx([expected, 0])
    assert (
        catalogue["coverage"] == 0.5 and catalogue["n_shown"] == 3 and catalogue["gini"] == pytest.approx(0.5)
    )


def test_without_genres_and_views_the_rest_remains():
    table, _ = beyond_accuracy(RANKING, POPULARITY, np.zeros((6, 0)), {}, HELD_OUT.hidden)
    assert list(table.columns) == ["user_num", "novelty", "arp", "aplt", "popularity_lift"]


def test_nobody_to_recommend_to():
    nobody = HELD_OUT.take(np.zeros(0, int))
    ranking = Ranking(nobody, np.zeros((0, 2), np.int32), np.zeros(0, np.int64))
    table, catalogue = beyond_accuracy(ranking, POPULARITY, GENRES, VIEWS, nobody.hidden)
    assert not len(table) and "diversity_id" in table and catalogue["coverage"] == 0


def test_wrong_input_is_named():
    with pytest.raises(InputError, match="holds no lists"):
        no_lists = Ranking(HELD_OUT, np.zeros((2, 0), np.int32), RANKING.ranks)
        beyond_accuracy(no_lists, POPULARITY, GENRES, VIEWS, HELD_OUT.hidden)
    with pytest.raises(InputError, match="1 histories for 2 users"):
        beyond_accuracy(RANKING, POPULARITY, GENRES, VIEWS, HELD_OUT.take(np.array([0])).hidden)


def test_genres_become_columns_in_alphabetical_order():
    matrix = genre_matrix(Catalogue(pd.DataFrame({"genres": ["War|Drama", "", "Drama", None]})))
    assert matrix.tolist() == [[1, 1], [0, 0], [1, 0], [0, 0]]
    assert genre_matrix(Catalogue(pd.DataFrame({"genres": ["", ""]}))).shape == (2, 0)
