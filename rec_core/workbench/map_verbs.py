"""Verbs on a run's item spaces: tables, agreement between views, maps and neighbours."""

from __future__ import annotations

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
from rec_core.workbench.run_verbs import load_run

METHODS = ("umap", "pca")


def embeddings(run_id: str, *, workspace: Workspace | None = None) -> dict[str, EmbeddingTable]:
    """Return a run's item tables by view: "id", "text", "aligned"."""
    tables: dict[str, EmbeddingTable] = load_run(run_id, workspace=workspace).embeddings()
    return tables


def embed(run_id: str, *, workspace: Workspace | None = None) -> dict[str, Any]:
    """Return what each view is (items, known, dimensions, source), and how far the views agree."""
    tables = embeddings(run_id, workspace=workspace)
    views = {
        view: {
            "items": len(table.values),
            "known": int(table.known.sum()),
            "dimensions": table.values.shape[1],
            "source": table.source,
        }
        for view, table in tables.items()
    }
    return {"run": run_id, "views": views, "agreement": agreement(run_id, workspace=workspace)}


def agreement(run_id: str, *, workspace: Workspace | None = None) -> dict[str, Any]:
    """Return how far behaviour and words agree, over items known in every view.

    `pairs`: linear CKA (0..1) and the share of common 10 nearest neighbours (0..1) of each pair of views.
    `partner`: for the aligned view, the mean rank of an item's own ID vector among all (1 is best) and the
    distance between the centres of the two clouds. `uniformity`: per view, lower is more evenly spread.
    """
    tables = embeddings(run_id, workspace=workspace)
    known = np.logical_and.reduce([table.known for table in tables.values()])
    values = {view: table.values[known] for view, table in tables.items()}
    pairs = [("id", "text"), ("id", "aligned"), ("text", "aligned")]
    return {
        "items": int(known.sum()),
        "pairs": [
            {
                "a": a,
                "b": b,
                "cka": float(cka(values[a], values[b])),
                "knn_overlap": float(np.mean(knn_overlap(values[a], values[b], k=10))),
            }
            for a, b in pairs
        ],
        "partner": {
            "mean_rank": float(np.mean(partner_rank(values["aligned"], values["id"]))),
            "chance_rank": (int(known.sum()) + 1) / 2,
            "modality_gap": float(modality_gap(values["aligned"], values["id"])),
        },
        "uniformity": {view: float(uniformity(values[view])) for view in VIEWS},
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
    """Return a map of one view, made once per content: the items with popularity, x, y, trust and residual.

    `trust` is each item's trustworthiness (0..1): how near, in the original space, its neighbours on the map
    are.

    Raises:
        InputError: unknown view or method.
    """
    space = workspace or Workspace.from_environment()
    system = load_run(run_id, workspace=space)
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
    residual = _residuals(system)[points["item_num"]]
    popularity = system.popularity[points["item_num"]]
    return pd.concat([points, items.reset_index(drop=True)], axis=1).assign(
        popularity=popularity, residual=residual
    )


def is_projected(
    run_id: str, view: str, method: str = "umap", seed: int = 0, *, workspace: Workspace | None = None
) -> bool:
    """Tell whether `project` would return at once."""
    space = workspace or Workspace.from_environment()
    table = _table(load_run(run_id, workspace=space), view)
    return space.cache_path("projections", _map_key(table, method, seed)).is_dir()


def neighbours(
    run_id: str, view: str, item: str, k: int = 10, *, workspace: Workspace | None = None
) -> pd.DataFrame:
    """Return the nearest items by cosine in the view itself: rank, item_num, item_id, title, similarity."""
    system = load_run(run_id, workspace=workspace)
    table = _table(system, view)
    ids = system.dataset.interactions.item_ids
    num = int(Vocab(ids).nums([item])[0])
    scores, nums = ExactIndex(table.values, "cosine").search(table.values[[num]], min(k + 1, len(ids)))
    kept = [(s, n) for s, n in zip(scores[0], nums[0], strict=True) if n != num][:k]
    return pd.DataFrame(
        {
            "rank": np.arange(1, len(kept) + 1),
            "item_num": [int(n) for _, n in kept],
            "item_id": [str(ids[n]) for _, n in kept],
            "title": [system.prompter.titles[n] for _, n in kept],
            "similarity": [float(s) for s, _ in kept],
        }
    )


def _table(system: Any, view: str) -> EmbeddingTable:
    tables: dict[str, EmbeddingTable] = system.embeddings()
    if view not in tables:
        raise InputError(f"There is no view {view!r}; choose one of {', '.join(tables)}.")
    return tables[view]


def _map_key(table: EmbeddingTable, method: str, seed: int) -> dict[str, Any]:
    return {"values": content_hash(table.values, table.known), "method": method, "seed": seed}


def _residuals(system: Any) -> np.ndarray:
    """Return 1 - cosine of each item's aligned and ID vector (0..2): how far its words miss its behaviour."""
    tables = system.embeddings()
    a, b = tables["aligned"].values.astype(np.float64), tables["id"].values.astype(np.float64)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return 1.0 - np.divide((a * b).sum(axis=1), norms, out=np.zeros(len(a)), where=norms > 0)
