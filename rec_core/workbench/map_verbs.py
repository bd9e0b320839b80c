"""Verbs on a run's item spaces: tables, agreement between views, maps and neighbours."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rec_core.data.vocab import Vocab
from rec_core.projections.pca_map import pca_map
from rec_core.projections.trust import (
    cka,
    knn_overlap,
    modality_gap,
    partner_rank,
    trustworthiness_per_item,
    uniformity,
)
from rec_core.projections.umap_map import umap_map
from rec_core.retrieval.index import ExactIndex
from rec_core.store import Workspace, content_hash, write_table
from rec_core.types import VIEWS, EmbeddingTable, InputError, Progress, ProgressEvent, ignore_progress
from rec_core.workbench.capability_verbs import capable
from rec_core.workbench.question import titles_of

METHODS = ("umap", "pca")


def embeddings(run_id: str, *, workspace: Workspace | None = None) -> dict[str, EmbeddingTable]:
    """Return a run's item tables by view, those of "id", "text" and "aligned" that it has.

    Raises:
        InputError: the run is not finished, or has no item vectors.
    """
    return _tables(capable(run_id, "EmbeddingSource", workspace=workspace))


def views(run_id: str, *, workspace: Workspace | None = None) -> list[str]:
    """Return the names of a run's views, of "id", "text" and "aligned" in this order."""
    return list(embeddings(run_id, workspace=workspace))


def embed(run_id: str, *, workspace: Workspace | None = None) -> dict[str, Any]:
    """Return what each view is (items, known, dimensions, source), and how far the views agree."""
    tables = embeddings(run_id, workspace=workspace)
    facts = {
        view: {
            "items": len(table.values),
            "known": int(table.known.sum()),
            "dimensions": table.values.shape[1],
            "source": table.source,
        }
        for view, table in tables.items()
    }
    return {"run": run_id, "views": facts, "agreement": agreement(run_id, workspace=workspace)}


def agreement(run_id: str, *, workspace: Workspace | None = None) -> dict[str, Any]:
    """Return how far behaviour and words agree, over items known in every view.

    `pairs`: linear CKA (0..1) and the share of common 10 nearest neighbours (0..1) of each pair of views.
    `partner`: for the aligned view, the mean rank of an item's own ID vector among all (1 is best) and the
    distance between the centres of the two clouds; None where one of them is lacking. `uniformity`: per view,
    lower is more evenly spread. A run with a single view has no pairs.
    """
    tables = embeddings(run_id, workspace=workspace)
    known = np.logical_and.reduce([table.known for table in tables.values()])
    values = {view: table.values[known] for view, table in tables.items()}
    partner = None
    if {"id", "aligned"} <= set(values):
        partner = {
            "mean_rank": float(np.mean(partner_rank(values["aligned"], values["id"]))),
            "chance_rank": (int(known.sum()) + 1) / 2,
            "modality_gap": float(modality_gap(values["aligned"], values["id"])),
        }
    return {
        "items": int(known.sum()),
        "pairs": [
            {
                "a": a,
                "b": b,
                "cka": float(cka(values[a], values[b])),
                "knn_overlap": float(np.mean(knn_overlap(values[a], values[b], k=10))),
            }
            for a, b in combinations(values, 2)
        ],
        "partner": partner,
        "uniformity": {view: float(uniformity(vectors)) for view, vectors in values.items()},
    }


