"""The form that keeps part of a dataset, those with enough rows and not too many, as a dataset of its own."""

from __future__ import annotations

import streamlit as st

from pages.shared import session
from rec_core.workbench import filter_dataset, filter_recipes

_OWN = "my own"
_MOST = 1_000_000


def keep_a_part(name: str) -> None:
    """Ask for the limits, or for a published filter, and keep the part on a click."""
    recipes = filter_recipes()
    left, right = st.columns(2)
    recipe = left.selectbox("Settings", [_OWN, *recipes], key="filter-recipe")
    new_name = right.text_input("Name of the part", f"{name}-core", key="core-name")
    limits = {} if recipe in recipes else _limits()
    if recipe in recipes:
        st.caption(f"As published: {recipes[recipe]}.")
    if st.button("Keep this part", icon=":material/filter_alt:"):
        facts = filter_dataset(
            name,
            new_name,
            recipe=recipe if recipe in recipes else None,
            workspace=session.workspace(),
            **limits,
        )
        kept, dropped = facts["kept"]["interactions"], facts["dropped"]["interactions"]
        session.tell_later(f"{new_name} is here: {kept:,} rows kept, {dropped:,} dropped.")
        st.rerun()


def _limits() -> dict[str, int]:
    asked = {
        "user_core": ("Rows per user", 5),
        "user_limit": ("At most per user (0: any)", 0),
        "item_core": ("Rows per item", 5),
        "item_limit": ("At most per item (0: any)", 0),
        "top_items": ("Most frequent items (0: all)", 0),
    }
    columns = st.columns(len(asked))
    return {
        field: int(column.number_input(label, 0, _MOST, start, key=field.replace("_", "-")))
        for column, (field, (label, start)) in zip(columns, asked.items(), strict=True)
    }
