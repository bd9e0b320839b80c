"""How time and memory grow: one LightGCN epoch and a full evaluation at 1, 5 and 20 million interactions.

    python benchmarks/scale.py
    python benchmarks/scale.py --sizes 1 5 --threads 1 --json

Interactions are generated: a hundred per user, 50,000 items with popularity falling as 1 / rank^0.7, random
times. An epoch has ten steps at every size (a step passes over the whole graph, so its cost hardly depends on
its batch), two layers and 64 dimensions. Every user with held-out items is then ranked over the whole
catalogue. Each size runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
N_ITEMS, PER_USER, N_STEPS = 50_000, 100, 10
GIB = 1024**3


def generated(n_rows: int):
    """Return a dataset of `n_rows` interactions, about 0.5 % fewer after repeats are taken out."""
    import numpy as np
    import pandas as pd

    from rec_core.data.interactions import make_interactions
    from rec_core.data.vocab import Vocab
    from rec_core.types import Catalogue, Dataset

    rng = np.random.default_rng(0)
    n_users = n_rows // PER_USER
    weights = 1 / np.arange(1, N_ITEMS + 1) ** 0.7
    items = np.searchsorted(np.cumsum(weights) / weights.sum(), rng.random(n_rows)).clip(max=N_ITEMS - 1)
    pairs = np.unique(rng.integers(n_users, size=n_rows) * N_ITEMS + items)
    users, items = pairs // N_ITEMS, pairs % N_ITEMS
    interactions = make_interactions(
        users,
        items,
        None,
        rng.integers(10**9, size=len(pairs)),
        users=Vocab(np.arange(n_users)),
        items=Vocab(np.arange(N_ITEMS)),
    )
    ids = interactions.item_ids.astype(str)
    table = pd.DataFrame({"item_id": ids, "title": ids, "year": pd.NA, "genres": "", "description": ""})
    return Dataset(
        name="generated",
        interactions=interactions,
        catalogue=Catalogue(table.astype({"year": "Int64"})),
        users=pd.DataFrame({"user_id": interactions.user_ids}),
        source="generated",
        licence="none",
        content_hash=str(n_rows),
        like_threshold=3.0,
        max_rating=5.0,
        item_noun="item",
        simulated=True,
    )


def measure(n_rows: int, threads: int) -> dict[str, float]:
    """Train one epoch and evaluate everybody; return seconds by stage and the peak of resident memory."""
    from rec_core.device import set_threads
    from rec_core.evaluation.full_ranking import rank_catalogue
    from rec_core.evaluation.per_user import per_user_metrics
    from rec_core.systems.graph_cf import GraphCFConfig, learn, load
    from rec_core.systems.ranking_parts import RankingParts
    from rec_core.types import ignore_progress

    set_threads(threads)
    seconds: dict[str, float] = {}

    @contextmanager
    def timed(stage: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        seconds[stage] = time.perf_counter() - started

    with timed("generate"):
        dataset = generated(n_rows)
    config = GraphCFConfig.from_values(
        {
            "batch_size": -(-len(dataset.interactions) // N_STEPS),
            "loop": {"epochs": 1, "evaluate_every": 2},
            "n_threads": threads,
        }
    )
    with timed("split"):
        parts = RankingParts.of(dataset, config.task)
    with tempfile.TemporaryDirectory() as folder:
        with timed("epoch"):
            learn(parts, config, Path(folder), 0, ignore_progress)
        system = load(dataset, config, Path(folder))
    with timed("evaluation"):
        ranking = rank_catalogue(system.user_scores(parts, "test"), parts.test, parts.n_items, top_k=20)
        per_user = per_user_metrics(ranking, (5, 10, 20))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB
    return {
        "interactions": len(dataset.interactions),
        "test_users": len(per_user),
        **{f"{stage}_s": round(value, 2) for stage, value in seconds.items()},
        "peak_gib": round(peak, 2),
    }


def main() -> None:
    """Run every size in a process of its own and print the growth."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=float, nargs="+", default=[1, 5, 20], help="millions of interactions")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if args.one:
        print(json.dumps(measure(args.one, args.threads)))
        return
    rows = []
    for size in args.sizes:
        command = [sys.executable, __file__, "--one", str(int(size * 1e6)), "--threads", str(args.threads)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        print(rows[-1], file=sys.stderr, flush=True)
    if args.json:
        print(json.dumps(_document(rows)))
        return
    first = rows[0]
    print(
        f"{'':14}"
        + "".join(f"{row['interactions']:>14,}" for row in rows)
        + "   growth per row, last against first"
    )
    for name in first:
        ratio = rows[-1][name] / first[name] if first[name] else float("nan")
        growth = ratio / (rows[-1]["interactions"] / first["interactions"])
        print(f"{name:14}" + "".join(f"{row[name]:>14,}" for row in rows) + f"   {growth:.2f}")


def _document(rows: list[dict[str, float]]) -> dict[str, object]:
    """Return the rows in the form all benchmarks share; there is no peer here, so no ratio."""
    entries = [
        {
            "name": f"{row['interactions']:,} interactions",
            "metric": metric,
            "unit": metric.rpartition("_")[2],
            "ours": value,
            "peer": None,
            "ratio": None,
            "higher_is_better": False,
        }
        for row in rows
        for metric, value in row.items()
        if metric not in ("interactions", "test_users")
    ]
    return {"benchmark": "scale", "machine": platform.processor() or platform.machine(), "rows": entries}


if __name__ == "__main__":
    main()
