"""The choices that several pages share: dataset and run in the sidebar, a finished run, a viewer, an item."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pages.shared import cached, messages, session
from pages.shared.plain import plain
from rec_core import jobs

_OFFERED = 5  # runs that a page offers when the chosen one cannot serve it


def sidebar() -> None:
    """Draw the shared sidebar."""
    from rec_core.workbench import datasets, runs

    space = session.workspace()
    known, made = datasets(workspace=space), runs(workspace=space)
    with st.sidebar:
        here = known[known["imported"]]["name"].tolist() or known["name"].tolist()[:1]
        st.selectbox(
            "Dataset", here, key=session.DATASET, bind="query-params", help="What Data and Train work on."
        )
        finished_first = made.sort_values("state", key=lambda state: state != "done", kind="stable")
        st.selectbox(
            "Run",
            finished_first["run"].tolist(),
            key=session.RUN,
            bind="query-params",
            placeholder="No run yet",
            help="What every page under Look inside shows.",
        )
        _facts_of_run(made)
        if at_work():
            st.badge(f"{at_work()} at work", icon=":material/progress_activity:", color="orange")
        st.caption(
            f"Workspace: {space.root.name}{' (read-only)' if space.read_only else ''}", help=str(space.root)
        )
    session.tell_now()


def at_work() -> int:
    """Return how many workers are at work; a job that trains a run is one worker, though both are live."""
    return len({job.status.get("pid") for job in jobs.active(session.workspace())})


def _facts_of_run(made: pd.DataFrame) -> None:
    row = made[made["run"] == session.get(session.RUN)]
    if len(row):
        facts = row.iloc[0]
        title = f"{plain(facts['title'])}: " if facts["title"] else ""
        st.caption(
            f"{title}{facts['system']} on {facts['dataset']}, {facts['preset']} preset, {facts['state']}"
        )


def dataset_here() -> str:
    """Return the chosen dataset; when it has not been read yet, say so and stop the page."""
    name = session.get(session.DATASET)
    if not name or not cached.stamp(session.workspace(), name):
        messages.empty(
            "No dataset is here yet. Home builds the sample; Data fetches or takes one.",
            "pages/data.py",
            "Data",
        )
        st.stop()
    return str(name)


def finished_run(*capabilities: str) -> str:
    """Return the chosen run when it is done and has the capabilities; else say what to do and stop."""
    run = session.get(session.RUN)
    if not run:
        messages.empty(
            "There is no run to look into yet. Home builds the sample run; Train makes one of your own.",
            "pages/home.py",
            "See how far the sample is",
        )
        st.stop()
    state = jobs.state(session.workspace(), run)
    if state != "done":
        messages.empty(
            f"This run is {state}, so there is nothing to look into yet.",
            "pages/train.py",
            "Watch it on Train",
        )
        st.stop()
    if capabilities:
        _stop_unless(str(run), capabilities)
    return str(run)


def _stop_unless(run: str, capabilities: tuple[str, ...]) -> None:
    """Stop the page of a run that lacks a capability, and offer the runs that have it."""
    from rec_core.workbench import lacking, runs_with

    space = session.workspace()
    sentence = lacking(run, *capabilities, workspace=space)
    if not sentence:
        return
    st.info(sentence, icon=":material/info:")
    able = runs_with(*capabilities, workspace=space)
    if not able:
        st.page_link("pages/train.py", label="Train one", icon=":material/arrow_forward:")
        st.stop()
    for other in able[:_OFFERED]:
        st.button(
            f"Open {plain(other)}", on_click=session.put, args=(session.RUN, other), key=f"open-{other}"
        )
    st.stop()


def dataset_of(run: str) -> str:
    """Return the dataset a run was trained on."""
    from rec_core.workbench import show_run

    return str(show_run(run, workspace=session.workspace())["dataset"])


def titles_of(run: str) -> dict[str, str]:
    """Return the titles a run's items have."""
    name = dataset_of(run)
    return cached.titles(session.root(), name, cached.stamp(session.workspace(), name))


def max_rating(run: str) -> float:
    """Return the highest rating the run's dataset knows."""
    name = dataset_of(run)
    facts = cached.description(session.root(), name, cached.stamp(session.workspace(), name))
    return float(facts["max_rating"])


def reranker(run: str) -> dict[str, Any]:
    """Return the run's own settings of equation 8."""
    from rec_core.workbench import show_run

    settings: dict[str, Any] = show_run(run, workspace=session.workspace())["config"]["reranker"]
    return settings


def viewer(run: str) -> str:
    """Let a viewer be picked."""
    names = cached.users(session.root(), run)
    return str(
        st.selectbox(
            "Viewer", names, key=session.USER, bind="query-params", help="Most recently active first."
        )
    )


def item(titles: dict[str, str], first: str | None = None, label: str = "Film or item") -> str | None:
    """Let an item be picked by its title; `first` is chosen at the start, None starts with nothing chosen."""
    ids = list(titles)
    return st.selectbox(
        label,
        ids,
        index=ids.index(first) if first in titles else None,
        key=session.ITEM,
        bind="query-params",
        format_func=lambda one: titles.get(one, one),
        filter_mode="contains",
        placeholder="Type a title",
    )
