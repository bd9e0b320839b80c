"""What the scores of a list are made of."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from rec_core.figures.style import CHANNEL_COLOURS, PALETTE, label, styled
from rec_core.types import InputError


def score_parts(rows: pd.DataFrame, unit: str = "score") -> go.Figure:
    """Return one bar per item, its parts side by side in the same colours, the first item on top.

    For the reranker a row is an evidence item: its title, `channel` as part, `score` as value, "tied" as
    note; for recommendations one row per item and part.

    Args:
        rows: title, part, value, and optionally item_id (keeps equal titles apart) and note (written on
            the bar).
        unit: what the values are.

    Raises:
        InputError: a column is missing.
    """
    for name in ("title", "part", "value"):
        if name not in rows:
            raise InputError(
                f"Score parts need a column {name!r}; there are {', '.join(map(str, rows.columns))}."
            )
    rows = rows.reset_index(drop=True)
    keys = (rows["item_id"] if "item_id" in rows else rows["title"]).astype(str)
    places = pd.Series(pd.factorize(keys)[0], index=rows.index)
    titles = rows["title"].groupby(places).first()
    notes = rows["note"] if "note" in rows else pd.Series("", index=rows.index)
    figure = go.Figure()
    for number, (part, group) in enumerate(rows.groupby("part", sort=False)):
        trace = go.Bar(
            x=group["value"].astype(float),
            y=places[group.index],
            orientation="h",
            name=label(part),
            marker={"color": CHANNEL_COLOURS.get(str(part), PALETTE[number % len(PALETTE)])},
            text=[label(note) for note in notes[group.index]],
            textposition="auto",
            hovertemplate="%{x:.4f}<extra>%{fullData.name}</extra>",
        )
        figure.add_trace(trace)
    styled(figure, label(unit), "")
    figure.update_layout(barmode="relative")
    return figure.update_yaxes(
        tickvals=titles.index.tolist(), ticktext=[label(title) for title in titles], autorange="reversed"
    )
