"""The verb behind the sliders: both channels and the merged evidence for one target at any alpha and beta."""

from __future__ import annotations

from typing import Any

from rec_core.retrieval.rerank import Ranked, RerankConfig, beta_is_idle, prompt_order
from rec_core.retrieval.rerank import rerank as merge
from rec_core.store import Workspace
from rec_core.types import ScoreRequest
from rec_core.workbench.capability_verbs import capable
from rec_core.workbench.question import number, request_of, titles_of

NEEDS = ("ChannelMerger",)
IDLE_BETA = "At alpha = 1/2 both channels weigh the same and beta changes nothing."


def rerank(
    run_id: str,
    user: str,
    item: str,
    alpha: float,
    beta: float,
    top_k: int = 30,
    order: str = "score",
    *,
    workspace: Workspace | None = None,
) -> dict[str, Any]:
    """Return both channels and the merged evidence for one target at the given alpha and beta (equation 8).

    Args:
        run_id: a finished run.
        user: a user id.
        item: the target's id; of an item the user has rated, only the history before it counts.
        alpha: weight of the semantic channel, 0..1.
        beta: how fast weight falls with rank, above 0.
        top_k: history items kept, K.
        order: "score" or "chronological", how the prompt lists them.
        workspace: where runs live.

    Raises:
        InputError: a setting out of bounds, an unknown id, or a run without a reranker.
    """
    system = capable(run_id, *NEEDS, workspace=workspace)
    request = request_of(system, user, item)
    config = RerankConfig.from_values({"alpha": alpha, "beta": beta, "top_k": top_k, "order": order})
    semantic, recency = system.channels([request], config.top_k)[0]
    merged = merge(semantic, recency, config)
    titles = titles_of(system)
    rows = _rows(system, request, titles)
    prompt, prob = system.read(request, merged, prompt_order(config))
    return {
        "run": run_id,
        "user": user,
        "item": item,
        "title": titles[request.item_num],
        "alpha": alpha,
        "beta": beta,
        "note": IDLE_BETA if beta_is_idle(config) else "",
        "semantic": [{**rows[p], "rank": rank} for rank, p in enumerate(semantic, start=1)],
        "recency": [{**rows[p], "rank": rank} for rank, p in enumerate(recency, start=1)],
        "evidence": [{**rows[r.position], **_place(r, rank)} for rank, r in enumerate(merged, start=1)],
        "prompt": prompt,
        "p_yes": prob,
    }


def _rows(system: Any, request: ScoreRequest, titles: list[str]) -> list[dict[str, Any]]:
    """Return one record per history row; `similarity` is its likeness to the target."""
    history = request.history
    ids = system.dataset.interactions.item_ids
    closeness = system.likeness(request)
    return [
        {
            "position": position,
            "item_id": str(ids[num]),
            "title": titles[num],
            "rating": number(history.ratings[position]),
            "similarity": float(closeness[position]),
        }
        for position, num in enumerate(history.item_nums)
    ]


def _place(ranked: Ranked, rank: int) -> dict[str, Any]:
    return {
        "rank": rank,
        "channel": ranked.channel,
        "channel_rank": ranked.rank,
        "score": ranked.score,
        "tied": ranked.tied,
    }