def project(
    run_id: str,
    view: str,
    method: str = "umap",
    seed: int = 0,
    progress: Progress = ignore_progress,
    *,
    workspace: Workspace | None = None,
) -> pd.DataFrame:
    """Return a map of one view, made once per content: the items with popularity, x, y and trust.

    `trust` is each item's trustworthiness (0..1): how near, in the original space, its neighbours on the map
    are. A run with an aligned and an ID view also has `residual`, 1 - the cosine of an item's two vectors
    (0..2): how far its words miss its behaviour.

    Raises:
        InputError: unknown view or method, or a run without item vectors.
    """
    space = workspace or Workspace.from_environment()
    system = capable(run_id, "EmbeddingSource", workspace=space)
    table = _table(system, view)
    if method not in METHODS:
        raise InputError(f"There is no projection {method!r}; choose one of {', '.join(METHODS)}.")
    rows = np.flatnonzero(table.known)

    def build(folder: Path) -> None:
        progress(ProgressEvent(f"{method} of the {view} view", 0, 1))
        values = table.values[rows]
        points = umap_map(values, seed) if method == "umap" else pca_map(values)
        trust = trustworthiness_per_item(values, points)
        frame = pd.DataFrame({"item_num": rows, "x": points[:, 0], "y": points[:, 1], "trust": trust})
        write_table(folder / "map.parquet", frame)
        progress(ProgressEvent(f"{method} of the {view} view", 1, 1))

    folder = space.cached("projections", _map_key(table, method, seed), build)
    points = pd.read_parquet(folder / "map.parquet")
    items = system.dataset.catalogue.table.loc[points["item_num"], ["item_id", "title", "year", "genres"]]
    popularity = _popularity(system)[points["item_num"]]
    frame = pd.concat([points, items.reset_index(drop=True)], axis=1).assign(popularity=popularity)
    tables = _tables(system)
    if {"id", "aligned"} <= set(tables):
        frame["residual"] = _residuals(tables)[points["item_num"]]
    return frame


def is_projected(
    run_id: str, view: str, method: str = "umap", seed: int = 0, *, workspace: Workspace | None = None
) -> bool:
    """Tell whether `project` would return at once."""
    space = workspace or Workspace.from_environment()
    table = _table(capable(run_id, "EmbeddingSource", workspace=space), view)
    return space.cache_path("projections", _map_key(table, method, seed)).is_dir()


def neighbours(
    run_id: str, view: str, item: str, k: int = 10, *, workspace: Workspace | None = None
) -> pd.DataFrame:
    """Return the nearest items by cosine in the view itself: rank, item_num, item_id, title, similarity."""
    system = capable(run_id, "EmbeddingSource", workspace=workspace)
    table, titles = _table(system, view), titles_of(system)
    ids = system.dataset.interactions.item_ids
    num = int(Vocab(ids).nums([item])[0])
    scores, nums = ExactIndex(table.values, "cosine").search(table.values[[num]], min(k + 1, len(ids)))
    kept = [(s, n) for s, n in zip(scores[0], nums[0], strict=True) if n != num][:k]
    return pd.DataFrame(
        {
            "rank": np.arange(1, len(kept) + 1),
            "item_num": [int(n) for _, n in kept],
            "item_id": [str(ids[n]) for _, n in kept],
            "title": [titles[n] for _, n in kept],
            "similarity": [float(s) for s, _ in kept],
        }
    )


def _tables(system: Any) -> dict[str, EmbeddingTable]:
    given: dict[str, EmbeddingTable] = system.embeddings()
    return {view: given[view] for view in VIEWS if view in given}


def _table(system: Any, view: str) -> EmbeddingTable:
    tables = _tables(system)
    if view not in tables:
        raise InputError(f"There is no view {view!r}; choose one of {', '.join(tables)}.")
    return tables[view]


def _popularity(system: Any) -> np.ndarray:
    """Return the training rows of each item (I,), all its rows where a system does not say."""
    counted = getattr(system, "popularity", None)
    nums = system.dataset.interactions.item_nums
    return np.bincount(nums, minlength=len(system.dataset.catalogue)) if counted is None else counted


def _map_key(table: EmbeddingTable, method: str, seed: int) -> dict[str, Any]:
    return {"values": content_hash(table.values, table.known), "method": method, "seed": seed}


def _residuals(tables: dict[str, EmbeddingTable]) -> np.ndarray:
    a, b = tables["aligned"].values.astype(np.float64), tables["id"].values.astype(np.float64)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return 1.0 - np.divide((a * b).sum(axis=1), norms, out=np.zeros(len(a)), where=norms > 0)
