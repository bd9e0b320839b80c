"""How pages speak: errors as one sentence, empty states with the next step, figures with their table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.shared.plain import unlinked
from rec_core.types import InputError

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure


@contextmanager
def shown() -> Iterator[None]:
    """Turn an `InputError` inside the block into a sentence on the page."""
    try:
        yield
    except InputError as error:
        st.error(unlinked(str(error)), icon=":material/error:")


def opening(title: str, question: str) -> None:
    """Draw a page's title and the question it answers."""
    st.header(title, anchor=False)
    st.caption(question)


def empty(sentence: str, page: str, label: str) -> None:
    """Say that there is nothing to show yet, and link the next step."""
    st.info(sentence, icon=":material/info:")
    st.page_link(page, label=label, icon=":material/arrow_forward:")


def figure(drawing: Figure, table: pd.DataFrame, alt: str, key: str, **options: Any) -> Any:
    """Draw a figure with its alt text, and the same numbers as a table below it; return the plotly state."""
    state = st.plotly_chart(drawing, key=key, alt=alt, config={"displaylogo": False}, **options)
    with st.expander("The same as a table", icon=":material/table:"):
        st.dataframe(table, hide_index=True, alt=alt, key=f"{key}-table")
    return state
