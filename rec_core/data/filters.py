"""Keep the part of the interactions where everybody has enough of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rec_core.data.interactions import make_interactions
from rec_core.data.vocab import Vocab
from rec_core.store import content_hash
from rec_core.types import Catalogue, Dataset, InputError, Interactions


def k_core(interactions: Interactions, user_core: int, item_core: int) -> np.ndarray:
    """Return the rows of the largest part in which every user and every item has enough rows.

    Dropping a user's rows can make an item rare, which can make another user short, and so on; the filter
    goes on until nothing changes. The result does not depend on the order of dropping.

    Args:
        interactions: N rows.
        user_core: a kept user has at least this many kept rows (repeats count).
        item_core: a kept item has at least this many kept rows.

    Returns:
        The kept rows, ascending; possibly none.

    Raises:
        InputError: a core is negative.
    """
    if user_core < 0 or item_core < 0:
        raise InputError(f"The cores {user_core} and {item_core} cannot be; give two numbers of 0 or more.")
    rows = np.arange(len(interactions))
    while True:
        users, items = interactions.user_nums[rows], interactions.item_nums[rows]
        enough = (np.bincount(users)[users] >= user_core) & (np.bincount(items)[items] >= item_core)
        if enough.all():
            return rows
        rows = rows[enough]


def core_of(dataset: Dataset, user_core: int, item_core: int, name: str) -> Dataset:
    """Return the k-core of a dataset as a dataset of its own: users and items without kept rows are gone.

    Planted truth is left behind, since it speaks of users and items by number. A given cut comes along: each
    kept row stays in its part.

    Args:
        dataset: the whole.
        user_core: rows a kept user has at least.
        item_core: rows a kept item has at least.
        name: what the part is called.

    Raises:
        InputError: nothing is left, or a core is negative.
    """
    whole = dataset.interactions
    rows = k_core(whole, user_core, item_core)
    if not len(rows):
        raise InputError(
            f"No part of {dataset.name!r} has {user_core} rows per user and {item_core} per item; "
            "lower the cores."
        )
    users, items = np.unique(whole.user_nums[rows]), np.unique(whole.item_nums[rows])
    interactions = make_interactions(
        whole.user_ids[whole.user_nums[rows]],
        whole.item_ids[whole.item_nums[rows]],
        whole.ratings[rows],
        whole.timestamps[rows],
        Vocab(whole.user_ids[users]),
        Vocab(whole.item_ids[items]),
    )
    note = (
        f"The part of {dataset.name} with at least {user_core} rows per user and {item_core} per item: "
        f"{len(rows):,} of {len(whole):,} rows."
    )
    return replace(
        dataset,
        name=name,
        interactions=interactions,
        catalogue=Catalogue(dataset.catalogue.table.iloc[items].reset_index(drop=True)),
        users=dataset.users.iloc[users].reset_index(drop=True),
        content_hash=content_hash(dataset.content_hash, user_core, item_core),
        notes=(*dataset.notes, note),
        truth={},
        parts=None if dataset.parts is None else dataset.parts[rows],
    )
