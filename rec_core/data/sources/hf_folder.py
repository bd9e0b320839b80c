"""A Hugging Face datasets folder: what `save_to_disk` writes (Arrow files), or a folder of parquet files.

Splits are folders (`train/data-00000-of-00001.arrow`) or the beginning of a file's name
(`data/train-00000-of-00002.parquet`). When there are several and all are called train, validation (valid,
val, dev) or test, the dataset comes cut; a single one is not cut. Only the columns that matter are read.

Columns: user_id, item_id and, where there are any, rating and timestamp (seconds or milliseconds since 1970,
an Arrow date or time, or ISO text, in UTC); a mapping says which of theirs is which. Rows are records; the
first is 1. Nothing of the folder is executed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pandas as pd

from rec_core.data.sources import arrow_files
from rec_core.data.sources.dataset_record import make_dataset
from rec_core.data.sources.event_log import EventLog
from rec_core.data.sources.file_set import open_files
from rec_core.data.sources.item_table import item_table, listed_items
from rec_core.data.sources.table import mapped, need
from rec_core.data.sources.table_file import TableFile, read_table_file
from rec_core.store import read_json
from rec_core.types import Catalogue, Dataset, InputError

SUFFIXES = (".arrow", ".parquet")
STATE = "state.json"
_COLUMNS = ("user_id", "item_id", "rating", "timestamp")
_PART_OF = {"train": 0, "validation": 1, "valid": 1, "val": 1, "dev": 1, "test": 2}


def load(
    path: Path,
    name: str = "datasets",
    items: Path | None = None,
    mapping: Mapping[str, str] | None = None,
    item_noun: str = "item",
) -> Dataset:
    """Read a folder of Arrow or parquet files.

    Args:
        path: the folder.
        name: what the dataset is called.
        items: a table of items (item_id, title, ...); None = the id stands for the title.
        mapping: our column -> theirs.
        item_noun: what prompts call an item.

    Raises:
        InputError: naming file, record and column of the first fault.
    """
    parts = _parts(path)
    tables = {"items": read_table_file(items)} if items is not None else {}
    tables = mapped({"interactions": _header(path, parts), **tables}, mapping or {})
    need(tables["interactions"], "user_id", "item_id")
    theirs = tables["interactions"].rows.iloc[0]
    columns = {ours: str(theirs[ours]) for ours in _COLUMNS if ours in theirs}
    log = EventLog(listed_items(tables.get("items")))
    for file, part in parts.items():
        _read(log, Path(path) / file, columns, part or 0)
    log.check_size(path)
    notes: list[str] = []
    return make_dataset(
        log,
        Catalogue(item_table(tables.get("items"), list(log.items), notes)),
        name=name,
        source=f"Imported from {Path(path).name} (datasets folder)",
        licence="Not stated by the files; ask where they come from.",
        item_noun=item_noun,
        has_ratings="rating" in columns,
        has_time="timestamp" in columns,
        is_cut=len(set(parts.values())) > 1,
        notes=tuple(notes),
    )


def _parts(path: Path) -> dict[str, int | None]:
    """Return the part of each data file (None: not named after a split), train first."""
    files = open_files(path)
    if files.kind != "folder":
        raise InputError(f"{path} is no folder; unpack it and give the folder, or the one table in it.")
    for state in files.named(STATE):
        if _has_index(Path(path) / state):
            raise InputError(f"{state} in {path} selects rows by an index; save it after flatten_indices().")
    found = [name for name in files.named(*SUFFIXES) if not PurePosixPath(name).name.startswith("cache-")]
    if not found:
        raise InputError(f"{path} holds no {' or '.join(SUFFIXES)} file; give the folder that has the data.")
    parts = {name: _part_of(name) for name in found}
    if None in parts.values() and len(set(parts.values())) > 1:
        odd = next(name for name in found if parts[name] is None)
        raise InputError(
            f"{path} holds splits and also {odd}, which is named after none; keep what belongs together."
        )
    return dict(sorted(parts.items(), key=lambda pair: (pair[1] or 0, pair[0])))


def _has_index(state: Path) -> bool:
    try:
        return bool(read_json(state).get("_indices_data_files"))
    except (ValueError, AttributeError):
        raise InputError(f"{state} is no JSON object; write the folder again.") from None


def _part_of(name: str) -> int | None:
    path = PurePosixPath(name)
    start = re.match(r"[a-z]+", path.name.lower())
    words = [*reversed(path.parts[:-1]), start.group() if start else ""]
    return next((_PART_OF[word.lower()] for word in words if word.lower() in _PART_OF), None)


def _header(path: Path, parts: Mapping[str, int | None]) -> TableFile:
    """Return the columns as a table of one row that repeats their names; all files must have them."""
    first, *others = parts
    names = arrow_files.column_names(Path(path) / first)
    for other in others:
        if set(arrow_files.column_names(Path(path) / other)) != set(names):
            raise InputError(f"{other} in {path} has other columns than {first}; keep files of one kind.")
    return TableFile(first, pd.DataFrame([names], columns=names), frozenset(), b"")


def _read(log: EventLog, path: Path, columns: Mapping[str, str], part: int) -> None:
    row = 1
    for batch in arrow_files.batches(path, list(dict.fromkeys(columns.values()))):
        found = {ours: batch.column(theirs) for ours, theirs in columns.items()}
        users, items = (
            arrow_files.ids(found[column], path.name, columns[column], row) for column in _COLUMNS[:2]
        )
        ratings = seconds = None
        if "rating" in found:
            ratings = arrow_files.ratings(found["rating"], path.name, columns["rating"], row)
        if "timestamp" in found:
            seconds = arrow_files.seconds(found["timestamp"], path.name, columns["timestamp"], row)
        log.add_block(users, items, ratings, seconds, part)
        row += batch.num_rows
