"""What the pages keep between two reruns: the name of every session value, and the workspace.

The first group is bound to widgets and to the URL, so that a link opens the same view.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.shared.plain import unlinked
from rec_core.store import Workspace

DATASET, RUN, USER, ITEM = "dataset", "run", "user", "item"
ALPHA, BETA, VIEW, MAP, COLOUR = "alpha", "beta", "view", "map", "colour"

SELECTED = "selected_items"  # item ids selected together in the maps
COMPOSED = "composed_history"  # [(item id, rating)], oldest first
OPENED = "opened_card"  # the recommendation whose reasons are shown
INSIDE, WANTED = "inside_app", "wanted_page"  # see entry.py
TOLD = "told"  # a sentence to show after the next rerun


def workspace() -> Workspace:
    """Return the workspace of the environment."""
    return Workspace.from_environment()


def root() -> str:
    """Return the workspace folder, the first part of every cache key."""
    return str(workspace().root)


def get(key: str, default: Any = None) -> Any:
    """Return a session value."""
    return st.session_state.get(key, default)


def put(key: str, value: Any) -> None:
    """Keep a session value; None forgets it."""
    if value is None:
        st.session_state.pop(key, None)
    else:
        st.session_state[key] = value


def tell_later(sentence: str) -> None:
    """Show a sentence once the page has been drawn again."""
    st.session_state[TOLD] = sentence


def tell_now() -> None:
    """Show what `tell_later` kept."""
    sentence = st.session_state.pop(TOLD, None)
    if sentence:
        st.toast(unlinked(sentence), icon=":material/check:")
