"""Who gets shown: how recommendations spread over the catalogue and how popular they are.

Popularity is the number of interactions of an item in the training part. A "list" is one user's recommended
item numbers; measures per user come back as (B,) with NaN for an empty list, so that they can be paired and
bootstrapped.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Lists = Sequence[np.ndarray] | Sequence[Sequence[int]]


def exposure_counts(lists: Lists, n_items: int) -> np.ndarray:
    """Return how often each item is shown over all lists (I,) int64."""
    shown = np.concatenate([np.asarray(items, dtype=np.int64) for items in lists] or [np.zeros(0, np.int64)])
    return np.bincount(shown, minlength=n_items)


def gini(counts: np.ndarray) -> np.ndarray:
    """Return the Gini coefficient of exposure over the last axis: (..., I) -> (...).

    0: every item is shown equally often; (I - 1) / I: one item takes it all. NaN when nothing is shown. Items
    never shown must be in `counts` as zeros.
    """
    ordered = np.sort(np.asarray(counts, dtype=np.float64), axis=-1)
    n_items = ordered.shape[-1]
    weights = 2 * np.arange(1, n_items + 1) - n_items - 1
    with np.errstate(invalid="ignore"):
        return (ordered @ weights) / (n_items * ordered.sum(axis=-1))


def lorenz(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the Lorenz curve (I + 1,) twice: share of items, least shown first, and of exposure."""
    ordered = np.sort(np.asarray(counts, dtype=np.float64))
    with np.errstate(invalid="ignore"):
        shares = np.r_[0.0, np.cumsum(ordered)] / ordered.sum()
    return np.linspace(0, 1, len(ordered) + 1), shares


def coverage(counts: np.ndarray) -> np.ndarray:
    """Return the share of the catalogue shown at least once, over the last axis: (..., I) -> (...)."""
    return (np.asarray(counts) > 0).mean(axis=-1)


def arp(lists: Lists, popularity: np.ndarray) -> np.ndarray:
    """Return each list's mean item popularity in interactions (B,); the mean over users is ARP."""
    return list_means(lists, np.asarray(popularity, dtype=np.float64))


def aplt(lists: Lists, in_tail: np.ndarray) -> np.ndarray:
    """Return each list's share of long-tail items (B,), 0..1; the mean over users is APLT.

    Args:
        lists: B lists of item numbers.
        in_tail: (I,) bool, see `long_tail`.
    """
    return list_means(lists, np.asarray(in_tail, dtype=np.float64))


def long_tail(popularity: np.ndarray, head_share: float = 0.2) -> np.ndarray:
    """Return which items are in the long tail (I,) bool: all but the most popular `head_share` of the items.

    Equally popular items at the border are cut by item number, so that the sizes are exact (rounded to whole
    items).
    """
    order = np.argsort(-np.asarray(popularity), kind="stable")
    tail = np.ones(len(order), dtype=bool)
    tail[order[: round(head_share * len(order))]] = False
    return tail


def popularity_deciles(popularity: np.ndarray) -> np.ndarray:
    """Return each item's decile (I,): 1 the least popular tenth of the items, 10 the most popular.

    Deciles are of equal size (to one item); equally popular items are parted by item number.
    """
    n_items = len(popularity)
    deciles = np.empty(n_items, dtype=np.int64)
    deciles[np.argsort(popularity, kind="stable")] = np.arange(n_items) * 10 // max(n_items, 1) + 1
    return deciles


def exposure_by_decile(counts: np.ndarray, popularity: np.ndarray) -> np.ndarray:
    """Return the share of all exposure that goes to each popularity decile (10,), least popular first."""
    counts = np.asarray(counts, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        return np.bincount(popularity_deciles(popularity) - 1, weights=counts, minlength=10) / counts.sum()


def log_popularity(lists: Lists, popularity: np.ndarray) -> np.ndarray:
    """Return each list's mean of ln(1 + popularity) (B,): a few blockbusters do not drown the rest."""
    return list_means(lists, np.log1p(np.asarray(popularity, dtype=np.float64)))


def popularity_lift(lists: Lists, profiles: Lists, popularity: np.ndarray) -> np.ndarray:
    """Return how much more popular each user's list is than the user's own history, as a ratio minus 1 (B,).

    0: as popular as the profile; 1: twice as popular; NaN where the list or the profile is empty. The mean
    over a group of users is that group's lift.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return arp(lists, popularity) / arp(profiles, popularity) - 1


def list_means(lists: Lists, values: np.ndarray) -> np.ndarray:
    """Return each list's mean of what its items are worth: values (I,) -> (B,), or (I, M) -> (B, M)."""
    lengths = np.array([len(items) for items in lists], dtype=np.int64)
    if values.ndim == 2:
        return np.stack([list_means(lists, column) for column in values.T], axis=1)
    if not lengths.sum():
        return np.full(len(lengths), np.nan)
    owners = np.repeat(np.arange(len(lengths)), lengths)
    shown = np.concatenate([np.asarray(items, dtype=np.int64) for items in lists])
    with np.errstate(invalid="ignore"):
        return np.bincount(owners, weights=values[shown], minlength=len(lengths)) / lengths
