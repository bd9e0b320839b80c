"""Batches of rows of like length in random order, so that little of a forward pass is padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from rec_core.seeding import numpy_generator

if TYPE_CHECKING:
    from rec_core.llm.token_rows import TokenRow

WINDOW, SMALLEST = 50, 16  # batches whose rows are sorted together: at most, and at least for several windows


def epoch_batches(
    lengths: Sequence[int], batch_size: int, seed: int, epoch: int, bucketing: bool
) -> list[np.ndarray]:
    """Return the row numbers of every batch of one epoch, in the order they are trained on.

    The rows are permuted. With `bucketing` the permuted rows are cut into windows of at most 50 batches, each
    window is sorted by length and cut into batches, and the order of all batches is permuted again. So steps
    do not follow each other by length, and gradients that are accumulated come from rows of unlike length.
    There are four windows or more wherever each can have 16 batches, so that other rows meet in every epoch;
    in smaller data nearly the same rows meet again. What remains is that the rows of one forward pass are of
    like length: without accumulation the lengths of a step's rows are less mixed than in a random draw.

    The rows left over by `batch_size` are drawn before any sorting and make up the last batch: a short batch
    counts more per row, and that must not always fall to the longest rows.

    Differs from transformers' `group_by_length`: there the batches of a window follow each other from long to
    short and the longest row of all always comes first, so that length and place in the epoch go together.

    Args:
        lengths: tokens of each row.
        batch_size: rows per batch.
        seed: of the training.
        epoch: 0-based; another epoch gives other batches.
        bucketing: False gives batches of rows as the permutation has them.

    Returns:
        ceil(rows / batch_size) arrays of int64, every row exactly once.
    """
    rng = numpy_generator(seed, "rows of an epoch", epoch)
    order = rng.permutation(len(lengths))
    n_full = len(order) // batch_size
    full, rest = np.split(order, [n_full * batch_size])
    batches = list(full.reshape(n_full, batch_size))
    if bucketing and n_full:
        size = np.asarray(lengths)
        n_windows = max(-(-n_full // WINDOW), min(4, n_full // SMALLEST), 1)
        windows = np.array_split(full.reshape(n_full, batch_size), n_windows)
        batches = [batch for window in windows for batch in _by_length(window, size)]
        batches = [batches[i] for i in rng.permutation(n_full)]
    return [*batches, rest] if len(rest) else batches


def padding_share(rows: Sequence[TokenRow], batches: Sequence[Sequence[int] | np.ndarray]) -> float:
    """Return the share of positions without a token when batches are padded to their longest rows: [0, 1).

    Args:
        rows: training rows.
        batches: row numbers; 0.0 without any.
    """
    lengths = np.array([len(row.ids) for row in rows])
    held = sum(int(lengths[batch].sum()) for batch in batches)
    made = sum(int(lengths[batch].max()) * len(batch) for batch in batches)
    return 1.0 - held / made if made else 0.0


class BatchOrder(torch.utils.data.Sampler[list[int]]):
    """The batches of one epoch after the other, or one process's share of the rows of each.

    Several processes that share a training cut every batch between them, so that a step stands for the same
    rows however many take part. A share may be empty where a last batch has fewer rows than there are
    processes.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        batch_size: int,
        seed: int,
        bucketing: bool,
        n_processes: int = 1,
        rank: int = 0,
    ) -> None:
        self._lengths = list(lengths)
        self._batch_size = batch_size
        self._seed = seed
        self._bucketing = bucketing
        self._n_processes = n_processes
        self._rank = rank
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose which epoch (0-based) the next pass is."""
        self._epoch = epoch

    def __len__(self) -> int:
        return -(-len(self._lengths) // self._batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        for batch in epoch_batches(self._lengths, self._batch_size, self._seed, self._epoch, self._bucketing):
            yield np.array_split(batch, self._n_processes)[self._rank].tolist()


def _by_length(window: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return the rows of a window (batches, batch size) sorted by length, equal ones as they came."""
    rows = window.ravel()
    return rows[np.argsort(lengths[rows], kind="stable")].reshape(window.shape)
