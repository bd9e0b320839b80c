"""Verbs on datasets: list, load, import, describe, preview a split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rec_core.data.ctr import make_ctr_samples, rows_around
from rec_core.data.filters import RECIPES, FilterConfig, filtered
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
    name: str,
    new_name: str,
    user_core: int | None = None,
    item_core: int | None = None,
    *,
    user_limit: int | None = None,
    item_limit: int | None = None,
    top_items: int | None = None,
    genre_depth: int | None = None,
    recipe: str | None = None,
    workspace: Workspace | None = None,
) -> dict[str, Any]:
    """Keep the part of a dataset with enough rows under a new name, and return what was kept and dropped.

    Args:
        name: the whole.
        new_name: what the part is called.
        user_core: rows a user must keep; this and what follows replace what the recipe says, see
            `data.filters.FilterConfig`.
        item_core: rows an item must keep.
        user_limit: rows a user may keep at most, 0 for any number.
        item_limit: rows an item may keep at most, 0 for any number.
        top_items: how many items stay, those with most rows; 0 for all.
        genre_depth: keep items of exactly so many genres, and of these the last; 0 for all items.
        recipe: a published filter, one of `data.filters.RECIPES`; None = 5 rows per user and per item.
        workspace: where datasets live.

    Raises:
        InputError: nothing is left, the new name is taken, there is no such recipe, or a number is no use.
    """
    values = {
        "user_core": user_core,
        "item_core": item_core,
        "user_limit": user_limit,
        "item_limit": item_limit,
        "top_items": top_items,
        "genre_depth": genre_depth,
    }
    config = _recipe(recipe).with_values({k: value for k, value in values.items() if value is not None})
    space = workspace or Workspace.from_environment()
    space.check_writable()
    _refuse_taken(space, new_name)
    whole = load_dataset(name, workspace=space)
    part = filtered(whole, config, new_name)
    _keep(space, part)
    before, after = whole.interactions, part.interactions
    return {
        "dataset": new_name,
        "of": name,
        "filter": config.in_words(),
        "kept": {"users": after.n_users, "items": after.n_items, "interactions": len(after)},
        "dropped": {
            "users": before.n_users - after.n_users,
            "items": before.n_items - after.n_items,
            "interactions": len(before) - len(after),
        },
    }


def filter_recipes() -> dict[str, str]:
    """Return what each published filter keeps, by the name `filter_dataset` knows it by."""
    return {name: config.in_words() for name, config in RECIPES.items()}


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
        kind: "global_time" (like questions, 80 / 10 / 10 by time, or by user at random where the dataset asks
            once per user), "leave_one_out", "per_user" (80 / 10 / 10
            of each user's rows at random, seed 0) or "given" (the parts a source comes cut into).
        min_history: earlier items a like question needs.
        progress: hears about a download.
        workspace: where datasets live.

    Raises:
        InputError: unknown kind, or the source does not come cut.
    """
    dataset = load_dataset(name, progress, workspace=workspace)
    interactions = dataset.interactions
    learned = None
    if kind == "global_time":
        samples = make_ctr_samples(interactions, dataset.like_threshold, min_history, dataset.questions)
        of_samples = global_time(len(samples))
        split = in_rows(of_samples, samples.rows)
        if dataset.questions == "last_of_user":
            learned = rows_around(samples, of_samples, len(interactions), dataset.questions)[0]
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
        "leaks": leak_checks(interactions, split, dataset.has_time, learned),
    }


def _recipe(name: str | None) -> FilterConfig:
    if name is None:
        return FilterConfig(user_core=5, item_core=5)
    if name not in RECIPES:
        raise InputError(f"There is no filter recipe {name!r}; choose {' or '.join(RECIPES)}.")
    return RECIPES[name]


def _refuse_taken(space: Workspace, name: str) -> None:
    if check_name(name, "dataset") in SOURCES or space.dataset_path(name).exists():
        raise InputError(f"There is a dataset {name!r} already, which runs may need; choose another name.")


def _keep(space: Workspace, dataset: Dataset) -> None:
    save_dataset(dataset, space.dataset_path(dataset.name))


def _counts(facts: dict[str, Any]) -> dict[str, Any]:
    return {key: facts.get(key) for key in ("simulated", "users", "items", "interactions")}
