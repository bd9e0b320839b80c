"""One row of ranking metrics per user, for many list lengths in one pass."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from rec_core.evaluation.full_ranking import Ranking
from rec_core.metrics.ranking import hit_at_k, map_at_k, mrr_at_k, ndcg_at_k, recall_at_k
from rec_core.types import InputError

_METRICS = {"recall": recall_at_k, "ndcg": ndcg_at_k, "map": map_at_k, "mrr": mrr_at_k, "hit": hit_at_k}


def per_user_metrics(ranking: Ranking, ks: Sequence[int]) -> pd.DataFrame:
    """Return recall, ndcg, map, mrr and hit at every k, one row per held-out user; higher is better.

    The ranks alone decide: lists need not have been kept (`top_k=0`), and k may exceed their length. The
    formulas are those of `metrics.ranking`, fed with a table of hits as wide as the largest k.

    Args:
        ranking: what `rank_catalogue` returns.
        ks: list lengths, each at least 1; a repeated one counts once.

    Returns:
        user_num and the columns "recall@5", "recall@10", ..., "hit@10", values 0..1.

    Raises:
        InputError: there is no k, or one below 1.
    """
    if not len(ks):
        raise InputError("There is no list length to measure at; name at least one k.")
    hits, n_wanted = _hits(ranking, max(ks))
    columns = {
        f"{name}@{k}": metric(hits, n_wanted, k)
        for name, metric in _METRICS.items()
        for k in dict.fromkeys(ks)
    }
    return pd.DataFrame({"user_num": ranking.users, **columns})


def per_user_metric(ranking: Ranking, name: str) -> np.ndarray:
    """Return one column of `per_user_metrics` (B,), without making the others.

    Args:
        ranking: what `rank_catalogue` returns.
        name: the column, such as "ndcg@10".

    Raises:
        InputError: there is no metric of that name.
    """
    metric, _, k = name.partition("@")
    if metric not in _METRICS or not k.isdecimal() or int(k) < 1:
        raise InputError(f"There is no metric {name!r}; write one of {', '.join(_METRICS)} and @k.")
    return _METRICS[metric](*_hits(ranking, int(k)), int(k))


def _hits(ranking: Ranking, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return whether each of the first k places holds a wanted item (B, k), and how many are wanted (B,)."""
    rows, _ = ranking.held_out.wanted_places
    hits = np.zeros((len(ranking.users), k), dtype=bool)
    within = ranking.ranks <= k
    hits[rows[within], ranking.ranks[within] - 1] = True
    return hits, np.diff(ranking.held_out.wanted[0])
