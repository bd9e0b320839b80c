"""What the arithmetic must cost at least on this machine, and what ours costs.

    python benchmarks/floors.py --data ml-100k
    python benchmarks/floors.py --data ml-1m --json

A floor is bytes and operations that no implementation can do without, divided by the rates at which this
core copies memory and multiplies matrices in the same run:

- a BPR step reads three rows per pair, clears a gradient table, adds three rows per pair to it, and Adam
  reads four numbers per parameter and writes three;
- a LightGCN step adds two products per layer, forwards and backwards, each of which reads one row per edge
  and direction and writes every node;
- a full ranking multiplies users by items and passes over the scores twice: written once, read once.

Rates are those of copying blocks as large as what is moved: the table of all vectors; for products, whose
reads mostly hit popular nodes, 256 kB; for scores, the block that is ranked at a time. Nothing else may run
beside it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.cases import ranking_case
from benchmarks.rows import Row, command, seconds
from rec_core.evaluation.full_ranking import rank_catalogue
from rec_core.nets.lightgcn import LightGCN
from rec_core.nets.matrix_factorisation import MatrixFactorisation
from rec_core.objectives.pairwise_ranking import PairwiseRanking
from rec_core.objectives.unseen_sampler import UnseenSampler
from rec_core.systems.dot_product import dot_product_scores
from rec_core.systems.pairwise_training import training_graph
from rec_core.systems.ranking_parts import RankingParts
from rec_core.systems.ranking_task import RankingTask
from rec_core.training.step import Stepper

PAIRS, SIZE, LAYERS = 2048, 64, 2
_FLOAT = 4
_HOT = 2**16 * _FLOAT
_BLOCK = 2**20 * _FLOAT  # a block of scores, as `rank_catalogue` cuts them


def measure(data: str) -> list[Row]:
    """Return a row per piece of work: bytes, operations, floor and our milliseconds."""
    case = ranking_case(data)
    parts = RankingParts(case.dataset, RankingTask(), case.split)
    users, items = parts.train_pairs
    n_nodes = parts.n_users + parts.n_items
    table = n_nodes * SIZE * _FLOAT
    rows = PAIRS * SIZE * _FLOAT

    generator = torch.Generator().manual_seed(0)
    sampler = UnseenSampler(parts.seen, parts.n_items, torch.device("cpu"))
    plain = MatrixFactorisation(parts.n_users, parts.n_items, SIZE, generator)
    graph = LightGCN(SIZE, LAYERS, training_graph(parts), generator)
    objectives = [PairwiseRanking(net, users, items, sampler, PAIRS, 0.0) for net in (plain, graph)]

    step = 3 * rows + table + 6 * rows + 7 * table
    products = 2 * LAYERS * (2 * len(users) * SIZE * _FLOAT + table)
    scores = len(parts.valid) * parts.n_items * _FLOAT
    flop = 2 * len(parts.valid) * parts.n_items * SIZE
    of_table, of_hot_rows, of_scores = copy_rate(table), copy_rate(_HOT), copy_rate(_BLOCK)
    vectors = dot_product_scores(*plain.vectors())
    return [
        _row("BPR step", step, 0, step / of_table, seconds(stepping(objectives[0]))),
        _row(
            "LightGCN step",
            step + products,
            0,
            step / of_table + products / of_hot_rows,
            seconds(stepping(objectives[1])),
        ),
        _row(
            "full ranking",
            2 * scores,
            flop,
            2 * scores / of_scores + flop / product_rate(parts.n_items),
            seconds(lambda: rank_catalogue(vectors, parts.valid, parts.n_items, top_k=0)),
        ),
    ]


def copy_rate(n_bytes: int) -> float:
    """Return the bytes per second read and written by copying a block of this size."""
    source = torch.ones(n_bytes // _FLOAT)
    target = torch.empty_like(source)
    return 2 * n_bytes / seconds(lambda: target.copy_(source))


def product_rate(n_items: int) -> float:
    """Return the operations per second of multiplying a block of users by all items."""
    n_users = max(1, _BLOCK // _FLOAT // n_items)
    users, items = torch.ones(n_users, SIZE), torch.ones(n_items, SIZE)
    into = torch.empty(n_users, n_items)
    return 2 * n_users * n_items * SIZE / seconds(lambda: torch.mm(users, items.T, out=into))


def stepping(objective: PairwiseRanking) -> Callable[[], Any]:
    """Return a function that takes one training step, over batches drawn beforehand."""
    stepper = Stepper(objective, 1e-3, 0.0, "fp32")
    whole = [batch for batch in objective.batches(np.random.default_rng(0)) if len(batch[0]) == PAIRS]
    batches: Iterator[Any] = cycle(whole)
    return lambda: stepper.step(next(batches))


def line(row: Row) -> str:
    """Return a row for people."""
    return (
        f"{row['what']:22} {row['megabytes']:8.1f} MB {row['megaflop']:8.1f} Mflop  floor "
        f"{row['floor_ms']:7.2f} ms  ours {row['ours_ms']:7.2f} ms  {row['times']:5.1f} times"
    )


def _row(what: str, n_bytes: float, flop: float, floor: float, ours: float) -> Row:
    return {
        "what": what,
        "megabytes": n_bytes / 1e6,
        "megaflop": flop / 1e6,
        "floor_ms": floor * 1e3,
        "ours_ms": ours * 1e3,
        "times": ours / floor,
    }


if __name__ == "__main__":
    command("Floors of a BPR step, a LightGCN step and a full ranking.", measure, line)
