"""Binary cross-entropy of like questions: the batch is where each question's user, item and history stand."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from rec_core.losses.binary_cross_entropy import binary_cross_entropy
from rec_core.nets.field_embedding import FieldBatch, FieldNet

Batch = tuple[torch.Tensor, torch.Tensor]


class FieldReader:
    """Look up what each question shows, on the device: codes by user and item, windows by index arithmetic.

    Histories are stretches of one log. What a window counts is a difference of two running counts; its items
    are read backwards from its end. Nothing is written out per question.

    Args:
        user_codes: (U + 1, fields of a user) int64.
        item_codes: (I, fields of an item) int64.
        item_counts: (I, G) float32, counted bags of the item.
        log_codes: (N + 1,) int32, the log's items and one empty row.
        log_counts: (N + 1, R) int32, running counts of the log's ratings.
        history_length: T.
        device: where everything lives.
    """

    def __init__(
        self,
        user_codes: np.ndarray,
        item_codes: np.ndarray,
        item_counts: np.ndarray,
        log_codes: np.ndarray,
        log_counts: np.ndarray,
        history_length: int,
        device: torch.device,
    ) -> None:
        self.device = device
        arrays = (user_codes, item_codes, item_counts)
        self._users, self._items, self._item_counts = (torch.from_numpy(a).to(device) for a in arrays)
        self._log_codes, self._log_counts = (torch.from_numpy(a).to(device) for a in (log_codes, log_counts))
        self._steps_back = torch.arange(1, history_length + 1, device=device)

    def read(self, places: torch.Tensor) -> FieldBatch:
        """Return codes (B, F), counts (B, G + R) and window (B, T).

        Args:
            places: (B, 4) int64: user (U for nobody), item, end of the window in the log, its length.
        """
        users, items, ends, lengths = places.unbind(1)
        codes = torch.cat([self._users[users], self._items[items]], dim=1)
        ratings = self._log_counts[ends] - self._log_counts[ends - lengths]
        counts = torch.cat([self._item_counts[items], ratings.to(self._item_counts.dtype)], dim=1)
        window = self._log_codes[(ends.unsqueeze(1) - self._steps_back).clamp_(min=0)].long()
        return codes, counts, window.mul_(self._steps_back <= lengths.unsqueeze(1))


class Click:
    """Binds a CTR net to mean binary cross-entropy.

    Args:
        net: fields (B, ...) -> logits (B,).
        reader: what the questions show.
        places: (S, 4) int64, see `FieldReader.read`.
        labels: (S,) 0 or 1.
        batch_size: questions per step.
        l2: weight of half the squared norm of the looked-up field vectors, per question.
        norm_weight: weight of the sum of the (unsquared) norms of what the net calls `penalised`.
    """

    def __init__(
        self,
        net: FieldNet,
        reader: FieldReader,
        places: np.ndarray,
        labels: np.ndarray,
        batch_size: int,
        l2: float = 0.0,
        norm_weight: float = 0.0,
    ) -> None:
        self.net = net
        self._reader = reader
        self._places = torch.from_numpy(places).to(reader.device)
        self._labels = torch.from_numpy(labels.astype(np.float32)).to(reader.device)
        self._batch_size = batch_size
        self._l2 = l2
        self._norm_weight = norm_weight

    @property
    def n_batches(self) -> int:
        """Return the number of batches of one epoch."""
        return -(-len(self._places) // self._batch_size)

    def batches(self, rng: np.random.Generator) -> Iterator[Batch]:
        """Yield places (B, 4) and labels (B,) of one epoch: contiguous slices of a permutation."""
        device = self._reader.device
        generator = torch.Generator(device).manual_seed(int(rng.integers(2**63)))
        order = torch.randperm(len(self._places), generator=generator, device=device)
        places, labels = self._places[order], self._labels[order]
        yield from zip(places.split(self._batch_size), labels.split(self._batch_size), strict=True)

    def weight(self, batch: Batch) -> int:
        """Return the number of questions the loss is a mean over."""
        return len(batch[1])

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return the mean loss of one batch."""
        places, labels = batch
        fields = self._reader.read(places)
        loss = binary_cross_entropy(self.net(fields), labels)
        if self._l2:
            loss = loss + self._l2 * self._squares(fields)
        if self._norm_weight:
            norms = [weights.norm() for weights in self.net.penalised()]
            loss = loss + self._norm_weight * sum(norms, start=loss.new_zeros(()))
        return loss

    def _squares(self, fields: FieldBatch) -> torch.Tensor:
        return self.net.fields(fields).square().sum() / (2 * len(fields[0]))
