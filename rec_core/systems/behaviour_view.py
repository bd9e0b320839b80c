"""The ID view: LightGCN trained with BPR on the training edges alone.

Paper: RALLRec section 2.2.2, equation 4, with LightGCN (section 3.2).
Differs from paper: nothing is published about width, depth, epochs or edges; all are settings here.
Differs from authors' code: it holds no LightGCN; its exported graph is a leave-one-out split that contains
almost all interactions of the later test period. Edges here end before the validation period begins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from pydantic import Field

from rec_core.config import Config
from rec_core.data.negatives import Seen, sample_negatives, seen_items
from rec_core.nets.lightgcn import LightGCN, normalised_adjacency
from rec_core.objectives.graph_bpr import GraphBPR
from rec_core.retrieval.full_ranking import top_unseen
from rec_core.seeding import torch_generator
from rec_core.store import read_tensors, write_tensors
from rec_core.training.loop import LoopConfig, run_epochs
from rec_core.types import EmbeddingTable, InputError, Interactions, Progress

_VALIDATION_K = 20


class BehaviourViewConfig(Config):
    """LightGCN and its training."""

    embedding_size: int = Field(64, ge=2, le=1024, description="Width D of user and item vectors.")
    n_layers: int = Field(2, ge=0, le=8, description="Propagation steps over the graph.")
    edges: Literal["all", "likes"] = Field(
        "all", description="Edges are all interactions, or the likes among them."
    )
    batch_size: int = Field(2048, ge=1, description="Edges per step.")
    reg: float = Field(1e-4, ge=0, description="L2 weight of the looked-up layer-0 rows.")
    loop: LoopConfig = Field(
        LoopConfig(epochs=60, learning_rate=1e-2, patience=8), description="Epochs and optimiser."
    )


@dataclass(frozen=True)
class BehaviourView:
    """Propagated vectors: `items` is the ID view, `users` (U, D) scores the catalogue by dot product."""

    items: EmbeddingTable
    users: np.ndarray


def train_behaviour_view(
    interactions: Interactions,
    train_rows: np.ndarray,
    valid_rows: np.ndarray,
    like_threshold: float,
    config: BehaviourViewConfig,
    folder: Path,
    work: Path,
    seed: int,
    progress: Progress,
) -> None:
    """Train on `train_rows` and write items, users and the mask of known items to `folder`.

    Early stopping watches Recall@20 of the validation likes of users the graph knows, seen items left out.

    Args:
        interactions: all rows, of which only the two parts given are read.
        train_rows: rows that become edges.
        valid_rows: rows that decide when to stop.
        like_threshold: a rating above this is a like; without ratings every row is one.
        config: net and training.
        folder: where the result goes.
        work: where checkpoints live.
        seed: the run's seed.
        progress: called at every step.

    Raises:
        InputError: no user has an item left that was not seen in training.
    """
    liked = ~(interactions.ratings <= like_threshold)  # NaN (no rating) counts as a like
    rows = train_rows[liked[train_rows]] if config.edges == "likes" else train_rows
    users, items = interactions.user_nums[rows], interactions.item_nums[rows]
    adjacency = normalised_adjacency(
        torch.from_numpy(users.astype(np.int64)),
        torch.from_numpy(items.astype(np.int64)),
        interactions.n_users,
        interactions.n_items,
    )
    net = LightGCN(
        interactions.n_users,
        interactions.n_items,
        config.embedding_size,
        config.n_layers,
        adjacency,
        torch_generator(seed, "behaviour view", "weights"),
    ).to("cuda" if torch.cuda.is_available() else "cpu")
    seen = seen_items(users, items, interactions.n_users, interactions.n_items)
    open_ended = np.diff(seen[0])[users] < interactions.n_items  # who has seen all has no negative item
    if not open_ended.any():
        raise InputError(
            "Every user has every item in training, so there is nothing to prefer; import more items."
        )
    objective = GraphBPR(
        net,
        users[open_ended],
        items[open_ended],
        lambda who, rng: sample_negatives(who, seen, interactions.n_items, rng),
        config.batch_size,
        config.reg,
    )
    validate = _validation(net, interactions, seen, valid_rows[liked[valid_rows]])
    run_epochs(objective, config.loop, work, seed, "behaviour view", progress, validate)
    with torch.no_grad():
        user_vectors, item_vectors = (t.cpu().numpy().astype(np.float32) for t in net())
    known = np.bincount(items, minlength=interactions.n_items) > 0
    write_tensors(
        folder / "behaviour.safetensors",
        {"users": user_vectors, "items": item_vectors * known[:, None], "known": known.astype(np.uint8)},
    )


def load_behaviour_view(folder: Path) -> BehaviourView:
    """Read what `train_behaviour_view` wrote."""
    tensors = read_tensors(folder / "behaviour.safetensors")
    table = EmbeddingTable(
        "id", tensors["items"], tensors["known"].astype(bool), "LightGCN on training edges"
    )
    return BehaviourView(table, tensors["users"])


def _validation(
    net: LightGCN, interactions: Interactions, seen: Seen, wanted_rows: np.ndarray
) -> Callable[[], float] | None:
    """Return Recall@20 over validation likes the graph has not seen, or None when no known user has any."""
    users, items = interactions.user_nums[wanted_rows], interactions.item_nums[wanted_rows]
    wanted = seen_items(users, items, interactions.n_users, interactions.n_items)
    cases = []
    for user in np.unique(users):
        before = _items_of(seen, user)
        fresh = np.setdiff1d(_items_of(wanted, user), before)
        if len(before) and len(fresh):
            cases.append((int(user), before, fresh))
    if not cases:
        return None
    known = [user for user, _, _ in cases]
    top_k = min(_VALIDATION_K, interactions.n_items)

    def recall() -> float:
        user_vectors, item_vectors = (t.detach().cpu().numpy() for t in net())
        top = top_unseen(user_vectors[known], item_vectors, [before for _, before, _ in cases], top_k)
        hits = [np.isin(row, fresh).sum() / len(fresh) for row, (_, _, fresh) in zip(top, cases, strict=True)]
        return float(np.mean(hits))

    return recall


def _items_of(seen: Seen, user: int) -> np.ndarray:
    indptr, items = seen
    return items[indptr[user] : indptr[user + 1]]
