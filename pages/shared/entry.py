"""Lead every link through app.py.

Until app.py has run once in a server's life, Streamlit takes the files of a folder called "pages" for an app
of the old kind and runs the linked one by itself. Such a page hands over to app.py, which leads back to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from pages.shared import session


def through_app(page: str) -> None:
    """Hand over to app.py when this page ("pages/data.py") was not run by it."""
    if not session.get(session.INSIDE):
        session.put(session.WANTED, (page, st.query_params.to_dict()))
        st.switch_page("app.py")


def lead_on() -> None:
    """Go where a link wanted to."""
    wanted = session.get(session.WANTED)
    if wanted:
        session.put(session.WANTED, None)
        st.switch_page(wanted[0], query_params=wanted[1])


@contextmanager
def inside() -> Iterator[None]:
    """Tell the page in this block that app.py runs it."""
    session.put(session.INSIDE, True)
    try:
        yield
    finally:
        session.put(session.INSIDE, None)
