"""Small random interactions for the tests of this room, as fixtures that give functions."""

import numpy as np
import pytest

from rec_core.data.interactions import make_interactions
from rec_core.data.vocab import Vocab
from rec_core.types import Catalogue, Dataset, Interactions


def random_interactions(seed: int, n_rows: int = 80, n_users: int = 8, n_items: int = 12) -> Interactions:
    """Return rows with ties in time and repeated pairs; the last user and the last item have none."""
    rng = np.random.default_rng(seed)
    return make_interactions(
        rng.integers(0, n_users - 1, n_rows),
        rng.integers(0, n_items - 1, n_rows),
        rng.integers(1, 6, n_rows),
        rng.integers(0, 40, n_rows),
        users=Vocab(np.arange(n_users)),
        items=Vocab(np.arange(n_items)),
    )


def as_dataset(interactions: Interactions, catalogue: Catalogue, users, **facts) -> Dataset:
    """Wrap interactions into a dataset."""
    values = {
        "name": "planted",
        "source": "invented",
        "licence": "none",
        "content_hash": "0",
        "like_threshold": 3.0,
    }
    return Dataset(
        interactions=interactions, catalogue=catalogue, users=users, **{**values, "max_rating": 5.0, **facts}
    )


@pytest.fixture(name="random_interactions")
def _random_interactions():
    return random_interactions


@pytest.fixture(name="as_dataset")
def _as_dataset():
    return as_dataset
