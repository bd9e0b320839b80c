"""Losses and metrics while a run trains."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from rec_core.figures.style import label, styled


def loss_curves(events: Iterable[Mapping[str, Any]]) -> go.Figure:
    """Return one panel per stage that reported numbers, below each other, a line per metric.

    Learning rates are left out: thousands of times smaller than a loss, they would be a flat line at zero.

    Args:
        events: lines of events.jsonl in order: stage, step, metrics {name: value}. Where a resumed run
            reports a step again, the later report counts. No numbers at all gives an empty figure.
    """
    curves: dict[str, dict[str, dict[int, float]]] = {}
    for event in events:
        for name, value in (event.get("metrics") or {}).items():
            if name == "learning_rate":
                continue
            curves.setdefault(event["stage"], {}).setdefault(name, {})[event["step"]] = value
    if not curves:
        return styled(go.Figure(), "step", "value")
    stages = list(curves)
    figure = make_subplots(len(stages), 1, subplot_titles=[label(stage) for stage in stages])
    for row, stage in enumerate(stages, start=1):
        for name, points in curves[stage].items():
            steps = sorted(points)
            trace = go.Scatter(
                x=steps,
                y=[points[step] for step in steps],
                mode="lines+markers" if len(steps) < 30 else "lines",
                name=f"{label(stage)}: {label(name)}",
            )
            figure.add_trace(trace, row, 1)
    styled(figure, "step", "value")
    figure.update_xaxes(title_text="step")
    figure.update_yaxes(title_text="value")
    beside = {"orientation": "v", "y": 1, "yanchor": "top"}  # above, it would cover the first panel's title
    return figure.update_layout(height=120 + 220 * len(stages), legend=beside)
