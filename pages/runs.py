"""Runs: which run is better, and is it luck?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.shared import comparison, entry, messages, run_results, session
from rec_core import jobs
from rec_core.figures.loss_curves import loss_curves
from rec_core.workbench import annotate_run, rename_run, runs, show_run

FIRST = ["run", "title", "state", "metric", "value", "seconds"]  # the rest may need scrolling
NUMBERS = {
    "metric": st.column_config.TextColumn("test metric"),
    "value": st.column_config.NumberColumn(format="%.4f"),
    "seconds": st.column_config.NumberColumn(format="%.0f"),
    "created": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
}


def listing() -> pd.DataFrame:
    """Draw all runs; return them."""
    made = runs(workspace=session.workspace())
    shown = made.assign(created=pd.to_datetime(made["created"], unit="s"))
    st.dataframe(
        shown[[*FIRST, *(name for name in shown if name not in FIRST)]],
        hide_index=True,
        column_config=NUMBERS,
        alt="All runs with state, seconds and headline test metric",
    )
    return made


def one(run: str) -> None:
    """Draw one run: names, test results, losses, config, environment."""
    facts = show_run(run, workspace=session.workspace())
    left, right = st.columns(2)
    title = left.text_input("Title", facts["title"], key=f"title-{run}", placeholder="A name for people")
    notes = right.text_area("Notes", facts["notes"], key=f"notes-{run}", height=68)
    if st.button("Keep title and notes", disabled=(title, notes) == (facts["title"], facts["notes"])):
        rename_run(run, title, workspace=session.workspace())
        annotate_run(run, notes, workspace=session.workspace())
        session.tell_later("Kept.")
        st.rerun()
    run_results.draw(run, facts["metrics"], str(facts["status"].get("finished")))
    losses(run)
    with st.expander("Config", icon=":material/tune:"):
        st.json(facts["config"])
    with st.expander("Environment", icon=":material/developer_board:"):
        st.json(facts["env"])


def losses(run: str) -> None:
    """Draw what the run reported while it learned."""
    events = jobs.events(session.workspace(), run)
    table = pd.DataFrame(
        [
            {"stage": e["stage"], "step": e["step"], "metric": name, "value": value}
            for e in events
            for name, value in e["metrics"].items()
        ]
    )
    if len(table):
        messages.figure(
            loss_curves(events), table, "Losses and metrics by step, a line for each", f"losses-{run}"
        )


entry.through_app("pages/runs.py")
messages.opening("Runs", "Which run is better, and is it luck?")
made = listing()
if made.empty:
    messages.empty(
        "No run yet. Home builds the sample run; Train makes one of your own.", "pages/train.py", "Train"
    )
else:
    details, beside = st.tabs(["The chosen run", "Compare two"])
    with details, messages.shown():
        one(str(session.get(session.RUN) or made["run"].iloc[0]))
    with beside, messages.shown():
        comparison.draw(made)
