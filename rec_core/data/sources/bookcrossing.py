"""BookCrossing: 204,164 explicit ratings (1-10) of 18,185 books by 48,299 readers; no times exist.

Origin: C.-N. Ziegler, S. M. McNee, J. A. Konstan and G. Lausen (2005), Improving Recommendation Lists Through
Topic Diversification, WWW; crawled in August and September 2004. This is a cleaned edition, comma, UTF-8:
`BX-Ratings.csv` (User-ID, ISBN, Book-Rating), `BX-Books.csv` (ISBN, Book-Title, Book-Author,
Year-Of-Publication, Book-Publisher), `BX-Users.csv` (User-ID, User-City, User-State, User-Country, User-Age).
It holds none of the ratings of 0 (implicit) of the full crawl, whose layout differs and is not read.

In `BX-Users.csv` a stray double quote ends the country, or the age where there is no country; it is dropped,
and countries get their capitals.
Years that are 0 or after the crawl, and ages below 5 or above 100, count as unknown.
Like: a rating of 5 or more, that is, above 4.
Paper: ReLLa and RALLRec label 5 of 10 and above as a like (on the full crawl, zeros kept), and ask one
question per reader with more than 5 ratings: `data.last_of_user` orders the rows so and says what differs.
Here 6,672 readers are asked (5,337 / 667 / 668), there 17,714 and 8,723. Without the ratings of 0, which are
no likes there, 95% of the answers are "like" here (RALLRec: 46%): their figures and ours do not compare.
"""

from __future__ import annotations

from pathlib import Path
from string import capwords

import pandas as pd

from rec_core.data.sources import archive
from rec_core.data.sources import record_fields as fields
from rec_core.data.sources.catalogue_rows import CatalogueRows
from rec_core.data.sources.csv_records import csv_records
from rec_core.data.sources.dataset_record import make_dataset
from rec_core.data.sources.event_log import EventLog
from rec_core.data.sources.ml_100k import age_group
from rec_core.types import Catalogue, Dataset, Progress, ignore_progress

NAME = "bookcrossing"
RATINGS, BOOKS, USERS = "BX-Ratings.csv", "BX-Books.csv", "BX-Users.csv"
ORIGIN = (
    "the cleaned comma-separated edition of BookCrossing (Ziegler et al., 2005; 204,164 ratings from 1 to 10)"
)
LICENCE = "Research use with acknowledgement of Ziegler et al. (2005)"
_USER_COLUMNS = ("User-ID", "User-City", "User-State", "User-Country", "User-Age")
_BOOK_COLUMNS = ("ISBN", "Book-Title", "Book-Author", "Year-Of-Publication", "Book-Publisher")
_CRAWLED = 2004
_AGES = range(5, 101)


def load(root: Path | None = None, progress: Progress = ignore_progress) -> Dataset:
    """Load BookCrossing from the files a person supplies; rows stand as `data.last_of_user` orders them.

    Raises:
        InputError: the files cannot be found or understood.
    """
    readers = archive.find_source(NAME, (RATINGS, BOOKS, USERS), ORIGIN, root)
    books = csv_records(readers[BOOKS](), BOOKS, _BOOK_COLUMNS)
    log = EventLog(fields.identifier(record, "ISBN", BOOKS, row) for row, record in books)
    n_books = len(log.items)
    for row, record in csv_records(readers[RATINGS](), RATINGS, ("User-ID", "ISBN", "Book-Rating")):
        log.add(
            fields.identifier(record, "User-ID", RATINGS, row),
            fields.identifier(record, "ISBN", RATINGS, row),
            fields.rating(record, "Book-Rating", RATINGS, row),
        )
        if len(log.items) > n_books:
            fields.fault(RATINGS, row, "ISBN", record["ISBN"], f"is not in {BOOKS}; use the original files")
    log.check_size(RATINGS)
    catalogue, notes = _books(readers[BOOKS](), log.items)
    return make_dataset(
        log,
        catalogue,
        name=NAME,
        source="BookCrossing, cleaned edition",
        licence=LICENCE,
        item_noun="book",
        users=_users(readers[USERS](), log.users),
        has_time=False,
        questions="last_of_user",
        like_threshold=4.0,
        notes=notes,
    )


def _books(data: bytes, items: dict[str, int]) -> tuple[Catalogue, tuple[str, ...]]:
    rows = CatalogueRows(items, "author", "publisher")
    for _, record in csv_records(data, BOOKS, _BOOK_COLUMNS):
        year = record["Year-Of-Publication"]
        rows.put(
            record["ISBN"].strip(),
            title=fields.text(record["Book-Title"]),
            year=year if year.isdecimal() and int(year) <= _CRAWLED else "",
            author=fields.text(record["Book-Author"]),
            publisher=fields.text(record["Book-Publisher"]),
        )
    return rows.finish()


def _users(data: bytes, users: dict[str, int]) -> pd.DataFrame:
    """Return one row per user number; what a user did not tell is empty."""
    columns: dict[str, list] = {name: [""] * len(users) for name in ("city", "state", "country", "age_group")}
    ages: list[int | None] = [None] * len(users)
    for row, record in csv_records(data, USERS, _USER_COLUMNS):
        number = users.get(fields.identifier(record, "User-ID", USERS, row))
        if number is None:
            continue
        for name in ("city", "state"):
            columns[name][number] = _unquoted(record[f"User-{name.title()}"])
        columns["country"][number] = _country(_unquoted(record["User-Country"]))
        age = _unquoted(record["User-Age"])
        if age.isdecimal() and int(age) in _AGES:
            ages[number], columns["age_group"][number] = int(age), age_group(int(age))
    table = pd.DataFrame({"user_id": list(users), **columns}).astype("str")
    return table.assign(age_years=pd.array(ages, dtype="Int64"))


def _country(word: str) -> str:
    """Return a country as prompts write it; the files have small letters."""
    return "USA" if word == "usa" else capwords(word)


def _unquoted(cell: str) -> str:
    word = fields.text(cell.strip(' "'))
    return "" if word == "n/a" else word
