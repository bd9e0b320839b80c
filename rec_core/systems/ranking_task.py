"""How an ID-based system is trained and judged: what every one of their configs holds."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rec_core.config import Config


class RankingTask(Config):
    """How a ranking is asked for and judged."""

    split: Literal["leave_one_out", "per_user", "given"] = Field(
        "leave_one_out",
        description="Each user's last two items held out, 80/10/10 of each user's items at random, or the "
        "parts a source comes cut into.",
    )
    positives: Literal["all", "likes"] = Field(
        "all", description="Every interaction counts as a positive, or only the likes."
    )
    hide_valid_at_test: bool = Field(
        True, description="Leave validation items out of the candidates of the test, as training items are."
    )
    cutoffs: tuple[int, ...] = Field(
        (5, 10, 20), min_length=1, description="List lengths k that are reported."
    )
    watch: str = Field(
        "ndcg@10",
        pattern=r"^(recall|ndcg|map|mrr|hit)@[1-9]\d*$",
        description="Validation metric of early stopping and of the hyperparameter search.",
    )
    n_sampled: int = Field(
        0, ge=0, description="Also rank each wanted item among this many sampled ones (0: full ranking only)."
    )


class RankingConfig(Config):
    """The part of a ranking system's settings that they all share."""

    task: RankingTask = Field(RankingTask(), description="How the data are cut and judged.")
    n_threads: int = Field(
        1,
        ge=1,
        le=256,
        description="Threads of torch; results on a CPU are bit-identical at the same number.",
    )
