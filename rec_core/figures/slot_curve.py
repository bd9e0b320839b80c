"""What the place in the list is worth: a position probe's numbers by slot."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from rec_core.figures.style import MUTED, PALETTE, styled
from rec_core.types import InputError

_AXES = {
    "slot_pick_rate": "share of picks",
    "slot_probability": "mean probability",
    "hit_rate_by_slot": "hit rate of the true item",
}


def slot_curve(rows: pd.DataFrame, measure: str = "slot_pick_rate") -> go.Figure:
    """Return a measure by slot with intervals; for picks and probabilities with the line of no preference.

    Args:
        rows: a position probe's tidy rows: measure, group ("slot 1"), value, low, high.
        measure: "slot_pick_rate", "slot_probability" or "hit_rate_by_slot".

    Raises:
        InputError: the rows do not hold the measure.
    """
    chosen = rows[(rows["measure"] == measure) & rows["group"].str.fullmatch(r"slot \d+")]
    if chosen.empty:
        raise InputError(
            f"The probe has no rows of {measure!r} by slot; run the position probe on a list chooser."
        )
    slots = chosen["group"].str.removeprefix("slot ").astype(int)
    chosen = (
        chosen.assign(slot=slots).sort_values("slot").astype({"value": float, "low": float, "high": float})
    )
    trace = go.Scatter(
        x=chosen["slot"],
        y=chosen["value"],
        mode="lines+markers",
        line={"color": PALETTE[0]},
        error_y={
            "array": chosen["high"] - chosen["value"],
            "arrayminus": chosen["value"] - chosen["low"],
            "color": PALETTE[0],
        },
        hovertemplate="slot %{x}: %{y:.3f}<extra></extra>",
        showlegend=False,
    )
    figure = styled(
        go.Figure(trace),
        "slot in the list shown (1 = first)",
        f"{_AXES.get(measure, measure)}, 95 % interval",
    )
    if measure != "hit_rate_by_slot":
        figure.add_hline(
            y=1 / len(chosen), line={"color": MUTED, "dash": "dash"}, annotation_text="no preference"
        )
    return figure.update_xaxes(dtick=1)
