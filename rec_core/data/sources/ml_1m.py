"""MovieLens 1M: 1,000,209 ratings (1-5) of 3,883 movies by 6,040 users, 2000 to 2003.

Origin: GroupLens, University of Minnesota; F. M. Harper and J. A. Konstan (2015), The MovieLens Datasets:
History and Context, ACM TiiS 5(4). Files: `ratings.dat` (user::movie::rating::seconds), `movies.dat`
(id::title (year)::genres), `users.dat` (id::gender::age group::occupation::zip code); latin-1.
Counts: 3,706 of the movies are rated; with at least five earlier ratings 970,009 CTR samples, which the
global time split cuts into 776,007 / 97,000 / 97,002.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd

from rec_core.data.sources import archive, movielens
from rec_core.store import content_hash
from rec_core.types import Dataset, InputError, Progress, ignore_progress

NAME = "ml-1m"
FILES = ("ratings.dat", "movies.dat", "users.dat")
MD5 = "c4d9eecfca2ab87c1945afe126590906"
DESCRIPTIONS = "ml-1m-descriptions.json.gz"

OCCUPATIONS = (
    "other or not specified",
    "academic or educator",
    "artist",
    "clerical or admin",
    "college or graduate student",
    "customer service",
    "doctor or health care",
    "executive or managerial",
    "farmer",
    "homemaker",
    "K-12 student",
    "lawyer",
    "programmer",
    "retired",
    "sales or marketing",
    "scientist",
    "self-employed",
    "technician or engineer",
    "tradesman or craftsman",
    "unemployed",
    "writer",
)


def load(root: Path | None = None, progress: Progress = ignore_progress) -> Dataset:
    """Load MovieLens 1M, downloading it when it is nowhere to be found.

    Users keep gender, age group and occupation as words, and the zip code. All 3,883 movies are items, rated
    or not. When `ml-1m-descriptions.json.gz` (a JSON object: movie id to description) lies beside the
    archive, it fills the descriptions; without it they are empty.

    Raises:
        InputError: the files cannot be found, downloaded or understood.
    """
    readers = archive.open_source(NAME, FILES, movielens.URL.format(name=NAME), MD5, root, progress=progress)
    raw = {file: readers[file]() for file in FILES}
    ratings = movielens.read_numbers(
        raw["ratings.dat"].replace(b"::", b"\t"), "ratings.dat", "\t", ["user", "item", "rating", "timestamp"]
    )
    movies = movielens.read_lines(raw["movies.dat"], "movies.dat", "::", 3)
    ids, titles, genres = (list(column) for column in zip(*movies, strict=True))
    descriptions, notes, extra = _descriptions(ids, root)
    return movielens.make_dataset(
        NAME,
        ratings,
        _users(raw["users.dat"]),
        movielens.make_catalogue(ids, titles, genres, descriptions),
        source="MovieLens 1M (GroupLens)",
        licence=movielens.LICENCE,
        content_hash=content_hash(*raw.values(), extra),
        notes=notes + _undated(ratings["timestamp"]),
    )


def _undated(timestamps: np.ndarray) -> tuple[str, ...]:
    n_undated = int((timestamps <= 0).sum())
    return (f"Ratings without a time: {n_undated:,}; they count as the oldest.",) if n_undated else ()


def _users(data: bytes) -> pd.DataFrame:
    rows = movielens.read_lines(data, "users.dat", "::", 5)
    try:
        words = [
            (user, movielens.GENDERS[gender], movielens.AGE_GROUPS[int(age)], OCCUPATIONS[int(job)], zip_code)
            for user, gender, age, job, zip_code in rows
        ]
    except (KeyError, IndexError, ValueError) as error:
        raise InputError(
            f"users.dat has a value that MovieLens 1M does not define ({error}); use the original file."
        ) from None
    return pd.DataFrame(
        words, columns=["user_id", "gender", "age_group", "occupation", "zip_code"], dtype="str"
    )


def _descriptions(ids: list[str], root: Path | None) -> tuple[list[str] | None, tuple[str, ...], bytes]:
    path = archive.find_beside(NAME, DESCRIPTIONS, root)
    if path is None:
        return None, (), b""
    data = path.read_bytes()
    try:
        texts = json.loads(gzip.decompress(data))
        found = [" ".join(str(texts.get(movie, "")).split()) for movie in ids]
    except (OSError, EOFError, ValueError, AttributeError):
        raise InputError(
            f"{path} is no gzipped JSON of movie id to description; mend or remove it."
        ) from None
    n_found = sum(map(bool, found))
    note = f"Descriptions of {n_found:,} of {len(ids):,} movies come from {DESCRIPTIONS}, not from GroupLens."
    return found, (note,), data
