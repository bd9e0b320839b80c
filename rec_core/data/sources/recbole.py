"""RecBole's atomic files: `X.inter`, with `X.item` and `X.user` where there are any; a folder or a zip.

Tab-separated text whose header types each column (`user_id:token`, `movie_title:token_seq`, `rating:float`).
The interactions come whole (`X.inter`) or cut (`X.train.inter`, `X.valid.inter`, `X.test.inter`); they are
read line by line, the other two as tables. Other columns of theirs than user_id, item_id, rating and
timestamp are left out. Items and users that only the logs name are kept; an item's id is then its title.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from rec_core.data.sources import record_fields as fields
from rec_core.data.sources.dataset_record import make_dataset
from rec_core.data.sources.event_log import PARTS, EventLog
from rec_core.data.sources.file_set import FileSet, open_files
from rec_core.data.sources.item_table import item_table, listed_items
from rec_core.data.sources.table import mapped, need, user_table
from rec_core.data.sources.table_file import ATOMIC, TableFile, parse_table, without_types
from rec_core.data.vocab import Vocab
from rec_core.types import Catalogue, Dataset, InputError

_TITLES = ("title", "movie_title", "name", "item_name", "app_name", "book_title", "track_name")
_GENRES = ("genres", "genre", "class", "categories", "category")


def load(
    path: Path, name: str = "recbole", mapping: Mapping[str, str] | None = None, item_noun: str = "item"
) -> Dataset:
    """Read a folder or zip with one dataset in atomic files.

    Args:
        path: the folder or zip; an `.inter` file alone will do.
        name: what the dataset is called.
        mapping: our column -> the files' column. Where it does not name them, title is the first of title,
            movie_title, name, ... that the items have, else the id; genres likewise.
        item_noun: what prompts call an item.

    Raises:
        InputError: naming file, row and column of the first fault.
    """
    files = open_files(path)
    logs, tables = _sorted_out(files)
    pairs = {**_guessed(tables.get("items"), mapping or {}), **(mapping or {})}
    headers = {kind: _header(files, file) for kind, file in logs.items()}
    if len({tuple(header.rows.columns) for header in headers.values()}) > 1:
        raise InputError(f"The parts in {path} have different headers; give them the same columns.")
    header, *_ = headers.values()
    tables = mapped({"interactions": header, **tables}, pairs)
    need(tables["interactions"], "user_id", "item_id")
    places = {str(column): int(place) for column, place in tables["interactions"].rows.iloc[0].items()}
    log = EventLog(listed_items(tables.get("items")))
    for part, file in logs.items():
        _read(log, files, file, places, len(header.rows.columns), max(part, 0))
    log.check_size(path)
    notes: list[str] = []
    users = user_table(tables.get("users"), Vocab(list(log.users)), notes)
    return make_dataset(
        log,
        Catalogue(item_table(tables.get("items"), list(log.items), notes)),
        name=name,
        source=f"Imported from {Path(path).name} (RecBole atomic files)",
        licence="Not stated by the files; ask where they come from.",
        item_noun=item_noun,
        users=users,
        has_ratings="rating" in places,
        has_time="timestamp" in places,
        is_cut=len(logs) > 1,
        notes=tuple(notes),
    )


def _sorted_out(files: FileSet) -> tuple[dict[int, str], dict[str, TableFile]]:
    """Return the logs by part (-1: not cut), and the tables of items and users."""
    logs: dict[int, str] = {}
    for file in files.named(ATOMIC[0]):
        suffix = PurePosixPath(PurePosixPath(file).stem).suffix[1:].lower()
        part = PARTS.index(suffix) if suffix in PARTS else -1
        if part in logs or (logs and -1 in {part, *logs}):
            found = ", ".join(files.named(ATOMIC[0]))
            raise InputError(
                f"{files.place} holds {found}, which are not one dataset; keep one .inter file, or "
                "X.train.inter, X.valid.inter and X.test.inter."
            )
        logs[part] = file
    if not logs:
        raise InputError(f"{files.place} holds no .inter file; give a folder or zip with RecBole's files.")
    tables = {}
    for kind, suffix in (("items", ATOMIC[1]), ("users", ATOMIC[2])):
        found_here = files.named(suffix)
        if len(found_here) > 1:
            raise InputError(f"{files.place} holds {', '.join(found_here)}; keep one {suffix} file.")
        for file in found_here:
            with files.open(file) as stream:
                tables[kind] = parse_table(PurePosixPath(file).name, stream.read())
    return dict(sorted(logs.items())), tables


def _guessed(items: TableFile | None, mapping: Mapping[str, str]) -> dict[str, str]:
    """Return the columns of the items file that serve as title and genres."""
    if items is None:
        return {}
    columns = items.rows.columns
    title = next((column for column in _TITLES if column in columns), mapping.get("item_id", "item_id"))
    genres = next((column for column in _GENRES if column in columns), None)
    ids = {"item_id": mapping.get("item_id", "item_id")}  # named too, since the title may take its column
    return {**ids, "title": title, **({"genres": genres} if genres else {})}


def _header(files: FileSet, file: str) -> TableFile:
    """Return the log's columns as a table of one row: the place of each column in a line."""
    name = PurePosixPath(file).name
    for _, line in files.lines(file):
        columns, sequences = without_types([column.strip() for column in line.split("\t")])
        places = pd.DataFrame([[str(place) for place in range(len(columns))]], columns=columns)
        if len(set(columns)) == len(columns):
            return TableFile(name, places, sequences, b"")
        raise InputError(f"{name}, row 1: a column comes twice; rename or remove one of them.")
    raise InputError(f"{name} is empty; it needs a header row and one row per record.")


def _read(
    log: EventLog, files: FileSet, file: str, places: Mapping[str, int], n_columns: int, part: int
) -> None:
    name = PurePosixPath(file).name
    for row, record in _rows(files, file, places, n_columns):
        log.add(
            fields.identifier(record, "user_id", name, row),
            fields.identifier(record, "item_id", name, row),
            fields.rating(record, "rating", name, row) if "rating" in places else np.nan,
            fields.seconds(record, "timestamp", name, row) if "timestamp" in places else 0,
            part,
        )


def _rows(
    files: FileSet, file: str, places: Mapping[str, int], n_columns: int
) -> Iterator[tuple[int, dict[str, str]]]:
    header = True
    for row, line in files.lines(file):
        cells = line.split("\t")
        if len(cells) != n_columns:
            raise InputError(
                f"{PurePosixPath(file).name}, row {row}: there are {len(cells)} values for {n_columns} "
                "columns; put exactly one tab between two values."
            )
        if not header:
            yield row, {column: cells[place] for column, place in places.items()}
        header = False
