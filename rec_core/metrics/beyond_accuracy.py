"""What a list is like apart from being right: how unexpected, how varied, how close to the user's tastes.

How exposure spreads over the catalogue is in `metrics.exposure`. A "list" is one user's recommended item
numbers; every measure comes back per list (B,), NaN where it is undefined, so that it can be paired and
bootstrapped.
"""

from __future__ import annotations

import numpy as np

from rec_core.metrics.exposure import Lists, list_means

SMOOTHING = 0.01  # alpha in Steck's paper


def self_information(popularity: np.ndarray) -> np.ndarray:
    """Return how surprising each item is, -log2 of its share of all interactions, in bits (I,).

    An item without interactions counts as one with a single interaction: the largest finite surprise.
    """
    counts = np.maximum(np.asarray(popularity, dtype=np.float64), 1.0)
    return np.log2(max(float(np.sum(popularity)), 1.0) / counts)


def novelty(lists: Lists, popularity: np.ndarray) -> np.ndarray:
    """Return each list's mean self-information in bits (B,); higher is further off the beaten track.

    Random lists are the most novel of all: read it beside an accuracy metric, never alone.

    Paper: Vargas and Castells (RecSys 2011), item novelty -log2 p(i | seen), p from training interactions,
    without rank discount and without relevance.

    Args:
        lists: B lists of item numbers.
        popularity: (I,) training interactions per item.
    """
    return list_means(lists, self_information(popularity))


def intra_list_diversity(lists: Lists, vectors: np.ndarray) -> np.ndarray:
    """Return 1 - the mean cosine over all pairs of a list's items (B,), 0..2; higher is more varied.

    Not computed pair by pair: the squared length of a sum of n unit vectors is n plus twice the sum of the
    cosines of its pairs. Items without a vector (a row of zeros) are left out; with fewer than two others the
    result is NaN. Which vectors are taken decides what "alike" means: text, behaviour, or both.

    Paper: Ziegler et al. (WWW 2005), intra-list similarity, turned round and averaged.

    Args:
        lists: B lists of item numbers without repeats.
        vectors: (I, D).
    """
    vectors = np.asarray(vectors, dtype=np.float64)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
    lengths = np.array([len(items) for items in lists], dtype=np.float64)
    n_known = lengths * list_means(lists, (norms[:, 0] > 0).astype(np.float64))
    sums = lengths[:, None] * list_means(lists, units)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_cosine = ((sums**2).sum(axis=1) - n_known) / (n_known * (n_known - 1))
    return np.where(n_known > 1.5, 1 - mean_cosine, np.nan)


def genre_distributions(lists: Lists, genres: np.ndarray) -> np.ndarray:
    """Return how each list spreads over genres (B, G), rows sum to 1, NaN for a list without any genre.

    An item splits its weight of 1 evenly over its genres; items without a genre are left out.

    Paper: Steck (RecSys 2018), equations 2 and 3, with all items of a list of equal weight.

    Args:
        lists: B lists of item numbers.
        genres: (I, G) 1 where an item has the genre, else 0.
    """
    genres = np.asarray(genres, dtype=np.float64)
    shares = genres / np.maximum(genres.sum(axis=1, keepdims=True), 1.0)
    means = list_means(lists, shares)
    with np.errstate(invalid="ignore"):
        return means / means.sum(axis=1, keepdims=True)


def miscalibration(
    lists: Lists, histories: Lists, genres: np.ndarray, smoothing: float = SMOOTHING
) -> np.ndarray:
    """Return how far each list's genres are from those of the user's history, in nats (B,); lower is better.

    0: the list has the history's proportions. The Kullback-Leibler divergence of the list's distribution q
    from the history's p, with q mixed with a little p so that a genre missing from the list costs much but
    not infinitely much: at most ln(1 / smoothing).

    Paper: Steck (RecSys 2018), equations 4 and 5.

    Args:
        lists: B lists of item numbers.
        histories: B lists of item numbers the users took before.
        genres: (I, G) 1 where an item has the genre, else 0.
        smoothing: share of p mixed into q, in (0, 1).
    """
    wanted, shown = genre_distributions(histories, genres), genre_distributions(lists, genres)
    mixed = (1 - smoothing) * shown + smoothing * wanted
    with np.errstate(invalid="ignore", divide="ignore"):
        terms = np.where(wanted == 0, 0.0, wanted * np.log(wanted / mixed))
    return np.where(np.isnan(shown).any(axis=1), np.nan, terms.sum(axis=1))
