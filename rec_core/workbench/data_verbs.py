"""Verbs on datasets: list, load, import, describe, preview a split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rec_core.data.ctr import make_ctr_samples
from rec_core.data.filters import core_of
from rec_core.data.given_split import given_parts
from rec_core.data.sources import SOURCES, load_source
from rec_core.data.sources.files import load_files
from rec_core.data.sources.table_file import read_table_file
from rec_core.data.splits import global_time, in_rows, leak_checks, leave_one_out, per_user_ratio
from rec_core.data.statistics import describe as describe_dataset
from rec_core.data.storage import load_saved, save_dataset
from rec_core.store import Workspace, check_name, read_json
from rec_core.types import Dataset, InputError, Progress, ignore_progress


def datasets(*, workspace: Workspace | None = None) -> pd.DataFrame:
    """Return one row per dataset that is here or can be had: name, source, imported, simulated and counts."""
    space = workspace or Workspace.from_environment()
    here = space.names("datasets")
    rows = []
    for name in dict.fromkeys([*SOURCES, *here]):
        summary = space.dataset_path(name) / "summary.json"
        facts = read_json(summary) if summary.exists() else {}
        rows.append(
            {"name": name, "source": facts.get("source", ""), "imported": name in here, **_counts(facts)}
        )
    return pd.DataFrame(rows)


def load_dataset(
    name: str, progress: Progress = ignore_progress, *, workspace: Workspace | None = None
) -> Dataset:
    """Return a dataset of the workspace; a built-in source is read (or downloaded) at first use and kept.

    Raises:
        InputError: nothing of that name is here or built in.
    """
    space = workspace or Workspace.from_environment()
    folder = space.dataset_path(name)
    if folder.is_dir():
        return load_saved(folder)
    if name not in SOURCES:
        known = ", ".join(dict.fromkeys([*SOURCES, *space.names("datasets")]))
        raise InputError(
            f"There is no dataset {name!r}; known are: {known}. `data import` adds a table of your own."
        )
    dataset = load_source(name, progress)
    if not space.read_only:
        _keep(space, dataset)
    return dataset


def import_table(
    file: Path,
    name: str,
    items: Path | None = None,
    users: Path | None = None,
    mapping: dict[str, str] | None = None,
    format: str | None = None,
    *,
    workspace: Workspace | None = None,
) -> dict[str, Any]:
    """Read interactions (and items and users) and keep them as a dataset, or nothing on an error.

    Args:
        file: a table, or a file, folder or zip of another format.
        name: what the dataset is called here.
        items: item texts.
        users: user attributes.
        mapping: our column -> theirs.
        format: one of `data.sources.files.FORMATS`; None = what the files look like.
        workspace: where datasets live.

    Raises:
        InputError: naming file, row and column of the first problem.
    """
    space = workspace or Workspace.from_environment()
    space.check_writable()
    _refuse_taken(space, name)
    dataset = load_files(file, format, name, items, users, mapping)
    _keep(space, dataset)
    facts = describe_dataset(dataset)
    return {key: facts[key] for key in ("dataset", "users", "items", "interactions", "density", "notes")}


def filter_dataset(
    name: str, new_name: str, user_core: int = 5, item_core: int = 5, *, workspace: Workspace | None = None
) -> dict[str, Any]:
    """Keep the k-core of a dataset under a new name, and return what was kept and dropped.

    Raises:
        InputError: nothing is left, or the new name is taken.
    """
    space = workspace or Workspace.from_environment()
    space.check_writable()
    _refuse_taken(space, new_name)
    whole = load_dataset(name, workspace=space)
    part = core_of(whole, user_core, item_core, new_name)
    _keep(space, part)
    before, after = whole.interactions, part.interactions
    return {
        "dataset": new_name,
        "of": name,
        "kept": {"users": after.n_users, "items": after.n_items, "interactions": len(after)},
        "dropped": {
            "users": before.n_users - after.n_users,
            "items": before.n_items - after.n_items,
            "interactions": len(before) - len(after),
        },
    }


def preview_table(file: Path, n_rows: int = 8) -> pd.DataFrame:
    """Return the first rows of a table file as the importer reads them, all as text.

    Raises:
        InputError: the file cannot be read, in the importer's own sentence.
    """
    return read_table_file(file).rows.head(n_rows)


def describe(
    name: str, progress: Progress = ignore_progress, *, workspace: Workspace | None = None
) -> dict[str, Any]:
    """Return what is in a dataset, JSON-able."""
    return describe_dataset(load_dataset(name, progress, workspace=workspace))


def split_preview(
    name: str,
    kind: str = "global_time",
    min_history: int = 5,
    progress: Progress = ignore_progress,
    *,
    workspace: Workspace | None = None,
) -> dict[str, Any]:
    """Return sizes of the parts of a split and its leak checks.

    Args:
        name: dataset.
        kind: "global_time" (like questions, 80 / 10 / 10 by time), "leave_one_out", "per_user" (80 / 10 / 10
            of each user's rows at random, seed 0) or "given" (the parts a source comes cut into).
        min_history: earlier items a like question needs.
        progress: hears about a download.
        workspace: where datasets live.

    Raises:
        InputError: unknown kind, or the source does not come cut.
    """
    dataset = load_dataset(name, progress, workspace=workspace)
    interactions = dataset.interactions
    if kind == "global_time":
        samples = make_ctr_samples(interactions, dataset.like_threshold, min_history)
        split = in_rows(global_time(len(samples)), samples.rows)
    elif kind == "leave_one_out":
        split = leave_one_out(interactions)
    elif kind == "per_user":
        split = per_user_ratio(interactions, seed=0)
    elif kind == "given":
        split = given_parts(dataset)
    else:
        raise InputError(f"There is no split {kind!r}; choose global_time, leave_one_out, per_user or given.")
    parts = {
        part: {
            "rows": len(rows),
            "users": int(len(np.unique(interactions.user_nums[rows]))),
            "items": int(len(np.unique(interactions.item_nums[rows]))),
        }
        for part, rows in (("train", split.train), ("valid", split.valid), ("test", split.test))
    }
    kept = sum(part["rows"] for part in parts.values())
    return {
        "dataset": name,
        "kind": kind,
        "parts": parts,
        "kept": kept,
        "dropped": len(interactions) - kept,
        "leaks": leak_checks(interactions, split, dataset.has_time),
    }


def _refuse_taken(space: Workspace, name: str) -> None:
    if check_name(name, "dataset") in SOURCES or space.dataset_path(name).exists():
        raise InputError(f"There is a dataset {name!r} already, which runs may need; choose another name.")


def _keep(space: Workspace, dataset: Dataset) -> None:
    save_dataset(dataset, space.dataset_path(dataset.name))


def _counts(facts: dict[str, Any]) -> dict[str, Any]:
    return {key: facts.get(key) for key in ("simulated", "users", "items", "interactions")}
