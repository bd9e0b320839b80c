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
from rec_core.data.seen import Seen, seen_items
from rec_core.evaluation.full_ranking import rank_catalogue
from rec_core.evaluation.held_out import HeldOut
from rec_core.evaluation.per_user import per_user_metrics
from rec_core.nets.interaction_graph import InteractionGraph
from rec_core.nets.lightgcn import LightGCN
from rec_core.objectives.pairwise_ranking import PairwiseRanking
from rec_core.objectives.unseen_sampler import UnseenSampler
from rec_core.seeding import torch_generator
from rec_core.store import read_tensors, write_tensors
from rec_core.systems.dot_product import dot_product_scores
from rec_core.training.loop import LoopConfig, run_epochs
from rec_core.types import EmbeddingTable, Interactions, Progress

BEHAVIOUR_FILE = "behaviour.safetensors"
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
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    graph = InteractionGraph(
        torch.from_numpy(users.astype(np.int64)),
        torch.from_numpy(items.astype(np.int64)),
        interactions.n_users,
        interactions.n_items,
    )
    weights = torch_generator(seed, "behaviour view", "weights")
    net = LightGCN(config.embedding_size, config.n_layers, graph, weights).to(device)
    seen = seen_items(users, items, interactions.n_users, interactions.n_items)
    sampler = UnseenSampler(seen, interactions.n_items, device)
    objective = PairwiseRanking(net, users, items, sampler, config.batch_size, config.reg)
    validate = _validation(net, interactions, seen, valid_rows[liked[valid_rows]])
    run_epochs(objective, config.loop, work, seed, "behaviour view", progress, validate)
    with torch.no_grad():
        user_vectors, item_vectors = (t.cpu().numpy().astype(np.float32) for t in net.vectors())
    known = np.bincount(items, minlength=interactions.n_items) > 0
    write_tensors(
        folder / BEHAVIOUR_FILE,
        {"users": user_vectors, "items": item_vectors * known[:, None], "known": known.astype(np.uint8)},
    )


def load_behaviour_view(folder: Path) -> BehaviourView:
    """Read what `train_behaviour_view` wrote."""
    tensors = read_tensors(folder / BEHAVIOUR_FILE)
    table = EmbeddingTable(
        "id", tensors["items"], tensors["known"].astype(bool), "LightGCN on training edges"
    )
    return BehaviourView(table, tensors["users"])


def _validation(
    net: LightGCN, interactions: Interactions, seen: Seen, wanted_rows: np.ndarray
) -> Callable[[], float] | None:
    """Return Recall@20 over validation likes the graph has not seen, or None when no known user has any."""
    users, items = interactions.user_nums[wanted_rows], interactions.item_nums[wanted_rows]
    known = np.diff(seen[0])[users] > 0
    held_out = HeldOut.of(users[known], items[known], seen, interactions.n_items)
    if not len(held_out):
        return None

    def recall() -> float:
        ranking = rank_catalogue(dot_product_scores(*net.vectors()), held_out, interactions.n_items, top_k=0)
        return float(per_user_metrics(ranking, [_VALIDATION_K])[f"recall@{_VALIDATION_K}"].mean())

    return recall
