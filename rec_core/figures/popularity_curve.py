"""How interactions spread over the catalogue: the head and the long tail."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from rec_core.figures.style import PALETTE, styled


def popularity_curve(counts: Sequence[int] | np.ndarray) -> go.Figure:
    """Return interactions per item by popularity rank, both on a logarithmic scale.

    Args:
        counts: (I,) interactions per item in any order; items without any cannot stand on a logarithmic scale
            and are counted in the axis title.
    """
    ordered = np.sort(np.asarray(counts, dtype=np.int64))[::-1]
    shown = ordered[ordered > 0]
    unseen = len(ordered) - len(shown)
    trace = go.Scattergl(
        x=np.arange(1, len(shown) + 1, dtype=np.float32),
        y=shown.astype(np.float32),
        mode="lines",
        line={"color": PALETTE[0]},
        hovertemplate="rank %{x:,}: %{y:,} interactions<extra></extra>",
    )
    beside = f"; {unseen:,} items without any are not shown" if unseen else ""
    figure = styled(
        go.Figure(trace), f"popularity rank of the item (1 = most popular){beside}", "interactions"
    )
    figure.update_xaxes(type="log")
    return figure.update_yaxes(type="log")
