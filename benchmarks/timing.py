"""Measure two things side by side: A B A B, medians, and ratios that say how many times better ours is.

A shared machine drifts: what runs first may run warm or cold, alone or beside others. Taking turns spreads
that over both sides, the median drops the odd slow round, and only the ratio is worth quoting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def alternate(sides: Mapping[str, Callable[[int], Any]], rounds: int) -> dict[str, list[Any]]:
    """Run every side once per round, in turns.

    Args:
        sides: name -> function of the round (0, 1, ...).
        rounds: turns of each side.

    Returns:
        What each side returned, round by round.
    """
    found: dict[str, list[Any]] = {name: [] for name in sides}
    for turn in range(rounds):
        for name, run in sides.items():
            found[name].append(run(turn))
    return found


def median_seconds(results: list[dict[str, Any]], field: str) -> float:
    """Return the median over rounds of each round's median.

    A round's first entry is its warm-up (caches, threads, allocators) and counts only where it is alone.

    Args:
        results: one record per round.
        field: its list of seconds.
    """
    return float(np.median([np.median(result[field][1:] or result[field]) for result in results]))


def better_by(ours: float | None, peer: float | None, higher_is_better: bool) -> float | None:
    """Return how many times better ours is: above 1 ours wins, whichever way the measure points."""
    if ours is None or peer is None or ours <= 0 or peer <= 0:
        return None
    return ours / peer if higher_is_better else peer / ours


def row(
    name: str,
    metric: str,
    unit: str,
    ours: float | None,
    peer: float | None,
    higher_is_better: bool,
    **more: Any,
) -> dict[str, Any]:
    """Return one line of a benchmark's result."""
    return {
        "name": name,
        "metric": metric,
        "unit": unit,
        "ours": ours,
        "peer": peer,
        "ratio": better_by(ours, peer, higher_is_better),
        "higher_is_better": higher_is_better,
        **more,
    }
