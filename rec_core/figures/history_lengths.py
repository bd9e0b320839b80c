"""How long the users' histories are."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from rec_core.figures.style import PALETTE, styled
from rec_core.types import InputError

QUARTILES = ("min", "q25", "median", "q75", "max")


def history_lengths(quartiles: Mapping[str, Mapping[str, float]]) -> go.Figure:
    """Return one box per group of users: median, middle half, shortest and longest history.

    Args:
        quartiles: group name -> min, q25, median, q75, max; {"all": description["history_length"]} for one.

    Raises:
        InputError: one of the five numbers is missing.
    """
    for group, numbers in quartiles.items():
        missing = [name for name in QUARTILES if name not in numbers]
        if missing:
            raise InputError(
                f"The history lengths of {group!r} have no {missing[0]!r}; give {', '.join(QUARTILES)}."
            )
    low, q1, middle, q3, high = ([numbers[name] for numbers in quartiles.values()] for name in QUARTILES)
    trace = go.Box(
        y=[str(group) for group in quartiles],
        lowerfence=low,
        q1=q1,
        median=middle,
        q3=q3,
        upperfence=high,
        orientation="h",
        marker={"color": PALETTE[0]},
        showlegend=False,
    )
    return styled(go.Figure(trace), "items in a user's history", "")
