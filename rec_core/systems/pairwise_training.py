"""Train a net of node vectors with BPR on a ranking split, and keep its vectors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from rec_core.nets.interaction_graph import InteractionGraph
from rec_core.nets.matrix_factorisation import MatrixFactorisation
from rec_core.objectives.pairwise_ranking import PairwiseRanking
from rec_core.objectives.unseen_sampler import UnseenSampler
from rec_core.processes import is_main
from rec_core.seeding import torch_generator
from rec_core.systems.dot_product import dot_product_scores, has_vectors, save_vectors
from rec_core.systems.ranking_parts import RankingParts
from rec_core.systems.ranking_run import watch
from rec_core.training.loop import LoopConfig, run_epochs
from rec_core.types import Progress

MakeNet = Callable[[torch.Generator], MatrixFactorisation]
MakeObjective = Callable[[MatrixFactorisation, np.ndarray, np.ndarray, UnseenSampler], PairwiseRanking]


def learn_vectors(
    parts: RankingParts,
    make_net: MakeNet,
    make_objective: MakeObjective,
    loop: LoopConfig,
    folder: Path,
    seed: int,
    stage: str,
    progress: Progress,
) -> None:
    """Train and write user and item vectors, unless they are there already.

    Args:
        parts: training pairs and the validation question.
        make_net: generator -> net, on the CPU.
        make_objective: net, users, items, sampler -> objective.
        loop: epochs and optimiser.
        folder: the run's folder.
        seed: the run's seed.
        stage: what progress events are called.
        progress: called at every step.
    """
    if has_vectors(folder):
        return
    device = training_device()
    net = make_net(torch_generator(seed, stage, "weights")).to(device)
    users, items = parts.train_pairs
    objective = make_objective(net, users, items, UnseenSampler(parts.seen, parts.n_items, device))
    look = watch(parts, lambda: dot_product_scores(*net.vectors()))
    run_epochs(objective, loop, folder / "checkpoints", seed, stage, progress, look)
    if is_main():
        save_vectors(folder, *net.vectors(), parts)


def training_graph(parts: RankingParts) -> InteractionGraph:
    """Return the graph of the training pairs."""
    users, items = (torch.from_numpy(nums.astype(np.int64)) for nums in parts.train_pairs)
    return InteractionGraph(users, items, parts.n_users, parts.n_items)


def training_device() -> torch.device:
    """Return where nets are trained: CUDA where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
