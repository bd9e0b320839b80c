"""The row order of a dataset without times that asks one like question per user: about their last row.

Paper: ReLLa and RALLRec on BookCrossing: each user's ratings are shuffled with seed 42, the last one is the
target, the others are its history, and the users are divided at random. The "recent" items of such a history
are any items.
Differs from paper: the parts are 80/10/10 of those asked, as for every dataset here; theirs are 90/10 and the
test part chooses the model. RALLRec keeps only books of a list that its code cannot make again (8,723 users,
3,547 books); here every book stays.
Differs from authors' code: a place follows from the ids and the seed alone, not from the order of a file, so
that leaving out some rows does not move the others.
"""

from __future__ import annotations

import numpy as np

from rec_core.seeding import derive_seed
from rec_core.types import Interactions

SEED = 42


def last_of_user(interactions: Interactions) -> np.ndarray:
    """Return the positions (N,) that put everybody's history first, then the last row of every user.

    A user's rows are shuffled by `SEED` and the ids; the users themselves stand in an order shuffled
    likewise, in both stretches. So a cut of the last rows is a cut of users at random, and all histories
    stand before it. Rows of a user about the same item stand by rating.

    Args:
        interactions: N rows in any order; their times are not looked at.
    """
    users, items = interactions.user_nums, interactions.item_nums
    user_ids, item_ids = interactions.user_ids.tolist(), interactions.item_ids.tolist()
    user_keys = np.array([derive_seed(SEED, "user", user) for user in user_ids], dtype=np.int64)
    row_keys = np.array(
        [
            derive_seed(SEED, "row", user_ids[user], item_ids[item])
            for user, item in zip(users, items, strict=True)
        ],
        dtype=np.int64,
    )
    shuffled = np.lexsort((interactions.ratings, row_keys, users, user_keys[users]))
    is_last = np.ones(len(users), dtype=bool)
    is_last[:-1] = users[shuffled][1:] != users[shuffled][:-1]
    return np.concatenate([shuffled[~is_last], shuffled[is_last]])
