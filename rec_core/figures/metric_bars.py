"""One metric of several arms with its uncertainty."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from rec_core.figures.style import PALETTE, label, styled
from rec_core.types import InputError


def metric_bars(
    arms: Mapping[str, Mapping[str, Mapping[str, float]]],
    metric: str,
    paper: Mapping[str, float] | None = None,
) -> go.Figure:
    """Return a point with its 95 % interval per arm, the first arm on top.

    Points on a cut axis, not bars from 0: the differences of interest are far smaller than the values.
    Whether two arms differ is not read off overlapping intervals, but off their paired difference.

    Args:
        arms: the "arms" of a run's result: arm -> metric -> value, low, high, n.
        metric: which one; arms without it are left out.
        paper: what a paper prints, by arm, as hollow diamonds; arms that are not drawn are left out.

    Raises:
        InputError: no arm has it.
    """
    rows = {arm: metrics[metric] for arm, metrics in arms.items() if metric in metrics}
    if not rows:
        raise InputError(f"No arm has the metric {metric!r}; there are {_known(arms)}.")
    values = [row["value"] for row in rows.values()]
    trace = go.Scatter(
        x=values,
        y=[label(arm) for arm in rows],
        mode="markers",
        marker={"size": 11, "color": PALETTE[0]},
        error_x={
            "array": [row["high"] - row["value"] for row in rows.values()],
            "arrayminus": [row["value"] - row["low"] for row in rows.values()],
            "color": PALETTE[0],
        },
        customdata=[[row["low"], row["high"], row["n"]] for row in rows.values()],
        hovertemplate="%{y}: %{x:.4f} (%{customdata[0]:.4f} to %{customdata[1]:.4f}, n = %{customdata[2]:,})"
        "<extra></extra>",
    )
    figure = styled(go.Figure(trace), f"{label(metric)}, 95 % interval", "")
    printed = {arm: value for arm, value in (paper or {}).items() if arm in rows}
    if printed:
        figure.update_traces(name="here").add_trace(_diamonds(printed)).update_layout(showlegend=True)
    return figure.update_yaxes(autorange="reversed", type="category")


def _diamonds(printed: Mapping[str, float]) -> go.Scatter:
    return go.Scatter(
        x=list(printed.values()),
        y=[label(arm) for arm in printed],
        mode="markers",
        name="paper",
        marker={"size": 11, "symbol": "diamond-open", "color": PALETTE[1], "line": {"width": 2}},
        hovertemplate="%{y}: %{x:.4f} in the paper<extra></extra>",
    )


def _known(arms: Mapping[str, Mapping[str, object]]) -> str:
    return ", ".join(sorted({name for metrics in arms.values() for name in metrics})) or "none"
