"""What all figures share: colours that colour-blind readers can tell apart, no background, plain labels."""

from __future__ import annotations

from html import escape

import plotly.graph_objects as go

# Okabe and Ito (2008), the yellow left out because it vanishes on white
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#8C6D46")
MUTED = "#8A8A8A"  # everything that is there for reference; readable on white and on black
CHANNEL_COLOURS = {"semantic": PALETTE[0], "recency": PALETTE[1]}
SEQUENTIAL = "Cividis"
_GRID = "rgba(138, 138, 138, 0.25)"
_LONGEST_LABEL = 60


def styled(figure: go.Figure, x_title: str, y_title: str) -> go.Figure:
    """Give a figure axis titles, no background and a grid for light and dark pages; return it."""
    axis = {"gridcolor": _GRID, "zerolinecolor": _GRID}
    return figure.update_layout(
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        colorway=PALETTE,
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        xaxis={"title": {"text": x_title}, "automargin": True, **axis},
        yaxis={"title": {"text": y_title}, "automargin": True, **axis},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )


def label(text: object) -> str:
    """Return untrusted text as a label, cut when long and escaped: plotly reads labels as markup."""
    line = " ".join(str(text).split())
    return escape(line if len(line) <= _LONGEST_LABEL else line[: _LONGEST_LABEL - 1] + "…", quote=False)
