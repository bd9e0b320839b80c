"""A person's own tables: interactions, optionally items and users, checked before anything is kept.

Columns: interactions user_id, item_id [rating, timestamp]; items item_id, title [year, genres "Drama|War",
description, ...]; users user_id [gender, age_group, occupation, ...]. Other columns are kept as text. Every
complaint is one sentence with the file, the row as an editor counts it (the header is row 1), the column and
what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd

from rec_core.data.interactions import make_interactions
from rec_core.data.sources.dataset_record import absence_notes
from rec_core.data.sources.event_log import check_size
from rec_core.data.sources.rating_scale import rating_scale
from rec_core.data.sources.table_file import TableFile, read_table_file
from rec_core.data.vocab import Vocab
from rec_core.store import check_name, content_hash
from rec_core.types import Catalogue, Dataset, InputError

_LATEST_SECOND = 100_000_000_000  # the year 5138: larger numbers are milliseconds
_ONLY_IN = {  # our columns that mean something in one kind of file only; item_id and user_id link two kinds
    "interactions": ("user_id", "item_id", "rating", "timestamp"),
    "items": ("item_id", "title", "year", "genres", "description"),
    "users": ("user_id",),
}


def load_table(
    file: Path,
    items: Path | None = None,
    users: Path | None = None,
    name: str = "table",
    mapping: Mapping[str, str] | None = None,
    like_threshold: float | None = None,
    item_noun: str = "item",
) -> Dataset:
    """Read a dataset from files; nothing is written, and a fault anywhere means no dataset at all.

    Without a rating column every rating is NaN; without a timestamp column the order of the rows is their
    time. Items without an interaction stay in the catalogue, users without one are dropped; users that the
    users file does not list have empty attributes.

    Args:
        file: interactions as CSV, TSV, parquet, RecBole atomic file, or a zip that holds one of them.
        items: item texts in any of these formats; None = the id stands for the title.
        users: user attributes; None = none.
        name: what the dataset will be called.
        mapping: our column -> the file's column, applied in every file that has it.
        like_threshold: a rating above it is a like. None = 3 when the largest rating is at most 5 (0.5 when
            it is at most 1), else 0.6 of the largest rating.
        item_noun: what prompts call an item.

    Returns:
        A dataset whose `max_rating` is the largest rating found (at least 5 unless all are at most 1).

    Raises:
        InputError: the first fault found.
    """
    check_name(name, "dataset")
    tables = _read_tables(file, items, users, mapping or {})
    log = tables["interactions"]
    ratings, timestamps = _ratings(log), _timestamps(log)
    notes: list[str] = []
    user_ids, item_ids = _ids(log, "user_id"), _ids(log, "item_id")
    catalogue = _catalogue(tables.get("items"), log, item_ids, notes)
    user_vocab, item_vocab = Vocab.from_values(user_ids), Vocab(catalogue["item_id"].to_numpy(dtype=str))
    user_rows = user_table(tables.get("users"), user_vocab, notes)
    check_size(len(log.rows), log.name)
    max_rating, threshold = rating_scale(ratings, like_threshold)
    return Dataset(
        name=name,
        interactions=make_interactions(user_ids, item_ids, ratings, timestamps, user_vocab, item_vocab),
        catalogue=Catalogue(catalogue),
        users=user_rows,
        source=f"Imported from {', '.join(table.name for table in tables.values())}",
        licence="Not stated by the files; ask where they come from.",
        content_hash=content_hash(*(table.data for table in tables.values()), dict(mapping or {}), threshold),
        like_threshold=threshold,
        max_rating=max_rating,
        item_noun=item_noun,
        has_time=timestamps is not None,
        notes=(*notes, *absence_notes(ratings is not None, timestamps is not None)),
    )


def _read_tables(
    file: Path, items: Path | None, users: Path | None, mapping: Mapping[str, str]
) -> dict[str, TableFile]:
    """Return the tables that there are, "interactions" first, under our column names."""
    paths = {"interactions": file, "items": items, "users": users}
    tables = {kind: read_table_file(path) for kind, path in paths.items() if path is not None}
    tables = mapped(tables, mapping)
    need(tables["interactions"], "user_id", "item_id")
    return tables


def mapped(tables: dict[str, TableFile], mapping: Mapping[str, str]) -> dict[str, TableFile]:
    """Rename columns: a mapped one takes the place of a column that has our name already.

    Raises:
        InputError: a column that is mapped is in none of the tables.
    """
    for ours, theirs in mapping.items():
        if not any(theirs in table.rows.columns for table in tables.values()):
            known = "; ".join(f"{table.name} has {table.columns}" for table in tables.values())
            raise InputError(
                f"No file has the column {theirs!r} mapped to {ours!r}: {known}; correct the mapping."
            )
    renamed = {}
    for kind, table in tables.items():
        elsewhere = {column for other in _ONLY_IN.values() for column in other} - set(_ONLY_IN[kind])
        present = set(table.rows.columns)
        pairs = {
            ours: theirs for ours, theirs in mapping.items() if theirs in present and ours not in elsewhere
        }
        rest = table.rows.drop(columns=list(present & {*pairs, *pairs.values()}))
        added = pd.DataFrame({ours: table.rows[theirs] for ours, theirs in pairs.items()}, index=rest.index)
        sequences = {ours for ours, theirs in pairs.items() if theirs in table.sequences}
        sequences |= table.sequences & set(rest.columns)
        rows = pd.concat([added, rest], axis=1)
        renamed[kind] = TableFile(table.name, rows, frozenset(sequences), table.data)
    return renamed


def need(table: TableFile, *columns: str) -> None:
    """Refuse a table without a column.

    Raises:
        InputError: naming the first that is missing.
    """
    for column in columns:
        if column not in table.rows.columns:
            raise InputError(
                f"{table.name}, row 1: there is no column {column!r} among {table.columns}; rename one, or "
                f"map it ({column}=THEIR_COLUMN)."
            )


def _fault(table: TableFile, bad: np.ndarray, column: str, mend: str) -> NoReturn:
    """Raise for the first bad row: "file, row 17, column 'rating': 'abc' ..."."""
    position = int(np.flatnonzero(bad)[0])
    value, row = table.rows[column].iloc[position], table.rows.index[position]
    shown = repr(value if len(value) <= 40 else value[:37] + "...") if value else "an empty cell"
    raise InputError(f"{table.name}, row {row}, column {column!r}: {shown} {mend}.")


def _ids(table: TableFile, column: str) -> np.ndarray:
    """Return a column of identifiers, none of which may be empty."""
    ids = table.rows[column].to_numpy(dtype=object)
    empty = ids == ""
    if empty.any():
        _fault(table, empty, column, "is no id; fill it in or delete the row")
    return ids.astype(str)


def unique_ids(table: TableFile, column: str) -> np.ndarray:
    """Return a column of identifiers, none of which may be empty or come twice.

    Raises:
        InputError: naming the first that is or does.
    """
    ids = _ids(table, column)
    again = pd.Series(ids).duplicated().to_numpy()
    if again.any():
        position = int(np.flatnonzero(again)[0])
        before = table.rows.index[int(np.flatnonzero(ids == ids[position])[0])]
        _fault(table, again, column, f"was listed in row {before} already; keep one row per id")
    return ids


def _ratings(table: TableFile) -> np.ndarray | None:
    if "rating" not in table.rows.columns:
        return None
    numbers = pd.to_numeric(table.rows["rating"], errors="coerce").to_numpy(float)
    bad = ~((numbers >= 0) & (numbers < 1e9))  # also true for NaN
    if bad.any():
        _fault(
            table,
            bad,
            "rating",
            "is not a rating; write a number of at least 0 such as 3.5, or delete the row",
        )
    return numbers


def _timestamps(table: TableFile) -> np.ndarray | None:
    """Return whole seconds since 1970; text that is no number must be an ISO date, without a zone in UTC."""
    if "timestamp" not in table.rows.columns:
        return None
    text = table.rows["timestamp"]
    numbers = pd.to_numeric(text, errors="coerce").to_numpy(float)
    if np.isnan(numbers).all():
        dates = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce")
        numbers = ((dates - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(seconds=1)).to_numpy(float)
    bad = ~(np.abs(numbers) < _LATEST_SECOND)  # also true for NaN
    if bad.any():
        _fault(
            table,
            bad,
            "timestamp",
            "is not a time; write seconds (not milliseconds) since 1970 in every row, or a date like "
            "2024-05-31 18:30:00 in every row, or leave the column out",
        )
    return np.floor(numbers).astype(np.int64)


def _catalogue(table: TableFile | None, log: TableFile, logged: np.ndarray, notes: list[str]) -> pd.DataFrame:
    if table is None:
        notes.append("No items file: an item's title is its id.")
        ids = Vocab.from_values(logged).all_ids
        rows = pd.DataFrame({"item_id": ids, "title": ids})
    else:
        need(table, "item_id", "title")
        known = unique_ids(table, "item_id")
        unknown = ~pd.Series(logged).isin(known).to_numpy()
        if unknown.any():
            _fault(log, unknown, "item_id", f"is not listed in {table.name}; add it there or delete the row")
        untitled = (table.rows["title"] == "").to_numpy()
        if untitled.any():
            _fault(table, untitled, "title", "is no title; give every item one")
        rows = table.rows.reset_index(drop=True)
    return item_rows(table, rows)


def item_rows(table: TableFile | None, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of a catalogue, the usual ones first.

    Args:
        table: where the rows are from, for its column types and for sentences; None = no file.
        rows: (I, columns) text with at least item_id and title, numbered from 0.

    Raises:
        InputError: a year is none.
    """
    years = _years(table, rows)
    empty = pd.Series("", index=rows.index)
    texts = {column: rows.get(column, empty) for column in ("genres", "description")}
    if table is not None and "genres" in table.sequences:
        texts["genres"] = texts["genres"].str.split().str.join("|").astype("str")
    first = {"item_id": rows["item_id"], "title": rows["title"], "year": years, **texts}
    return pd.concat([pd.DataFrame(first), rows.drop(columns=[*first], errors="ignore")], axis=1)


