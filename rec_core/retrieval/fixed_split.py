"""The merge that RALLRec's published code runs in place of equation 8.

Of the K retrieved items the floor(2K / 3) newest stay (equation 8 would keep the most similar), newest first;
behind them come the newest items of the history that are not in yet, oldest first, until there are K.

Source: the ML-1M and Amazon prompt builders of the authors' repository; alpha and beta do not occur there.
"""

from __future__ import annotations

from collections.abc import Sequence

from rec_core.retrieval.rerank import Ranked


def fixed_split(semantic: Sequence[int], recency: Sequence[int], top_k: int) -> list[Ranked]:
    """Return at most `top_k` rows in the order of the prompt; a row's score is 1 / its rank in its channel.

    Args:
        semantic: positions in the history, most similar first, at most `top_k`.
        recency: positions in the history, newest first.
        top_k: K.
    """
    rank_of = {int(position): rank for rank, position in enumerate(semantic, start=1)}
    kept = sorted(rank_of, reverse=True)[: 2 * top_k // 3]
    newest = [
        (int(position), rank) for rank, position in enumerate(recency, start=1) if int(position) not in kept
    ][: top_k - len(kept)]
    similar = [
        Ranked(position, "semantic", rank_of[position], 1 / rank_of[position], False) for position in kept
    ]
    recent = [Ranked(position, "recency", rank, 1 / rank, False) for position, rank in newest]
    return [*similar, *reversed(recent)]
