"""Removal on a scorer whose every answer can be calculated by hand."""

import numpy as np
import pytest

from rec_core.explain.removal import removals
from rec_core.types import History, InputError, Removal, Scorer, ScoreRequest

TITLES = ["zero", "one", "two", "three", "target"]
WEIGHTS = np.array([0.0, 0.25, -0.5, 1.0, 9.0])


class SumScorer:
    """Scores the sum of the weights of the items in the history, plus the target's number."""

    def __init__(self) -> None:
        self.calls: list[list[ScoreRequest]] = []

    def score(self, requests: list[ScoreRequest]) -> np.ndarray:
        self.calls.append(list(requests))
        return np.array([WEIGHTS[r.history.item_nums].sum() + r.item_num for r in requests])


def request(items: list[int]) -> ScoreRequest:
    nums = np.array(items, dtype=np.int32)
    history = History(nums, nums.astype(np.float32), 10 * np.arange(len(nums), dtype=np.int64))
    return ScoreRequest(7, history, 4)


def test_removals_by_hand() -> None:
    scorer = SumScorer()
    assert isinstance(scorer, Scorer)
    # full: 0 + 0.25 - 0.5 + 1 + 4 = 4.75
    found = removals(scorer, request([0, 1, 2, 3]), [3, 2, 0], TITLES)
    assert found == (
        Removal(3, "three", 3, 3.75, -1.0),  # spoke for it
        Removal(2, "two", 2, 5.25, 0.5),  # spoke against it
        Removal(0, "zero", 0, 4.75, 0.0),
    )
    assert len(scorer.calls) == 1
    assert all(asked.user_num == 7 and asked.item_num == 4 for asked in scorer.calls[0])


def test_ratings_and_times_go_with_their_row() -> None:
    scorer = SumScorer()
    removals(scorer, request([0, 1, 2]), [1], TITLES)
    left = scorer.calls[0][1].history
    assert left.item_nums.tolist() == [0, 2]
    assert left.ratings.tolist() == [0, 2]
    assert left.timestamps.tolist() == [0, 20]


def test_a_repeated_item_goes_with_all_its_rows() -> None:
    scorer = SumScorer()
    found = removals(scorer, request([3, 1, 3]), [2], TITLES)
    assert scorer.calls[0][1].history.item_nums.tolist() == [1]
    assert found == (Removal(3, "three", 2, 4.25, -2.0),)


def test_the_last_item_can_go() -> None:
    assert removals(SumScorer(), request([3]), [0], TITLES) == (Removal(3, "three", 0, 4.0, -1.0),)


def test_edges() -> None:
    scorer = SumScorer()
    assert removals(scorer, request([1]), [], TITLES) == ()
    assert scorer.calls == []
    for wrong in (2, -1):
        with pytest.raises(InputError, match="from 0 to 1"):
            removals(scorer, request([1, 2]), [wrong], TITLES)
