"""Loss curves and arms: the numbers drawn are the numbers given."""

import pytest

from rec_core.figures.loss_curves import loss_curves
from rec_core.figures.metric_bars import metric_bars
from rec_core.types import InputError


def event(stage: str, step: int, **metrics: float) -> dict:
    return {"stage": stage, "step": step, "total": 9, "metrics": metrics}


def test_a_panel_per_stage_a_line_per_metric() -> None:
    events = [
        event("behaviour", 1, loss=3.0),
        event("behaviour", 2),
        event("behaviour", 3, loss=2.0, recall=0.1),
        event("tuning", 1, loss=0.7),
    ]
    figure = loss_curves(events)
    assert [(t.name, list(t.x), list(t.y), t.yaxis) for t in figure.data] == [
        ("behaviour: loss", [1, 3], [3.0, 2.0], "y"),
        ("behaviour: recall", [3], [0.1], "y"),
        ("tuning: loss", [1], [0.7], "y2"),
    ]
    assert figure.layout.xaxis2.title.text == "step"


def test_a_repeated_step_of_a_resumed_run_counts_once() -> None:
    figure = loss_curves([event("a", 1, loss=3.0), event("a", 2, loss=9.0), event("a", 2, loss=2.0)])
    assert list(figure.data[0].y) == [3.0, 2.0]


def test_no_numbers_yet() -> None:
    assert len(loss_curves([]).data) == len(loss_curves([event("a", 1)]).data) == 0


ARMS = {
    "rallrec": {"auc": {"value": 0.70, "low": 0.68, "high": 0.73, "n": 90}},
    "recent": {"auc": {"value": 0.66, "low": 0.65, "high": 0.69, "n": 90}},
    "untested": {},
}


def test_arms_with_their_intervals() -> None:
    figure = metric_bars(ARMS, "auc")
    (trace,) = figure.data
    assert list(trace.y) == ["rallrec", "recent"] and list(trace.x) == [0.70, 0.66]
    assert list(trace.error_x.array) == pytest.approx([0.03, 0.03])
    assert list(trace.error_x.arrayminus) == pytest.approx([0.02, 0.01])
    assert figure.layout.yaxis.autorange == "reversed"
    with pytest.raises(InputError, match="there are auc"):
        metric_bars(ARMS, "recall")


def test_what_a_paper_prints_stands_beside_as_a_diamond():
    arms = {"ours": {"auc": {"value": 0.7, "low": 0.6, "high": 0.8, "n": 9}}}
    here, paper = metric_bars(arms, "auc", {"ours": 0.75, "elsewhere": 0.9}).data
    assert (here.name, paper.name) == ("here", "paper")
    assert list(paper.x) == [0.75] and list(paper.y) == ["ours"] and paper.marker.symbol == "diamond-open"
    assert len(metric_bars(arms, "auc", {}).data) == 1
