"""An uploaded table: kept as a file while it is imported, previewed, its columns matched to ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import streamlit as st

from rec_core.workbench import preview_table

OURS = {
    "user_id": ("user_id", "user", "userid", "reader", "customer", "visitor"),
    "item_id": ("item_id", "item", "itemid", "movieid", "movie", "isbn", "book", "product", "asin"),
    "rating": ("rating", "score", "stars", "grade"),
    "timestamp": ("timestamp", "time", "date", "datetime"),
}
ITEM_COLUMNS = {
    "title": ("title", "name"),
    "description": ("description", "summary", "plot"),
    "year": ("year",),
}
NONE = "(none)"


@contextmanager
def as_files(*uploads: Any) -> Iterator[list[Path | None]]:
    """Give the uploads as files under their own names (None stays None); they vanish when the block ends."""
    with TemporaryDirectory() as folder:
        yield [
            None if upload is None else _write(Path(folder) / str(n), upload)
            for n, upload in enumerate(uploads)
        ]


def preview(upload: Any) -> pd.DataFrame:
    """Return the first rows as text, as an import will read them.

    Raises:
        InputError: the file cannot be read as a table, in the importer's own sentence.
    """
    with as_files(upload) as (file,):
        return preview_table(file)


def mapping(columns: list[str], ours: dict[str, tuple[str, ...]], key: str) -> dict[str, str]:
    """Let each of our columns be matched with one of theirs; return only what differs in name."""
    chosen = {}
    for place, (name, guesses) in zip(st.columns(len(ours)), ours.items(), strict=True):
        by_name = {column.lower().replace(" ", "_"): column for column in columns}
        guess = next((by_name[word] for word in guesses if word in by_name), NONE)
        options = [NONE, *columns]
        with place:
            theirs = st.selectbox(f"Our {name}", options, index=options.index(guess), key=f"{key}-{name}")
        if theirs not in (NONE, name):
            chosen[name] = str(theirs)
    return chosen


def _write(folder: Path, upload: Any) -> Path:
    folder.mkdir()
    path = folder / Path(upload.name).name
    path.write_bytes(upload.getvalue())
    return path
