"""Runs: which run is better, and is it luck?"""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pages.shared import cached, entry, messages, session
from pages.shared.plain import unlinked
from rec_core import jobs
from rec_core.figures.loss_curves import loss_curves
from rec_core.figures.metric_bars import metric_bars
from rec_core.workbench import annotate_run, rename_run, runs, show_run

NUMBERS = {
    "auc": st.column_config.NumberColumn("AUC", format="%.4f"),
    "seconds": st.column_config.NumberColumn(format="%.0f"),
    "created": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
}
EVEN = "The interval holds 0: this difference may be luck."


def listing() -> pd.DataFrame:
    """Draw all runs; return them."""
    made = runs(workspace=session.workspace())
    shown = made.assign(created=pd.to_datetime(made["created"], unit="s"))
    st.dataframe(shown, hide_index=True, column_config=NUMBERS, alt="All runs with state, seconds and AUC")
    return made


def one(run: str) -> None:
    """Draw one run: names, metrics by arm, losses, config, environment."""
    facts = show_run(run, workspace=session.workspace())
    left, right = st.columns(2)
    title = left.text_input("Title", facts["title"], key=f"title-{run}", placeholder="A name for people")
    notes = right.text_area("Notes", facts["notes"], key=f"notes-{run}", height=68)
    if st.button("Keep title and notes", disabled=(title, notes) == (facts["title"], facts["notes"])):
        rename_run(run, title, workspace=session.workspace())
        annotate_run(run, notes, workspace=session.workspace())
        session.tell_later("Kept.")
        st.rerun()
    if facts["metrics"].get("arms"):
        by_arm(facts["metrics"])
        st.caption(unlinked(f"Language model: {facts['metrics'].get('precision') or 'not said'}"))
    losses(run)
    with st.expander("Config", icon=":material/tune:"):
        st.json(facts["config"])
    with st.expander("Environment", icon=":material/developer_board:"):
        st.json(facts["env"])


def by_arm(metrics: dict[str, Any]) -> None:
    """Draw the test metrics of each arm, and the differences between arms."""
    rows = pd.DataFrame(
        [
            {"arm": arm, "metric": m, **values}
            for arm, found in metrics["arms"].items()
            for m, values in found.items()
        ]
    )
    metric = st.segmented_control(
        "Metric", rows["metric"].unique().tolist(), default="auc", required=True, key="runs-metric"
    )
    chosen = rows[rows["metric"] == metric]
    alt = f"{metric} on the test rows by arm, with 95 % intervals"
    messages.figure(metric_bars(metrics["arms"], str(metric)), chosen, alt, "metrics")
    if metrics.get("differences"):
        pairs = [
            {"pair": pair, "metric": name, **values}
            for pair, found in metrics["differences"].items()
            for name, values in found.items()
        ]
        with st.expander("Differences between the arms, on the same rows", icon=":material/difference:"):
            st.dataframe(
                pd.DataFrame(pairs), hide_index=True, alt="Paired differences between arms with intervals"
            )


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


def against(made: pd.DataFrame) -> None:
    """Draw the paired comparison of two finished runs."""
    done = made[made["state"] == "done"]["run"].tolist()
    if len(done) < 2:
        messages.empty(
            "A comparison needs two finished runs.", "pages/train.py", "Train another, with one thing changed"
        )
        return
    left, right = st.columns(2)
    a = str(left.selectbox("Run a", done, index=0, key="compare-a", persist_state="session"))
    b = str(right.selectbox("Run b", done, index=1, key="compare-b", persist_state="session"))
    facts = [show_run(run, workspace=session.workspace()) for run in (a, b)]
    ended = "/".join(str(f["status"].get("finished")) for f in facts)
    found = cached.compared(session.root(), a, b, ended)
    rows = pd.DataFrame(found["rows"])
    sure = (rows["low"] > 0) | (rows["high"] < 0)
    rows["reading"] = ["a and b differ" if clear else EVEN for clear in sure]
    st.caption(f"a - b on the same {found['n_rows']:,} test rows, 95 % intervals over users.")
    st.dataframe(rows, hide_index=True, alt="Paired differences a - b with intervals")
    flat = [pd.json_normalize(f["config"], sep=".").astype(str).iloc[0] for f in facts]
    both = pd.DataFrame({"a": flat[0], "b": flat[1]})
    differing = both[both["a"] != both["b"]].rename_axis("setting").reset_index()
    st.markdown("**Settings that differ**" if len(differing) else "Both runs have the same settings.")
    if len(differing):
        st.dataframe(differing, hide_index=True, alt="Settings that differ between the runs")


entry.through_app("pages/runs.py")
messages.opening("Runs", "Which run is better, and is it luck?")
made = listing()
if made.empty:
    messages.empty(
        "No run yet. Home builds the sample run; Train makes one of your own.", "pages/train.py", "Train"
    )
else:
    details, comparison = st.tabs(["The chosen run", "Compare two"])
    with details, messages.shown():
        one(str(session.get(session.RUN) or made["run"].iloc[0]))
    with comparison, messages.shown():
        against(made)
