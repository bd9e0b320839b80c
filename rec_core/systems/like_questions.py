"""The like questions of a dataset, cut by time or by user, and the requests they turn into."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rec_core.data.ctr import make_ctr_samples, rows_around
from rec_core.data.histories import HistoryStore
from rec_core.data.splits import global_time
from rec_core.types import CTRSamples, Dataset, InputError, Questions, ScoreRequest, Split

_FEWEST_SAMPLES = 10  # below, a tenth is no row at all
CUT: dict[Questions, str] = {
    "every_rating": "cut 80/10/10 by global time",
    "last_of_user": "one per user, about the last of their shuffled rows, cut 80/10/10 by user at random",
}
"""How the like questions of a dataset are divided, for people."""


@dataclass(frozen=True)
class Parts:
    """The like questions of a dataset in three parts, and the interactions that go with two of them."""

    samples: CTRSamples
    split: Split  # of the samples
    train_rows: np.ndarray  # interactions that may be learned from
    valid_rows: np.ndarray  # interactions that decide when to stop

    @classmethod
    def of(cls, dataset: Dataset, min_history: int) -> Parts:
        """Cut 80 / 10 / 10 of the samples in their order (ReLLa and RALLRec).

        That is by global time; where a dataset asks once per user, its rows stand so that it is by user at
        random (`data.last_of_user`).

        Raises:
            InputError: there are too few samples for three parts.
        """
        rows, asks = dataset.interactions, dataset.questions
        samples = make_ctr_samples(rows, dataset.like_threshold, min_history, asks)
        if len(samples) < _FEWEST_SAMPLES:
            raise InputError(
                f"The dataset {dataset.name!r} gives {len(samples)} like questions, and at least "
                f"{_FEWEST_SAMPLES} are needed; import more ratings or lower min_history (now {min_history})."
            )
        split = global_time(len(samples))
        return cls(samples, split, *rows_around(samples, split, len(rows), asks))


def requests_of(dataset: Dataset, samples: CTRSamples) -> list[ScoreRequest]:
    """Return the like questions as requests, each with the history before its target."""
    histories = HistoryStore(dataset.interactions)
    return [
        ScoreRequest(int(user), histories.of(int(user), int(length)), int(item))
        for user, item, length in zip(
            samples.user_nums, samples.item_nums, samples.history_lengths, strict=True
        )
    ]
