"""Slots and deciles as the probes name them."""

import pandas as pd
import pytest

from rec_core.figures.decile_exposure import decile_exposure
from rec_core.figures.slot_curve import slot_curve
from rec_core.types import InputError


def tidy(rows: list[tuple[str, str, float]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["measure", "group", "value"])
    return frame.assign(low=frame["value"] - 0.02, high=frame["value"] + 0.03)


def test_slots_in_order_with_intervals_and_the_line_of_no_preference() -> None:
    rows = [("slot_pick_rate", f"slot {s}", s / 100) for s in (10, 2, 1)]
    rows += [("slot_range", "all slots", 0.5), ("hit_rate_by_slot", "slot 1", 0.4)]
    figure = slot_curve(tidy(rows))
    (trace,) = figure.data
    assert (list(trace.x), list(trace.y)) == ([1, 2, 10], [0.01, 0.02, 0.10])
    assert list(trace.error_y.array) == pytest.approx([0.03] * 3)
    assert list(trace.error_y.arrayminus) == pytest.approx([0.02] * 3)
    assert figure.layout.shapes[0].y0 == pytest.approx(1 / 3)
    assert len(slot_curve(tidy(rows), "hit_rate_by_slot").layout.shapes) == 0
    with pytest.raises(InputError, match="slot_probability"):
        slot_curve(tidy(rows), "slot_probability")


def test_deciles_in_order_by_system() -> None:
    rows = [("exposure_share", f"a, decile 5, decile {d}", d / 55) for d in range(10, 0, -1)]
    rows += [("exposure_share", f"<random>, decile {d}", 0.1) for d in range(1, 11)]
    figure = decile_exposure(tidy([*rows, ("gini", "a", 0.3)]))
    first, second = sorted(figure.data, key=lambda t: t.name, reverse=True)
    assert (first.name, second.name) == ("a, decile 5", "&lt;random&gt;")
    assert list(first.x) == list(second.x) == list(range(1, 11))
    assert list(first.y) == pytest.approx([d / 55 for d in range(1, 11)])
    assert figure.layout.shapes[0].y0 == 0.1
    with pytest.raises(InputError, match="popularity probe"):
        decile_exposure(tidy([("gini", "a", 0.3)]))
