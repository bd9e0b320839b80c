"""Turns, medians and the direction of ratios."""

import pytest

from benchmarks.quality import seconds_to
from benchmarks.timing import alternate, better_by, median_seconds, row


def test_sides_take_turns():
    order = []
    found = alternate(
        {"a": lambda i: order.append(("a", i)) or i, "b": lambda i: order.append(("b", i)) or -i}, 2
    )
    assert order == [("a", 0), ("b", 0), ("a", 1), ("b", 1)]
    assert found == {"a": [0, 1], "b": [0, -1]}


def test_a_warm_up_counts_only_where_it_is_alone():
    # medians of [1, 3] and [5], the first entry of the first round dropped: (2 + 5) / 2
    assert median_seconds([{"s": [99.0, 1.0, 3.0]}, {"s": [5.0]}], "s") == 3.5


def test_above_one_means_ours_is_better_whichever_way_the_measure_points():
    assert better_by(2.0, 6.0, higher_is_better=False) == pytest.approx(3.0)
    assert better_by(6.0, 2.0, higher_is_better=True) == pytest.approx(3.0)
    assert better_by(None, 2.0, True) is None
    assert better_by(2.0, 0.0, False) is None
    assert row("m", "epoch", "s", 1.0, 4.0, False, threads=2)["ratio"] == 4.0


def test_time_to_a_target_counts_epochs_with_their_validations():
    validation = [[1.0, 0.1], [2.0, 0.3], [3.0, 0.3]]
    assert seconds_to(validation, 0.3, 10.0, 1.0) == 22.0
    assert seconds_to(validation, 0.31, 10.0, 1.0) is None
