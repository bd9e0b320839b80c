"""A metric over the reranker's two settings."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from rec_core.figures.style import PALETTE, SEQUENTIAL, label, styled
from rec_core.types import InputError


def alpha_beta_heatmap(
    surface: pd.DataFrame, metric: str, alpha: float | None = None, beta: float | None = None
) -> go.Figure:
    """Return the metric over (alpha, beta) with the current point marked; pairs not measured stay empty.

    Args:
        surface: alpha, beta and the metric's column, one row per pair.
        metric: which column.
        alpha: the current setting, which need not be on the grid; None marks nothing.
        beta: likewise.

    Raises:
        InputError: a column is missing.
    """
    for name in ("alpha", "beta", metric):
        if name not in surface:
            raise InputError(
                f"The surface has no column {name!r}; it has {', '.join(map(str, surface.columns))}."
            )
    grid = surface.pivot_table(index="beta", columns="alpha", values=metric, dropna=False)
    heat = go.Heatmap(
        x=grid.columns.to_numpy(float),
        y=grid.index.to_numpy(float),
        z=grid.to_numpy(float),
        colorscale=SEQUENTIAL,
        colorbar={"title": {"text": label(metric)}},
        hovertemplate="alpha %{x:.2f}, beta %{y:.2f}: %{z:.4f}<extra></extra>",
    )
    figure = styled(
        go.Figure(heat), "alpha (weight of the semantic channel)", "beta (how fast weight falls with rank)"
    )
    if alpha is not None and beta is not None:
        here = go.Scatter(
            x=[alpha],
            y=[beta],
            mode="markers",
            name="current",
            marker={"symbol": "x", "size": 14, "color": PALETTE[3], "line": {"color": "white", "width": 1.5}},
            hovertemplate="current: alpha %{x:.2f}, beta %{y:.2f}<extra></extra>",
            showlegend=False,
        )
        figure.add_trace(here)
    return figure
