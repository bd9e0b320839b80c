"""Home: where am I, and what is ready?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.shared import cached, entry, job_monitor, messages, pickers, session
from pages.shared.plain import unlinked
from rec_core import jobs
from rec_core.types import InputError
from rec_core.workbench import datasets, runs, sample_run

JOB = "sample-build"
SLOW_POLL_SECONDS = 6


def build() -> None:
    """Start the sample build as a detached job."""
    jobs.start_command(session.workspace(), JOB, ["sample", "build", "--json"])


def sample() -> str:
    """Draw how far the sample is; on a fresh workspace, start building it. Return the job's state."""
    space = session.workspace()
    run = sample_run(workspace=space)
    ready = run is not None and jobs.state(space, run) == "done"
    state = job_monitor.state_of(JOB)
    if ready and state not in job_monitor.LIVE:
        return state
    if state == "absent" and not space.read_only:
        try:
            build()
        except InputError as error:  # another window was faster
            st.caption(unlinked(str(error)))
    st.subheader("Getting the sample ready", anchor=False)
    st.write(
        "A catalogue of real films with simulated viewers, and a small RALLRec trained on it: about two "
        "minutes on two cores, once. It goes on when this window is closed. Data and Train work already."
    )
    return job_monitor.watch(JOB, "Sample dataset and run", again=build)


def ready(known: pd.DataFrame, made: pd.DataFrame) -> None:
    """Draw the counts and the ways on."""
    here, done = known[known["imported"]], made[made["state"] == "done"]
    for column, (label, value) in zip(
        st.columns(3),
        [("Datasets here", len(here)), ("Finished runs", len(done)), ("Workers at work", pickers.at_work())],
        strict=True,
    ):
        column.metric(label, value, border=True)
    if len(done):
        st.subheader("Look inside", anchor=False)
        ways = [
            (
                "embeddings",
                "Embeddings",
                ":material/scatter_plot:",
                "Do behaviour and words agree about the items?",
            ),
            ("rerank", "Rerank", ":material/swap_vert:", "What do alpha and beta do to the evidence?"),
            (
                "recommend",
                "Recommend",
                ":material/recommend:",
                "Why this one, and what if I had not seen that?",
            ),
            ("bias", "Bias", ":material/balance:", "Do order and popularity decide, and how sure are we?"),
        ]
        for column, (page, label, icon, question) in zip(st.columns(4), ways, strict=True):
            with column.container(border=True, height="stretch"):
                st.page_link(f"pages/{page}.py", label=f"**{label}**", icon=icon)
                st.caption(question)


def newest(known: pd.DataFrame, made: pd.DataFrame) -> None:
    """Draw the tables of runs and datasets."""
    left, right = st.columns(2)
    with left:
        st.subheader("Newest runs", anchor=False)
        if made.empty:
            st.caption("None yet: the sample's comes first.")
        else:
            st.dataframe(
                made.head(6)[["run", "state", "metric", "value"]],
                hide_index=True,
                alt="The newest runs with their state",
                column_config={
                    "metric": st.column_config.TextColumn("test metric"),
                    "value": st.column_config.NumberColumn(format="%.3f"),
                },
            )
    with right:
        st.subheader("Datasets", anchor=False)
        columns = ["name", "imported", "simulated", "users", "items", "interactions"]
        st.dataframe(known[columns], hide_index=True, placeholder="", alt="The datasets here and to be had")


def overview() -> None:
    """Draw what is here; drawn again now and then while the sample is built."""
    known, made = datasets(workspace=session.workspace()), runs(workspace=session.workspace())
    ready(known, made)
    newest(known, made)


def machine() -> None:
    """Draw what the doctor finds, when asked: it loads the heavy packages to see their state."""
    if st.toggle("Check this machine", key="home-doctor"):
        checks = pd.DataFrame(cached.doctor(session.root()))
        st.dataframe(
            checks, hide_index=True, alt="Checks of this machine: what, whether it is well, how to mend it"
        )


entry.through_app("pages/home.py")
messages.opening(
    "Recommendation as a language",
    "Three scripts of one catalogue: what behaviour says, what words say, and both aligned. "
    "Look into everything a language model recommends from them.",
)
live = sample() in job_monitor.LIVE
st.fragment(overview, run_every=SLOW_POLL_SECONDS if live else None)()
machine()
