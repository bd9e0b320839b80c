"""The alpha / beta reranker: merge what resembles the target with what is recent.

Paper: RALLRec section 2.4, equation 8. alpha weighs the semantic channel, 1 - alpha the recency channel; the
r-th item of a channel gets its weight divided by r ** beta.
Differs from paper: the paper leaves open what an item of both channels scores, how ties fall and in which
order the prompt lists the result. Here it takes the better of its two scores (or their sum), ties go to the
semantic channel and then to the better rank, and the order is by score or by time.
Differs from authors' code: there alpha and beta do not exist; 2K/3 of the retrieved items are merged with
K/3 recent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from rec_core.config import Config
from rec_core.types import Channel


class RerankConfig(Config):
    """The settings of equation 8."""

    alpha: float = Field(
        2 / 3, ge=0, le=1, description="Weight of the semantic channel; recency has 1 - alpha."
    )
    beta: float = Field(
        1.0,
        gt=0,
        le=10,
        description="How fast weight falls with rank: 1 / rank ** beta; 0 would be no order.",
    )
    top_k: int = Field(30, ge=1, le=1000, description="History items shown, K.")
    order: Literal["score", "chronological"] = Field("score", description="How the prompt lists them.")
    duplicates: Literal["max", "sum"] = Field("max", description="Score of an item that both channels hold.")


@dataclass(frozen=True)
class Ranked:
    """One chosen history row.

    Its position (0 = oldest), the channel it counts for, its rank there, its score, and whether another
    candidate had the same score.
    """

    position: int
    channel: Channel
    rank: int
    score: float
    tied: bool


def rerank(semantic: Iterable[int], recency: Iterable[int], config: RerankConfig) -> list[Ranked]:
    """Return the best `top_k` of both channels by equation 8.

    With alpha = 1 this is the semantic order (recent items, which then score 0, only fill up behind it); with
    alpha = 0 the recency order; at alpha = 1/2 beta changes nothing.

    Args:
        semantic: positions in the history, most similar first.
        recency: positions in the history, newest first.
        config: alpha, beta, K, order, duplicates.
    """
    best: dict[int, tuple[float, int, int]] = {}  # position -> (score, channel, rank); channel 0 is semantic
    for channel, (positions, weight) in enumerate(((semantic, config.alpha), (recency, 1 - config.alpha))):
        for rank, position in enumerate(positions, start=1):
            place = int(position)
            entry = (_score(weight, rank, config.beta), channel, rank)
            if place not in best:
                best[place] = entry
            elif config.duplicates == "sum":
                best[place] = _summed(best[place], entry)
            elif entry[0] > best[place][0]:
                best[place] = entry
    ordered = sorted(best.items(), key=lambda pair: (-pair[1][0], pair[1][1], pair[1][2]))
    scores = [entry[0] for _, entry in ordered]
    chosen = [
        Ranked(place, "recency" if channel else "semantic", rank, score, scores.count(score) > 1)
        for place, (score, channel, rank) in ordered[: config.top_k]
    ]
    if config.order == "chronological":
        chosen.sort(key=lambda row: row.position)
    return chosen


def prompt_order(config: RerankConfig) -> Literal["relevance", "chronological"]:
    """Return what the prompt says of the order of its list."""
    return "relevance" if config.order == "score" else "chronological"


def beta_is_idle(config: RerankConfig) -> bool:
    """Tell whether beta changes nothing: at alpha = 1/2 the channels simply alternate."""
    return config.alpha == 0.5 and config.duplicates == "max"


def _score(weight: float, rank: int, beta: float) -> float:
    return _exact(weight / rank**beta)


def _summed(first: tuple[float, int, int], second: tuple[float, int, int]) -> tuple[float, int, int]:
    stronger = second if second[0] > first[0] else first
    return (_exact(first[0] + second[0]), stronger[1], stronger[2])


def _exact(score: float) -> float:
    """Return the score to 12 digits.

    At alpha = 2/3 the semantic item of rank 2r ties with the recent one of rank r; binary fractions would
    decide such ties by chance.
    """
    return float(f"{score:.12g}")
