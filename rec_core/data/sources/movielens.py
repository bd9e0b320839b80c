"""What the MovieLens editions share: titles that carry the year, licences, how the records are assembled."""

from __future__ import annotations

import io
import re

import numpy as np
import pandas as pd

from rec_core.data.interactions import make_interactions
from rec_core.data.vocab import Vocab
from rec_core.types import Catalogue, Dataset, InputError

LICENCE = "GroupLens terms: research use with acknowledgement, no commercial use, no redistribution"
LICENCE_SHARE_ALIKE = (
    "GroupLens terms: research use with acknowledgement, no commercial use, redistribution on the same terms"
)
URL = "https://files.grouplens.org/datasets/movielens/{name}.zip"
AGE_GROUPS = {
    1: "under 18",
    18: "18-24",
    25: "25-34",
    35: "35-44",
    45: "45-49",
    50: "50-55",
    56: "56 or older",
}
GENDERS = {"F": "woman", "M": "man"}

_YEAR = re.compile(r"\((\d{4})(?:[-–]\d{0,4})?\)\s*$")


def year_of(title: str) -> int | None:
    """Return the year in brackets at the end of a title, None when there is none."""
    found = _YEAR.search(title)
    return int(found.group(1)) if found else None


def make_catalogue(
    item_ids: list[str], titles: list[str], genres: list[str], descriptions: list[str] | None = None
) -> Catalogue:
    """Return the items in the order given, the year read from the title."""
    titles = [title.strip() for title in titles]
    table = {
        "item_id": pd.Series(item_ids, dtype="str"),
        "title": pd.Series(titles, dtype="str"),
        "year": pd.array([year_of(title) for title in titles], dtype="Int64"),
        "genres": pd.Series(genres, dtype="str"),
        "description": pd.Series(descriptions or [""] * len(titles), dtype="str"),
    }
    return Catalogue(pd.DataFrame(table))


def make_dataset(
    name: str,
    ratings: dict[str, np.ndarray],
    users: pd.DataFrame,
    catalogue: Catalogue,
    source: str,
    licence: str,
    content_hash: str,
    notes: tuple[str, ...] = (),
) -> Dataset:
    """Number the ids by users table and catalogue and assemble the record; a rating above 3 is a like.

    Args:
        name: the edition's name.
        ratings: columns user, item, rating, timestamp, one row per rating.
        users: one row per user, first column user_id.
        catalogue: the items.
        source: where it comes from, for people.
        licence: the terms in short.
        content_hash: the digest of the files.
        notes: what a reader should know.

    Raises:
        InputError: a rating names a user or movie the other files do not have.
    """
    try:
        interactions = make_interactions(
            ratings["user"],
            ratings["item"],
            ratings["rating"],
            ratings["timestamp"],
            users=Vocab(users["user_id"].to_numpy()),
            items=Vocab(catalogue.table["item_id"].to_numpy()),
        )
    except InputError as error:
        raise InputError(f"The files of {name} do not fit together: {error}") from None
    return Dataset(
        name=name,
        interactions=interactions,
        catalogue=catalogue,
        users=users,
        like_threshold=3.0,
        max_rating=5.0,
        source=source,
        licence=licence,
        content_hash=content_hash,
        notes=notes,
    )


def read_numbers(
    data: bytes, file: str, separator: str, names: list[str], header: bool = False
) -> dict[str, np.ndarray]:
    """Read a table of numbers quickly.

    Raises:
        InputError: a cell is no number or a row has too few or too many cells.
    """
    n_fields = data.split(b"\n", 1)[0].count(separator.encode()) + 1
    if n_fields != len(names):  # pandas would take a surplus first column for row labels
        raise InputError(f"Row 1 of {file} has {n_fields} fields, not {len(names)}; use the original file.")
    try:
        table = pd.read_csv(
            io.BytesIO(data),
            sep=separator,
            header=0 if header else None,
            names=names,
            dtype={name: np.float32 if name == "rating" else np.int64 for name in names},
        )
    except (ValueError, pd.errors.ParserError) as error:
        raise InputError(f"{file} is not in the expected layout: {_first_line(error)}.") from None
    return {name: table[name].to_numpy() for name in names}


def read_lines(
    data: bytes, file: str, separator: str, n_fields: int, encoding: str = "latin-1"
) -> list[list[str]]:
    """Split a text file into rows of exactly `n_fields` fields; empty lines are skipped.

    Raises:
        InputError: naming the first row with another number of fields.
    """
    rows = []
    for number, line in enumerate(data.decode(encoding).replace("\r\n", "\n").split("\n"), start=1):
        if line.strip():
            fields = line.split(separator)
            if len(fields) != n_fields:
                raise InputError(
                    f"Row {number} of {file} has {len(fields)} fields, not {n_fields}; use the original file."
                )
            rows.append(fields)
    return rows


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".")
