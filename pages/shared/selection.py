"""One selection for all maps: what is clicked or drawn around in one of them is selected in each."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from pages.shared import session


def share(view: str, known: Container[str]) -> None:
    """Make what was selected in the map of a view the selection of all; nothing selected changes nothing."""
    points = (session.get(f"map-{view}") or {}).get("selection", {}).get("points", [])
    chosen = [item for item in dict.fromkeys(_id(point) for point in points) if item in known]
    if chosen:
        session.put(session.SELECTED, chosen if len(chosen) > 1 else None)
        session.put(session.ITEM, chosen[0])


def _id(point: dict[str, Any]) -> str:
    custom = point.get("customdata")
    return str(custom[0] if isinstance(custom, list) else custom)