def _years(table: TableFile | None, rows: pd.DataFrame) -> pd.Series:
    """Return the year column, or the "(1979)" at the end of titles where there is none; Int64 with gaps."""
    if table is None or "year" not in table.rows.columns:
        found = rows["title"].str.extract(r"\((\d{4})\)$")[0]
        return pd.to_numeric(found, errors="coerce").astype("Int64")
    numbers = pd.to_numeric(table.rows["year"], errors="coerce")
    wrong = (table.rows["year"] != "") & ~((numbers % 1 == 0) & (numbers.abs() < 10_000))
    if wrong.any():
        _fault(table, wrong.to_numpy(), "year", "is not a year; write it like 1979 or leave the cell empty")
    return numbers.reset_index(drop=True).astype("Int64")


def user_table(table: TableFile | None, vocab: Vocab, notes: list[str]) -> pd.DataFrame:
    """Return one row per user number; attributes of users that are not listed are empty.

    Raises:
        InputError: the table has no user ids, an empty one, or one twice.
    """
    ids = vocab.all_ids
    if table is None:
        return pd.DataFrame({"user_id": ids})
    need(table, "user_id")
    listed = table.rows.drop(columns="user_id").set_axis(unique_ids(table, "user_id").astype(object), axis=0)
    n_missing = int((~pd.Index(ids.astype(object)).isin(listed.index)).sum())
    if n_missing:
        notes.append(f"{n_missing} of {len(ids)} users are not in {table.name}; their attributes are empty.")
    attributes = listed.reindex(ids.astype(object)).fillna("").reset_index(drop=True)
    return pd.concat([pd.DataFrame({"user_id": ids}), attributes], axis=1)
