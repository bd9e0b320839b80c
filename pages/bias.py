"""Bias: do order and popularity decide, and how sure are we?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from pages.shared import cached, entry, job_monitor, messages, pickers, session
from pages.shared.plain import unlinked
from rec_core import jobs
from rec_core.figures.decile_exposure import decile_exposure
from rec_core.figures.slot_curve import slot_curve
from rec_core.workbench import audits, lacking, probes_of

PROBES = {
    "position": (
        "Position",
        "Does the answer depend on where a candidate stands in the list, or on the order of the history?",
        "The same questions are asked again with the candidates in turned orders and the history shuffled.",
    ),
    "popularity": (
        "Popularity",
        "Are popular items recommended more often than the viewers' own taste would have it?",
        "Ten items are recommended to each user and compared with the user's own history, a random list, the "
        "most popular items and, where the system builds on one, the behaviour model alone.",
    ),
}
MEASURES = {
    "slot_range": "Best slot minus worst slot, in share of picks",
    "top1_flip_excess": "First choice changes when the order does, beyond an exact repeat",
    "score_change_excess": "P(like) changes when the history's order does, beyond an exact repeat",
    "auc_difference": "AUC with another order of the history, minus AUC as given",
    "log_popularity_difference": "Popularity of what is recommended, difference of logarithms",
    "popularity_change": "Popularity of what is recommended, minus that of the own histories (logarithms)",
    "popularity_change_gap": "That change, users of niche taste minus users of mainstream taste",
}
VERDICTS = {"evidence of effect": "orange", "not enough data": "gray"}
NUMBERS = {
    name: st.column_config.NumberColumn(format="%.4g") for name in ("value", "low", "high", "p_corrected")
}


def begin(run: str, probe: str) -> None:
    """Say what will run and what it costs, and start it."""
    _, question, how = PROBES[probe]
    st.markdown(f"**{question}**")
    st.caption(how)
    users = int(
        st.number_input("Test users asked", 10, 5000, 100, 10, key=f"users-{probe}", persist_state="session")
    )
    st.caption(
        f"{cost(run, probe, users)} More users make the intervals narrower: four times as many, half as wide."
    )
    name = f"audit-{probe}-{run}"

    def start() -> None:
        argv = ["audit", probe, run, "--users", str(users), "--json"]
        jobs.enqueue_command(session.workspace(), name, argv)

    state = job_monitor.state_of(name)
    if state not in job_monitor.LIVE and st.button(
        "Run the probe", key=f"run-{probe}", icon=":material/play_arrow:"
    ):
        start()
        st.rerun()
    if state not in ("absent", "done"):
        job_monitor.watch(name, f"{PROBES[probe][0]} probe", again=start)


def cost(run: str, probe: str, users: int) -> str:
    """Return in words how much the system has to do."""
    if lacking(run, "EvidenceScorer", workspace=session.workspace()):
        return f"{users:,} lists of ten. Seconds."
    if probe == "position":
        return f"About {users * 15:,} prompts: each user's question in several orders. Minutes on two cores."
    return f"About {users * 50:,} prompts: 50 unseen candidates for each user. Some minutes on two cores."


def outcome(run: str, probe: str) -> None:
    """Draw the newest kept audit of a probe."""
    kept = [found for found in audits(run, workspace=session.workspace()) if found["probe"] in (probe, "all")]
    if not kept:
        st.caption("Not measured yet.")
        return
    rows = cached.audit_rows(kept[0]["report"])
    rows = rows[rows["probe"] == probe]
    judged = rows[rows["verdict"].notna() & (rows["verdict"] != "")]
    for row in judged.to_dict("records"):
        verdict(row)
    drawing(probe, rows)
    with st.expander("Every number, with interval and n", icon=":material/table:"):
        st.dataframe(rows, hide_index=True, column_config=NUMBERS, alt=f"All rows of the {probe} probe")
        st.download_button(
            "Download", rows.to_csv(index=False), f"{probe}-{run}.csv", "text/csv", icon=":material/download:"
        )
    st.caption(f"Kept in {Path(kept[0]['report']).name}, seed {kept[0]['seed']}.")


def verdict(row: dict[str, Any]) -> None:
    """Draw one judged number."""
    with st.container(border=True):
        left, middle, right = st.columns([3, 2, 2], vertical_alignment="center")
        left.markdown(f"**{MEASURES.get(row['measure'], row['measure'])}**")
        left.caption(f"{row['group']}, n = {row['n']:,}")
        middle.metric("Value", f"{row['value']:.3g}", label_visibility="collapsed")
        known = row["low"] == row["low"]
        middle.caption(
            f"95 %: {row['low']:.3g} to {row['high']:.3g}" if known else "no interval: too few users"
        )
        colour = next((c for words, c in VERDICTS.items() if row["verdict"].startswith(words)), "green")
        right.badge(row["verdict"], color=colour)
        if row["p_corrected"] == row["p_corrected"] and row["p_corrected"] is not None:
            right.caption(f"p = {row['p_corrected']:.3g}, corrected")


def drawing(probe: str, rows: pd.DataFrame) -> None:
    """Draw the probe's own figure."""
    figure = slot_curve(rows) if probe == "position" else decile_exposure(rows)
    alt = {
        "position": "How often each slot of the candidate list is chosen, with intervals",
        "popularity": "Share of recommendations by popularity decile of the items",
    }[probe]
    st.plotly_chart(figure, key=f"figure-{probe}", alt=alt, config={"displaylogo": False})


entry.through_app("pages/bias.py")
messages.opening("Bias", "Do order and popularity decide what is recommended, and how sure are we?")
run = pickers.finished_run("Recommender")
why_not = probes_of(run, workspace=session.workspace())
st.caption(
    "Verdicts follow a rule fixed before the run: first whether the effect is too small to matter, then "
    "whether it is there after correction for several tests; otherwise there is not enough data."
)
able = [probe for probe in PROBES if not why_not[probe]]
for tab, probe in zip(st.tabs([PROBES[name][0] for name in able]), able, strict=True):
    with tab, messages.shown():
        begin(run, probe)
        outcome(run, probe)
for probe in (name for name in PROBES if why_not[name]):
    st.info(unlinked(f"{PROBES[probe][0]}: {why_not[probe]}"), icon=":material/info:")
