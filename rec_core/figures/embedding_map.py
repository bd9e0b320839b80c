"""The map of a view's items: one point per item."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from rec_core.figures.style import MUTED, PALETTE, SEQUENTIAL, label, styled
from rec_core.types import InputError

_NAMED = len(PALETTE)  # categories with a colour of their own; the rest is "other"
_SIZE, _LIFTED = 6, 13
_FAINTEST = 0.12
_FADE = 0.4  # of the opacity of points that are not selected, while others are


def embedding_map(
    points: pd.DataFrame,
    colour: str | None = None,
    selected: Sequence[str] = (),
    trust: bool = False,
    hover: str | None = "title",
) -> go.Figure:
    """Return the map as one WebGL trace with the item ids in customdata and coordinates in float32.

    Text columns get a colour per category, the most frequent seven and "other"; of "Drama|War" the first part
    counts. Number columns get a scale, `popularity` a logarithmic one; missing numbers are dark grey.

    Args:
        points: x, y, item_id, and the columns named below.
        colour: a column, or None for one colour.
        selected: item ids to lift out; all others fade. Ids that are not on the map are ignored.
        trust: fade points by the column `trust` (0..1): faint means "do not trust this position".
        hover: a column shown under the pointer, or None to send no text at all.

    Raises:
        InputError: a column is missing.
    """
    needed = ["x", "y", "item_id", *([colour] if colour else []), *(["trust"] if trust else [])]
    missing = [name for name in [*needed, *([hover] if hover else [])] if name not in points]
    if missing:
        raise InputError(
            f"The map has no column {missing[0]!r}; it has {', '.join(map(str, points.columns))}."
        )
    marker = {"size": _SIZE, **(_colours(points[colour], colour) if colour else {"color": PALETTE[0]})}
    chosen = points["item_id"].astype(str).isin([str(item) for item in selected]).to_numpy(dtype=bool)
    if trust or chosen.any():
        shade = points["trust"].to_numpy(dtype=np.float32, na_value=np.nan) if trust else np.ones(len(points))
        marker["opacity"] = _opacity(shade, chosen)
        marker["size"] = np.where(chosen, _LIFTED, _SIZE).astype(np.float32)
    trace = go.Scattergl(
        x=points["x"].to_numpy(dtype=np.float32),
        y=points["y"].to_numpy(dtype=np.float32),
        customdata=points["item_id"].astype(str).tolist(),
        mode="markers",
        marker=marker,
        hoverinfo="text" if hover else "none",
        text=[label(text) for text in points[hover]] if hover else None,
        showlegend=False,
    )
    figure = styled(go.Figure(trace), "map x (no unit)", "map y (no unit)")
    figure.update_yaxes(scaleanchor="x")
    # zoom outlives a redrawing; a lasso drawn by hand goes when the selection becomes another
    revision = "|".join(map(str, selected))
    return figure.update_layout(dragmode="lasso", uirevision="map", selectionrevision=revision)


def _opacity(shade: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return how solid each point is: by trust (unknown counts as none); what is not chosen fades further."""
    solid = np.clip(np.nan_to_num(shade), _FAINTEST, 1)
    if chosen.any():
        solid = np.where(chosen, 1.0, _FADE * solid)
    return solid.astype(np.float32)


def _colours(column: pd.Series, name: str) -> dict[str, object]:
    if not pd.api.types.is_numeric_dtype(column):
        return _category_colours(column, name)
    numbers = column.to_numpy(dtype=np.float32, na_value=np.nan)
    bar: dict[str, object] = {"title": {"text": label(name)}}
    if name == "popularity" and len(numbers):
        top = int(np.log10(max(1.0, float(np.nanmax(numbers)))))
        ticks = [10**power for power in range(top + 1)]
        bar |= {"tickvals": np.log10(1 + np.array(ticks)).tolist(), "ticktext": [f"{t:,}" for t in ticks]}
        numbers = np.log10(1 + numbers)
    return {"color": numbers, "colorscale": SEQUENTIAL, "showscale": True, "colorbar": bar}


def _category_colours(column: pd.Series, name: str) -> dict[str, object]:
    first = column.fillna("").astype(str).str.split("|").str[0].replace("", "unknown")
    names = first.value_counts().index[:_NAMED].tolist()
    codes = first.map({category: code for code, category in enumerate(names)}).fillna(len(names))
    if (codes == len(names)).any():
        names.append("other")
    colours = [*PALETTE[: len(names)], MUTED][: len(names)]
    edges = np.arange(len(names) + 1) / len(names) if names else np.array([0.0, 1.0])
    steps = [[edge, colour] for i, colour in enumerate(colours) for edge in (edges[i], edges[i + 1])]
    return {
        "color": codes.to_numpy(dtype=np.float32),
        "colorscale": steps or SEQUENTIAL,
        "cmin": -0.5,
        "cmax": len(names) - 0.5,
        "showscale": True,
        "colorbar": {
            "title": {"text": label(name)},
            "tickvals": list(range(len(names))),
            "ticktext": [label(category) for category in names],
        },
    }
