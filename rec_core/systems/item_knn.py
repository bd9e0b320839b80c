"""Item-kNN: an item is recommended for its nearest neighbours in the history.

Two items are near when the same people took them. Each item keeps its K most similar ones; the rest counts
as unrelated, which removes the noise of many weak similarities.

Paper: Sarwar et al., Item-based Collaborative Filtering Recommendation Algorithms (WWW 2001), section 3, on
implicit feedback as in Deshpande and Karypis, Item-based Top-N Recommendation (TOIS 2004), section 4.
Differs from paper: no normalisation of users and of columns of similarities; shrinkage as in Bell and Koren
(ICDM 2007) is offered; which side keeps its neighbours is a setting.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from scipy import sparse

from rec_core.config import Between, OneOf, Range
from rec_core.evaluation.exact_top import exact_top
from rec_core.processes import is_main
from rec_core.store import read_tensors, write_tensors
from rec_core.systems.item_weights import Gram, ItemWeightConfig, ItemWeightRanking, shared_users
from rec_core.systems.ranking_parts import RankingParts
from rec_core.systems.ranking_run import ranking_system
from rec_core.types import Dataset, Progress, ProgressEvent

Similarity = Literal["cosine", "jaccard"]
Side = Literal["candidate", "history"]

_FILE = "item_knn.safetensors"
_CELLS = 2**22  # similarities held at once: 16 MB


class ItemKNNConfig(ItemWeightConfig):
    """How neighbours are found."""

    n_neighbours: int = Field(8, ge=1, le=10_000, description="Neighbours K that each item keeps.")
    similarity: Similarity = Field("cosine", description="How shared users become a similarity.")
    shrink: float = Field(
        0.0, ge=0, le=1e6, description="Added to the denominator: few shared users count for less."
    )
    neighbours_of: Side = Field(
        "history",
        description="Whose K neighbours count: the candidate's among the history, or each history item's.",
    )

    @classmethod
    def search_space(cls) -> dict[str, Range]:
        """Return the ranges worth searching."""
        return {
            "n_neighbours": Between(5, 500, log=True),
            "similarity": OneOf(("cosine", "jaccard")),
            "shrink": Between(0.0, 100.0),
            "neighbours_of": OneOf(("candidate", "history")),
        }


class ItemKNN(ItemWeightRanking):
    """Score = sum of similarities over the history's items: each is exactly what its item adds."""


def learn(parts: RankingParts, config: ItemKNNConfig, folder: Path, seed: int, progress: Progress) -> None:
    """Find and write the neighbours, unless they are there already."""
    if (folder / _FILE).exists() or not is_main():
        return
    users_of_item = np.bincount(parts.seen[1], minlength=parts.n_items).astype(np.float32)
    near = neighbours(
        shared_users(parts), users_of_item, config.n_neighbours, config.similarity, config.shrink
    )
    weights = near.T.tocsr() if config.neighbours_of == "candidate" else near
    write_tensors(
        folder / _FILE,
        {
            "indptr": weights.indptr.astype(np.int64),
            "items": weights.indices.astype(np.int32),
            "values": weights.data.astype(np.float32),
            "popularity": parts.popularity.astype(np.int64),
        },
    )
    progress(ProgressEvent("item_knn", 1, 1))


def neighbours(
    gram: Gram, users_of_item: np.ndarray, n_neighbours: int, similarity: Similarity, shrink: float
) -> sparse.csr_array:
    """Return the similarities of each item to its nearest ones, (I, I) sparse, at most K per row.

    Equal similarities go to the lower item number. An item is no neighbour of itself, nor of one with which
    it shares no user.
    Cosine: shared / (sqrt(n_i n_j) + shrink); Jaccard: shared / (n_i + n_j - shared + shrink).

    Args:
        gram: gives the users shared with every item, rows of (I, I).
        users_of_item: (I,) float32 users n_i of each item.
        n_neighbours: K.
        similarity: which formula.
        shrink: at least 0.
    """
    n_items = len(users_of_item)
    rows, columns, values = [], [], []
    step = max(1, _CELLS // n_items)
    for start in range(0, n_items, step):
        items = np.arange(start, min(start + step, n_items))
        near = _similarities(gram(items), items, users_of_item, similarity, shrink)
        best = exact_top(torch.from_numpy(near), min(n_neighbours, n_items)).numpy()
        row, place = np.nonzero(best >= 0)
        rows.append(items[row])
        columns.append(best[row, place])
        values.append(near[row, columns[-1]])
    places = (np.concatenate(rows), np.concatenate(columns))
    return sparse.csr_array((np.concatenate(values), places), shape=(n_items, n_items))


def load(dataset: Dataset, config: ItemKNNConfig, folder: Path) -> ItemKNN:
    """Open a trained run."""
    tensors = read_tensors(folder / _FILE)
    n_items = len(tensors["popularity"])
    cells = (tensors["values"], tensors["items"], tensors["indptr"])
    weights = sparse.csr_array(cells, shape=(n_items, n_items))
    return ItemKNN(dataset, tensors["popularity"], weights, config.read_valid_at_test)


fit, validate = ranking_system(learn, load)


def _similarities(
    shared: np.ndarray, items: np.ndarray, users_of_item: np.ndarray, similarity: Similarity, shrink: float
) -> np.ndarray:
    """Return similarities (C, I), -inf where no user is shared and on the diagonal."""
    own = users_of_item[items, None]
    if similarity == "jaccard":
        norms = own + users_of_item - shared
    else:
        norms = np.sqrt(own * users_of_item)
    near = np.full(shared.shape, -np.inf, dtype=np.float32)
    np.divide(shared, norms + shrink, out=near, where=shared > 0)
    near[np.arange(len(items)), items] = -np.inf
    return near
