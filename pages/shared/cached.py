"""The only caches of the app. Every argument is an id, a stamp or a number; what it names is loaded inside.

Streamlit hashes large arguments by a sample, so data, tensors and models are never arguments here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from rec_core.store import Workspace

_FEW, _SOME, _MANY = 8, 64, 512


def _space(root: str) -> Workspace:
    return Workspace(Path(root), read_only=Workspace.from_environment().read_only)


def stamp(space: Workspace, dataset: str) -> int:
    """Return what changes when a dataset is imported again; 0 when it is not here."""
    file = space.dataset_path(dataset) / "summary.json"
    return file.stat().st_mtime_ns if file.exists() else 0


@st.cache_data(max_entries=_FEW, show_spinner="Counting")
def description(root: str, dataset: str, stamp: int) -> dict[str, Any]:
    """Return what is in a dataset."""
    from rec_core.workbench import describe

    return describe(dataset, workspace=_space(root))


@st.cache_data(max_entries=_FEW, show_spinner="Splitting")
def split(root: str, dataset: str, stamp: int, kind: str, min_history: int) -> dict[str, Any]:
    """Return the parts of a split and its leak checks."""
    from rec_core.workbench import split_preview

    return split_preview(dataset, kind, min_history, workspace=_space(root))


@st.cache_data(max_entries=_FEW, show_spinner="Reading titles")
def titles(root: str, dataset: str, stamp: int) -> dict[str, str]:
    """Return the title of every item id, with its year; equal ones are told apart by their id."""
    from rec_core.workbench import load_dataset

    items = load_dataset(dataset, workspace=_space(root)).catalogue.table
    named = [
        title if pd.isna(year) or title.endswith(")") else f"{title} ({year})"
        for title, year in zip(items["title"].astype(str), items["year"], strict=True)
    ]
    twice = pd.Series(named).duplicated(keep=False)
    ids = items["item_id"].astype(str)
    return {
        one: f"{name} [{one}]" if again else name for one, name, again in zip(ids, named, twice, strict=True)
    }


@st.cache_data(max_entries=_FEW, show_spinner="Reading the items")
def items(root: str, dataset: str, stamp: int) -> pd.DataFrame:
    """Return the first thousand rows of the catalogue."""
    from rec_core.workbench import load_dataset

    return load_dataset(dataset, workspace=_space(root)).catalogue.table.head(1000)


@st.cache_data(max_entries=_FEW, show_spinner="Loading the run")
def agreement(root: str, run: str) -> dict[str, Any]:
    """Return how far the views of a run agree."""
    from rec_core.workbench import agreement as verb

    return verb(run, workspace=_space(root))


@st.cache_data(max_entries=_SOME, show_spinner="Loading the run")
def views(root: str, run: str) -> list[str]:
    """Return the views of a run."""
    from rec_core.workbench import views as verb

    return verb(run, workspace=_space(root))


@st.cache_data(max_entries=_SOME, show_spinner="Looking for the best and the worst")
def best_and_worst(root: str, run: str, metric: str, finished: str) -> dict[str, Any]:
    """Return the test users a run served best and worst; `finished` names when it ended."""
    from rec_core.workbench import users_of_run

    return users_of_run(run, metric, workspace=_space(root))


def has_map(root: str, run: str, view: str, method: str) -> bool:
    """Tell whether a map is made already (asked anew each time: a job may just have made it)."""
    from rec_core.workbench import is_projected

    return is_projected(run, view, method, workspace=_space(root))


@st.cache_data(max_entries=_SOME, show_spinner="Reading the map")
def item_map(root: str, run: str, view: str, method: str) -> pd.DataFrame:
    """Return a map of one view."""
    from rec_core.workbench import project

    return project(run, view, method, workspace=_space(root))


@st.cache_data(max_entries=_MANY, show_spinner=False)
def neighbours(root: str, run: str, view: str, item: str, k: int) -> pd.DataFrame:
    """Return the nearest items in a view's own space."""
    from rec_core.workbench import neighbours as verb

    return verb(run, view, item, k, workspace=_space(root))


@st.cache_data(max_entries=_FEW, show_spinner="Loading the run")
def users(root: str, run: str) -> list[str]:
    """Return the users of a run."""
    from rec_core.workbench import users as verb

    return verb(run, workspace=_space(root))


@st.cache_data(max_entries=_MANY, show_spinner=False)
def history(root: str, run: str, user: str) -> pd.DataFrame:
    """Return a user's history, oldest first."""
    from rec_core.workbench import user_history

    return user_history(run, user, workspace=_space(root))


@st.cache_data(max_entries=_MANY, show_spinner="Asking the language model")
def evidence(
    root: str, run: str, user: str, item: str, alpha: float, beta: float, top_k: int, order: str
) -> dict[str, Any]:
    """Return both channels, the merged evidence and the prompt of one target."""
    from rec_core.workbench import rerank

    return rerank(run, user, item, alpha, beta, top_k, order, workspace=_space(root))


@st.cache_data(max_entries=_SOME, show_spinner="Measuring every alpha and beta")
def surface(root: str, run: str) -> pd.DataFrame:
    """Return what alpha and beta do over a grid."""
    from rec_core.workbench import surface as verb

    return verb(run, workspace=_space(root))


def auc_surface(root: str, run: str) -> pd.DataFrame | None:
    """Return the AUC over the grid where it was measured; read anew, since a worker may just have done so."""
    from rec_core.workbench import known_auc_surface

    return known_auc_surface(run, workspace=_space(root))


@st.cache_data(max_entries=_SOME, show_spinner="Asking the model")
def recommendations(
    root: str, run: str, user: str | None, composed: tuple[tuple[str, float], ...], top_k: int
) -> dict[str, Any]:
    """Return recommendations for a user, or for a composed history when there is no user."""
    from rec_core.workbench import recommend

    pairs = None if user else composed
    return recommend(run, user, pairs, top_k, workspace=_space(root))


@st.cache_data(max_entries=_SOME, show_spinner="Removing one history item at a time")
def explanation(
    root: str, run: str, user: str | None, composed: tuple[tuple[str, float], ...], item: str
) -> dict[str, Any]:
    """Return why one item was recommended to a viewer, or for a composed history when there is none."""
    from rec_core.workbench import explain

    return explain(run, user, item, None if user else composed, workspace=_space(root))


@st.cache_data(max_entries=_SOME, show_spinner="Comparing, row by row")
def compared(root: str, run_a: str, run_b: str, finished: str) -> dict[str, Any]:
    """Return paired differences of two runs; `finished` names when both ended."""
    from rec_core.workbench import compare

    return compare(run_a, run_b, workspace=_space(root))


@st.cache_data(max_entries=_FEW, show_spinner="Looking at this machine", ttl=60)
def doctor(root: str) -> list[dict[str, Any]]:
    """Return the checks of this machine and workspace, at most a minute old."""
    from rec_core.workbench import doctor as verb

    return verb(workspace=_space(root))


@st.cache_data(max_entries=_SOME, show_spinner=False)
def audit_rows(report: str) -> pd.DataFrame:
    """Return the rows of a kept audit; its folder is named by its content."""
    return pd.read_parquet(Path(report) / "rows.parquet")
