"""Floors by hand on a small set, and every way of computing beside the engine's."""

import pytest

from benchmarks import choices, floors
from benchmarks.cases import RankingCase
from rec_core.data.splits import leave_one_out


@pytest.fixture
def small(planted, monkeypatch):
    """The planted set in the place of a real one, and a clock that looks once."""
    case = RankingCase("planted", planted, leave_one_out(planted.interactions))
    for module in (floors, choices):
        monkeypatch.setattr(module, "ranking_case", lambda name: case)
    monkeypatch.setattr(floors, "PAIRS", 64)
    monkeypatch.setattr(choices, "PAIRS", 64)
    quick = lambda work: (work(), 0.5)[1]  # noqa: E731
    monkeypatch.setattr(floors, "seconds", quick)
    monkeypatch.setattr(choices, "seconds", quick)
    return case


def test_bytes_and_operations_by_hand(small):
    """60 nodes and 64 pairs of 64 floats; 30 users by 30 items."""
    step, graph, ranking = floors.measure("planted")
    rows, table = 64 * 64 * 4, 60 * 64 * 4
    n_edges = len(small.split.train)
    assert step["megabytes"] == pytest.approx((9 * rows + 8 * table) / 1e6)
    products = 4 * (2 * n_edges * 64 * 4 + table)
    assert graph["megabytes"] == pytest.approx(step["megabytes"] + products / 1e6)
    assert ranking["megabytes"] == pytest.approx(2 * 30 * 30 * 4 / 1e6)
    assert ranking["megaflop"] == pytest.approx(2 * 30 * 30 * 64 / 1e6)
    # copying a table took half a second: that moves 2 tables
    assert step["floor_ms"] == pytest.approx(500 * (9 * rows + 8 * table) / (2 * table))
    assert step["times"] == pytest.approx(500 / step["floor_ms"])


def test_every_choice_has_the_engines_way_first_and_all_ways_agree(small):
    rows = list(choices.measure("planted"))
    assert {row["choice"] for row in rows} == {"graph product", "BPR gradient", "adding rows", "Adam"}
    assert len(rows) == 15
    assert all(row["times"] == 1.0 for row in rows)  # the clock says half a second to everything


def test_a_way_that_gives_other_numbers_is_found(small, monkeypatch):
    monkeypatch.setattr(choices, "bpr_of_rows", lambda nodes, *rows: nodes.sum())
    with pytest.raises(AssertionError):
        list(choices.measure("planted"))
