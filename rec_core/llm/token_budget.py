"""Put rows of tokens into batches: rows of like length together, as many as a budget of tokens allows."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf


def token_batches(
    lengths: Sequence[int], max_tokens: int, prefix: int = 0, max_read: float = inf
) -> list[list[int]]:
    """Return the row numbers of each batch, shortest rows first; equal rows keep their order.

    Args:
        lengths: (B,) tokens of each row.
        max_tokens: tokens a batch may hold, padding included; a row that is longer stands alone.
        prefix: first tokens of every row that a pass does not read, since a cache has them.
        max_read: tokens a pass may read, padding included.
    """
    batches: list[list[int]] = []
    for i in sorted(range(len(lengths)), key=lengths.__getitem__):  # the newcomer is the longest of its batch
        n_rows = len(batches[-1]) + 1 if batches else 0
        fits = n_rows * lengths[i] <= max_tokens and n_rows * (lengths[i] - prefix) <= max_read
        if n_rows and fits:
            batches[-1].append(i)
        else:
            batches.append([i])
    return batches
