"""A dataset on disk: parquet for tables, JSON for facts, safetensors for planted arrays; never a pickle."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from rec_core.store import new_folder, read_json, read_tensors, write_json, write_table, write_tensors
from rec_core.types import Catalogue, Dataset, InputError, Interactions

_FACTS = (
    "name",
    "source",
    "licence",
    "content_hash",
    "like_threshold",
    "max_rating",
    "item_noun",
    "simulated",
    "has_time",
    "questions",
)
_BEFORE: dict[str, Any] = {"questions": "every_rating"}  # facts that older folders lack, as they were then
_ARRAY, _TABLE = "$array", "$table"


def save_dataset(dataset: Dataset, folder: Path) -> None:
    """Write the dataset into `folder`; one that is already there is replaced once the new one is complete.

    Args:
        dataset: what to keep. `truth` may hold JSON values, numpy arrays and DataFrames, in dicts and lists.
        folder: usually `workspace.dataset_path(dataset.name)`.

    Raises:
        InputError: `truth` holds something that no file format here can carry.
    """
    old = None
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".new-"))
    try:
        with new_folder(staging / "dataset") as fresh:
            _write(dataset, fresh)
        if folder.exists():
            old = folder.replace(staging / "old")
        (staging / "dataset").replace(folder)
    except BaseException:
        if old is not None and not folder.exists():
            old.replace(folder)
        raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def load_saved(folder: Path) -> Dataset:
    """Read what `save_dataset` wrote, exactly as it was.

    Raises:
        InputError: there is no dataset in the folder.
    """
    if not (folder / "dataset.json").is_file():
        raise InputError(
            f"There is no dataset in {folder}; import one first (`python -m rec_core data import --help`)."
        )
    facts = _BEFORE | read_json(folder / "dataset.json")
    rows = pd.read_parquet(folder / "interactions.parquet")
    interactions = Interactions(
        user_ids=_read_ids(folder / "user_ids.parquet"),
        item_ids=_read_ids(folder / "item_ids.parquet"),
        user_nums=rows["user_num"].to_numpy(np.int32),
        item_nums=rows["item_num"].to_numpy(np.int32),
        ratings=rows["rating"].to_numpy(np.float32),
        timestamps=rows["timestamp"].to_numpy(np.int64),
    )
    return Dataset(
        interactions=interactions,
        catalogue=Catalogue(pd.read_parquet(folder / "items.parquet")),
        users=pd.read_parquet(folder / "users.parquet"),
        notes=tuple(facts["notes"]),
        truth=cast(dict[str, Any], _unpack(facts["truth"], folder)),
        parts=rows["part"].to_numpy(np.int8) if "part" in rows.columns else None,
        **{name: facts[name] for name in _FACTS},
    )


def _write(dataset: Dataset, folder: Path) -> None:
    interactions = dataset.interactions
    rows = {
        "user_num": interactions.user_nums,
        "item_num": interactions.item_nums,
        "rating": interactions.ratings,
        "timestamp": interactions.timestamps,
        **({} if dataset.parts is None else {"part": dataset.parts}),
    }
    write_table(folder / "interactions.parquet", pd.DataFrame(rows))
    write_table(folder / "user_ids.parquet", pd.DataFrame({"id": interactions.user_ids.astype(object)}))
    write_table(folder / "item_ids.parquet", pd.DataFrame({"id": interactions.item_ids.astype(object)}))
    write_table(folder / "items.parquet", dataset.catalogue.table)
    write_table(folder / "users.parquet", dataset.users)
    arrays: dict[str, np.ndarray] = {}
    truth = _pack(dataset.truth, folder, "truth", arrays)
    if arrays:
        write_tensors(folder / "truth.safetensors", arrays)
    facts = {name: getattr(dataset, name) for name in _FACTS}
    write_json(folder / "dataset.json", {**facts, "notes": list(dataset.notes), "truth": truth})
    counts = {"users": interactions.n_users, "items": interactions.n_items, "interactions": len(interactions)}
    summary = {"source": dataset.source, "simulated": dataset.simulated, **counts}
    write_json(folder / "summary.json", summary)  # what a list of datasets shows, without reading them


def _read_ids(path: Path) -> np.ndarray:
    values = pd.read_parquet(path)["id"].to_numpy(dtype=object)
    return values.astype(str) if len(values) else np.empty(0, dtype="<U1")


def _pack(value: object, folder: Path, name: str, arrays: dict[str, np.ndarray]) -> object:
    """Return `value` as JSON; arrays and tables go into files of their own and leave their name behind."""
    if isinstance(value, dict):
        wrong = [key for key in value if not isinstance(key, str) or key in (_ARRAY, _TABLE)]
        if wrong:
            raise InputError(f"{name} has the key {wrong[0]!r}, which cannot be saved; use a plain string.")
        return {key: _pack(inner, folder, f"{name}.{key}", arrays) for key, inner in value.items()}
    if isinstance(value, list):
        return [_pack(inner, folder, f"{name}.{place}", arrays) for place, inner in enumerate(value)]
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        arrays[name] = value
        return {_ARRAY: name}
    if isinstance(value, np.ndarray) and value.dtype.kind == "U":
        return {_ARRAY: value.tolist()}
    if isinstance(value, pd.DataFrame):
        file = f"truth-table-{len(list(folder.glob('truth-table-*')))}.parquet"
        write_table(folder / file, value)
        return {_TABLE: file}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    kind = type(value).__name__
    raise InputError(f"{name} is a {kind}, which cannot be saved; use numbers, text, arrays or tables.")


def _unpack(value: object, folder: Path) -> object:
    if isinstance(value, list):
        return [_unpack(inner, folder) for inner in value]
    if not isinstance(value, dict):
        return value
    if _TABLE in value:
        return pd.read_parquet(folder / value[_TABLE])
    if _ARRAY in value:
        name = value[_ARRAY]
        return (
            read_tensors(folder / "truth.safetensors")[name]
            if isinstance(name, str)
            else np.array(name, dtype=str)
        )
    return {key: _unpack(inner, folder) for key, inner in value.items()}
