"""The embedded sample catalogue: real films, descriptions written for this project, simulated viewers.

Origin: `films.csv` beside this file; ratings come from `simulate`, never from people.
Licence: descriptions and simulated ratings are under Apache-2.0; titles, years and credits are facts.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from rec_core.data.interactions import make_interactions
from rec_core.data.sources.sample.simulate import simulate
from rec_core.data.vocab import Vocab
from rec_core.store import content_hash
from rec_core.types import Catalogue, Dataset

SAMPLE_SEED = 7
N_VIEWERS = 1500
_FILMS = Path(__file__).parent / "films.csv"


def read_films() -> pd.DataFrame:
    """Return the catalogue: item_id, title, year, genres ("Drama|War"), director, country, description."""
    films = pd.read_csv(_FILMS, dtype=str, keep_default_na=False)
    return films.assign(year=films["year"].astype("Int64"))


def load(seed: int = SAMPLE_SEED, n_viewers: int = N_VIEWERS) -> Dataset:
    """Return the sample dataset, generated anew (about a second) and identical for the same seed.

    Args:
        seed: decides viewers, what they watch and how they rate.
        n_viewers: U; the default is the published sample, fewer are for tests.
    """
    films = read_films()
    made = simulate(films, n_viewers, seed)
    users, items = Vocab(made.users["user_id"].to_numpy(str)), Vocab(films["item_id"].to_numpy(str))
    user_ids, item_ids = users.ids(made.user_nums), items.ids(made.item_nums)
    interactions = make_interactions(user_ids, item_ids, made.ratings, made.timestamps, users, items)
    return Dataset(
        name="sample",
        interactions=interactions,
        catalogue=Catalogue(films),
        users=made.users,
        source=f"{len(films)} real films with {n_viewers} simulated viewers (seed {seed})",
        licence="Descriptions and simulated ratings: Apache-2.0; titles, years and credits are facts.",
        content_hash=content_hash(
            _FILMS.read_bytes(),
            interactions.user_nums,
            interactions.item_nums,
            interactions.ratings,
            interactions.timestamps,
            made.users.to_dict("list"),
        ),
        like_threshold=3.0,
        max_rating=5.0,
        simulated=True,
        notes=("The viewers are simulated: nobody real rated these films.",),
        truth=made.truth,
    )
