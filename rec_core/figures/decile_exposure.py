"""Which part of the catalogue gets shown, from the least to the most popular tenth."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from rec_core.figures.style import MUTED, PALETTE, label, styled
from rec_core.types import InputError

_GROUP = r"(?P<system>.*), decile (?P<decile>\d+)"


def decile_exposure(rows: pd.DataFrame) -> go.Figure:
    """Return each system's share of exposure by popularity decile, and the line of equal shares.

    Args:
        rows: a popularity probe's tidy rows: measure ("exposure_share"), group ("name, decile 1"), value,
            low, high.

    Raises:
        InputError: the rows hold no exposure by decile.
    """
    rows = rows[rows["measure"] == "exposure_share"]
    if rows.empty:
        raise InputError("The probe has no rows of 'exposure_share'; run the popularity probe.")
    rows = (
        rows.join(rows["group"].str.extract(_GROUP))
        .astype({"decile": int, "value": float, "low": float, "high": float})
        .sort_values("decile")
    )
    figure = go.Figure()
    for number, (system, part) in enumerate(rows.groupby("system", sort=False)):
        colour = PALETTE[number % len(PALETTE)]
        trace = go.Bar(
            x=part["decile"],
            y=part["value"],
            name=label(system),
            marker={"color": colour},
            error_y={
                "array": part["high"] - part["value"],
                "arrayminus": part["value"] - part["low"],
                "color": MUTED,
            },
            hovertemplate="decile %{x}: %{y:.1%}<extra>%{fullData.name}</extra>",
        )
        figure.add_trace(trace)
    styled(figure, "popularity decile of the items (10 = most popular)", "share of exposure, 95 % interval")
    figure.add_hline(y=0.1, line={"color": MUTED, "dash": "dash"}, annotation_text="equal shares")
    figure.update_xaxes(dtick=1)
    return figure.update_yaxes(tickformat=".0%")
