"""MovieLens latest-small: 100,836 ratings (0.5-5) of 9,742 movies by 610 users, 1996 to 2018.

Origin: GroupLens, University of Minnesota; a development edition that GroupLens may replace, so its checksum
is the one published beside the archive. Files: `ratings.csv` (userId,movieId,rating,timestamp), `movies.csv`
(movieId,title,genres); UTF-8. Nothing is known about the users. 9,724 of the movies are rated.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd

from rec_core.data.sources import archive, movielens
from rec_core.store import content_hash
from rec_core.types import Dataset, InputError, Progress, ignore_progress

NAME = "ml-latest-small"
FILES = ("ratings.csv", "movies.csv")
_NO_GENRES = "(no genres listed)"


def load(root: Path | None = None, progress: Progress = ignore_progress) -> Dataset:
    """Load MovieLens latest-small, downloading it when it is nowhere to be found.

    Raises:
        InputError: the files cannot be found, downloaded or understood.
    """
    readers = archive.open_source(NAME, FILES, movielens.URL.format(name=NAME), None, root, progress=progress)
    raw = {file: readers[file]() for file in FILES}
    names = ["user", "item", "rating", "timestamp"]
    ratings = movielens.read_numbers(raw["ratings.csv"], "ratings.csv", ",", names, header=True)
    movies = _movies(raw["movies.csv"])
    genres = movies["genres"].replace(_NO_GENRES, "").tolist()
    users = pd.DataFrame({"user_id": pd.Series(np.unique(ratings["user"]).astype(str), dtype="str")})
    return movielens.make_dataset(
        NAME,
        ratings,
        users,
        movielens.make_catalogue(movies["movieId"].tolist(), movies["title"].tolist(), genres),
        source="MovieLens latest-small (GroupLens)",
        licence=movielens.LICENCE_SHARE_ALIKE,
        content_hash=content_hash(*raw.values()),
    )


def _movies(data: bytes) -> pd.DataFrame:
    try:
        table = pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False, encoding="utf-8")
        return table[["movieId", "title", "genres"]]
    except (ValueError, KeyError, pd.errors.ParserError) as error:
        raise InputError(
            f"movies.csv is not in the expected layout ({error}); use the original file."
        ) from None
