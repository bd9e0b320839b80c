"""The maps of a run that are not drawn yet: started as detached jobs, one per view, and watched."""

from __future__ import annotations

import streamlit as st

from pages.shared import cached, job_monitor, session
from rec_core import jobs

NAMES = {"id": "Behaviour (ID)", "text": "Words (text)", "aligned": "Aligned"}


def missing(run: str, method: str) -> list[str]:
    """Return the views that have no map yet."""
    return [
        view
        for view in cached.views(session.root(), run)
        if not cached.has_map(session.root(), run, view, method)
    ]


def make(run: str, method: str, views: list[str]) -> None:
    """Offer to make the missing maps as detached jobs, and watch them."""
    space = session.workspace()

    def start(view: str) -> None:
        argv = ["project", run, "--view", view, "--method", method]
        jobs.enqueue_command(space, f"map-{method}-{view}-{run}", argv)

    names = {view: f"map-{method}-{view}-{run}" for view in views}
    begun = [view for view in views if job_monitor.state_of(names[view]) not in ("absent", "done")]
    if not begun:
        st.info("The maps of this run are not drawn yet. It takes some seconds each, beside this page.")
        if st.button("Draw the maps", type="primary", icon=":material/scatter_plot:"):
            for view in views:
                start(view)
            st.rerun()
    for view in begun:
        job_monitor.watch(names[view], f"Map of {NAMES[view]}", lambda v=view: start(v), details=False)
