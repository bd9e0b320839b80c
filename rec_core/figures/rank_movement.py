"""How items move from the two channels into the merged list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from rec_core.figures.style import CHANNEL_COLOURS, MUTED, label, styled

_PLACES = {"semantic": 0, "recency": 2}
_MERGED = 1

Rows = Sequence[Mapping[str, Any]]


def rank_movement(semantic: Rows, recency: Rows, evidence: Rows) -> go.Figure:
    """Return three columns of ranks (semantic, merged, recency) with a line for each item's way in.

    The line of the channel an item counts for is solid; a dotted one says that the other channel holds it
    too. Items that were not chosen are small grey points without a line.

    Args:
        semantic: rows with position, rank, title.
        recency: likewise.
        evidence: rows with position, rank, title and channel, the list that came out.
    """
    merged = {row["position"]: row for row in evidence}
    figure = go.Figure()
    for channel, rows in (("semantic", semantic), ("recency", recency)):
        chosen = [row for row in rows if row["position"] in merged]
        counts = [row for row in chosen if merged[row["position"]]["channel"] == channel]
        also = [row for row in chosen if merged[row["position"]]["channel"] != channel]
        place = _PLACES[channel]
        figure.add_trace(_ways(counts, merged, place, channel, CHANNEL_COLOURS[channel], "solid"))
        if also:
            figure.add_trace(_ways(also, merged, place, f"also in {channel}", MUTED, "dot"))
        left_out = [row for row in rows if row["position"] not in merged]
        figure.add_trace(_points(left_out, place, f"{channel}, not chosen", MUTED, 5))
        figure.add_trace(_points(chosen, place, channel, CHANNEL_COLOURS[channel], 8))
        taken = [row for row in evidence if row["channel"] == channel]
        figure.add_trace(_points(taken, _MERGED, channel, CHANNEL_COLOURS[channel], 10))
    styled(figure, "", "rank (1 = first)")
    figure.update_xaxes(
        tickvals=[0, 1, 2], ticktext=["semantic channel", "merged", "recency channel"], range=[-0.3, 2.3]
    )
    return figure.update_yaxes(autorange="reversed")


def _ways(
    rows: Rows, merged: Mapping[int, Mapping[str, Any]], place: int, name: str, colour: str, dash: str
) -> go.Scatter:
    x: list[int | None] = []
    y: list[int | None] = []
    for row in rows:
        x += [place, _MERGED, None]
        y += [row["rank"], merged[row["position"]]["rank"], None]
    return go.Scatter(
        x=x,
        y=y,
        mode="lines",
        name=name,
        line={"color": colour, "dash": dash, "width": 1.5},
        hoverinfo="skip",
    )


def _points(rows: Rows, place: int, name: str, colour: str, size: int) -> go.Scatter:
    return go.Scatter(
        x=[place] * len(rows),
        y=[row["rank"] for row in rows],
        mode="markers",
        name=name,
        marker={"color": colour, "size": size},
        text=[label(row["title"]) for row in rows],
        hovertemplate=f"{name} %{{y}}: %{{text}}<extra></extra>",
        showlegend=False,
    )
