"""The like questions of a dataset, cut by time, and the requests they turn into."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rec_core.data.ctr import make_ctr_samples
from rec_core.data.histories import HistoryStore
from rec_core.data.splits import global_time
from rec_core.types import CTRSamples, Dataset, InputError, ScoreRequest, Split

_FEWEST_SAMPLES = 10  # below, a tenth is no row at all


@dataclass(frozen=True)
class Parts:
    """The like questions of a dataset, cut by time, and the interactions on either side of the cuts."""

    samples: CTRSamples
    split: Split  # of the samples
    train_rows: np.ndarray  # interactions before the first validation sample
    valid_rows: np.ndarray  # interactions from there to the first test sample

    @classmethod
    def of(cls, dataset: Dataset, min_history: int) -> Parts:
        """Cut 80 / 10 / 10 of the samples by global time (ReLLa and RALLRec).

        Raises:
            InputError: there are too few samples for three parts.
        """
        samples = make_ctr_samples(dataset.interactions, dataset.like_threshold, min_history)
        if len(samples) < _FEWEST_SAMPLES:
            raise InputError(
                f"The dataset {dataset.name!r} gives {len(samples)} like questions, and at least "
                f"{_FEWEST_SAMPLES} are needed; import more ratings or lower min_history (now {min_history})."
            )
        split = global_time(len(samples))
        first_valid, first_test = samples.rows[split.valid[0]], samples.rows[split.test[0]]
        return cls(samples, split, np.arange(first_valid), np.arange(first_valid, first_test))


def requests_of(dataset: Dataset, samples: CTRSamples) -> list[ScoreRequest]:
    """Return the like questions as requests, each with the history before its target."""
    histories = HistoryStore(dataset.interactions)
    return [
        ScoreRequest(int(user), histories.of(int(user), int(length)), int(item))
        for user, item, length in zip(
            samples.user_nums, samples.item_nums, samples.history_lengths, strict=True
        )
    ]
