"""MovieLens 100K: 100,000 ratings (1-5) of 1,682 movies by 943 users, September 1997 to April 1998.

Origin: GroupLens, University of Minnesota. Files: `u.data` (user, movie, rating, seconds; tabs), `u.item`
(id, title, release date, video date, link, 19 genre flags; "|", latin-1), `u.user` (id, age, gender,
occupation, zip code; "|"), `u.genre` (name|flag's place).
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from rec_core.data.sources import archive, movielens
from rec_core.store import content_hash
from rec_core.types import Dataset, InputError, Progress, ignore_progress

NAME = "ml-100k"
FILES = ("u.data", "u.item", "u.user", "u.genre")
MD5 = "0e33842e24a9c977be4e0107933c0723"
_FIRST_FLAG = 5


def load(root: Path | None = None, progress: Progress = ignore_progress) -> Dataset:
    """Load MovieLens 100K, downloading it when it is nowhere to be found.

    Users keep gender and occupation as words, age in years and as the age group of MovieLens 1M, and the zip
    code.

    Raises:
        InputError: the files cannot be found, downloaded or understood.
    """
    readers = archive.open_source(NAME, FILES, movielens.URL.format(name=NAME), MD5, root, progress=progress)
    raw = {file: readers[file]() for file in FILES}
    ratings = movielens.read_numbers(raw["u.data"], "u.data", "\t", ["user", "item", "rating", "timestamp"])
    names = [fields[0] for fields in movielens.read_lines(raw["u.genre"], "u.genre", "|", 2)]
    movies = movielens.read_lines(raw["u.item"], "u.item", "|", _FIRST_FLAG + len(names))
    genres = ["|".join(_flagged(names, fields[_FIRST_FLAG:])) for fields in movies]
    ids, titles = [fields[0] for fields in movies], [fields[1] for fields in movies]
    return movielens.make_dataset(
        NAME,
        ratings,
        _users(raw["u.user"]),
        movielens.make_catalogue(ids, titles, genres),
        source="MovieLens 100K (GroupLens)",
        licence=movielens.LICENCE,
        content_hash=content_hash(*raw.values()),
    )


def _flagged(names: list[str], flags: list[str]) -> list[str]:
    return [name for name, flag in zip(names, flags, strict=True) if flag == "1" and name != "unknown"]


def _users(data: bytes) -> pd.DataFrame:
    words = []
    for user, age, gender, occupation, zip_code in movielens.read_lines(data, "u.user", "|", 5):
        try:
            years = int(age)
            words.append((user, movielens.GENDERS[gender], age_group(years), years, occupation, zip_code))
        except (KeyError, ValueError) as error:
            raise InputError(
                f"u.user has an unexpected value for user {user} ({error}); use the original file."
            ) from None
    columns = ["user_id", "gender", "age_group", "age_years", "occupation", "zip_code"]
    return pd.DataFrame(words, columns=columns).astype({"user_id": "str", "zip_code": "str"})


def age_group(years: int) -> str:
    """Return the age group of MovieLens 1M: the one with the largest lower bound not above `years`."""
    bounds = [bound for bound in movielens.AGE_GROUPS if bound <= years]
    return movielens.AGE_GROUPS[max(bounds, default=1)]
