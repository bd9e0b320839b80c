"""What comes next? The batch is windows of histories; every real position has the next item as its target."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import torch

from rec_core.losses.binary_cross_entropy import pair_cross_entropy
from rec_core.losses.cross_entropy import cross_entropy
from rec_core.losses.sampled_softmax import sampled_softmax
from rec_core.nets.sequence_net import SequenceNet
from rec_core.objectives.sequence_windows import SequenceWindows
from rec_core.objectives.unseen_sampler import UnseenSampler
from rec_core.types import InputError

Loss = Literal["cross_entropy", "sampled_softmax", "bce"]
Draws = Literal["uniform", "popularity"]
Batch = tuple[torch.Tensor, ...]  # users (B,), inputs (B, T), targets (B, T, A), some losses' negatives


class NextItem:
    """Binds a sequence net to the loss of predicting each item of a history from the items before it.

    Differs from RecBole 1.2.1: one window trains up to `max_length` positions at once instead of one row per
    prefix; `targets_per_window=1` gives its rows. Padding is no class of the softmax.

    Args:
        net: item numbers to states.
        histories: indptr (U + 1,) int64 and items (N,), each user's in time order, repeats allowed.
        max_length: T, items a window reads.
        batch_size: targets per step. An epoch has ceil(targets / batch_size) steps, its windows are dealt to
            them evenly, so a step has about this many targets (exactly, give or take one, if
            `targets_per_window` is 1).
        loss: "cross_entropy" over the catalogue; "sampled_softmax" against `n_negatives` items shared by a
            batch; "bce", yes to the target and no to `n_negatives` unseen items of its own (SASRec, Caser).
        n_negatives: drawn items per batch (sampled_softmax) or per target (bce).
        targets_per_window: see `SequenceWindows`; None is `max_length`.
        n_ahead: next items that are targets of one position (Caser's T).
        draws: of "sampled_softmax": "uniform" over items or "popularity", as often as in the histories.
        correct_draws: subtract the logarithm of the expected count from the scores of drawn items.

    Raises:
        InputError: no history has two items, or with "bce" everybody has seen everything.
    """

    def __init__(
        self,
        net: SequenceNet,
        histories: tuple[np.ndarray, np.ndarray],
        max_length: int,
        batch_size: int,
        loss: Loss = "cross_entropy",
        n_negatives: int = 1,
        targets_per_window: int | None = None,
        n_ahead: int = 1,
        draws: Draws = "uniform",
        correct_draws: bool = True,
    ) -> None:
        self.net = net
        self._device = net.item_vectors.device
        indptr, items = (torch.from_numpy(np.asarray(a, dtype=np.int64)).to(self._device) for a in histories)
        stretch = targets_per_window or max_length
        self._windows = SequenceWindows(indptr, items, net.pad, max_length, stretch, n_ahead)
        self._one_each = stretch == 1
        self._loss, self._n_negatives = loss, n_negatives
        self._sampler = self._leave_out_the_sated(indptr, items) if loss == "bce" else None
        self._pool = items if draws == "popularity" else torch.arange(net.n_items, device=self._device)
        shares = torch.bincount(self._pool, minlength=net.n_items) / len(self._pool)
        self._log_q = shares.log() if correct_draws else None
        self.n_batches = min(-(-self._windows.n_steps // batch_size), self._windows.fewest)
        if not self.n_batches:
            raise InputError("No history has two items in training, so nothing comes next; import more rows.")

    def batches(self, rng: np.random.Generator) -> Iterator[Batch]:
        """Yield one epoch's windows in random order; cuts and negatives are drawn anew."""
        generator = torch.Generator(self._device).manual_seed(int(rng.integers(2**63)))
        parts = (part.tensor_split(self.n_batches) for part in self._windows.draw(generator))
        for users, begins, ends in zip(*parts, strict=True):
            inputs, targets = self._windows.read((users, begins, ends))
            yield users, inputs, targets, *self._negatives(users, targets, generator)

    def weight(self, batch: Batch) -> int:
        """Return the number of targets, which the loss is a mean over."""
        return int((batch[2] != self.net.pad).sum())

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return the mean loss over the targets of one batch; scores are made for real positions alone."""
        users, inputs, targets, *negatives = batch
        wanted = self._of_states(targets, inputs)  # (P, A)
        which = (wanted != self.net.pad).nonzero(as_tuple=True)
        read = self.net.last if self._one_each else self.net.read
        states, wanted = read(inputs, users).index_select(0, which[0]), wanted[which]
        vectors = self.net.item_vectors
        if self._loss == "cross_entropy":
            return cross_entropy(states, vectors, wanted)
        if self._loss == "sampled_softmax":
            drawn = negatives[0][0]
            log_q = None if self._log_q is None else self._log_q[drawn]
            return sampled_softmax(states, vectors, wanted, drawn, log_q)
        unwanted = self._of_states(negatives[0], inputs)[which]  # (targets, S)
        yes = (states * vectors.index_select(0, wanted)).sum(dim=1)
        no = (vectors[unwanted] @ states.unsqueeze(2)).squeeze(2)
        return pair_cross_entropy(yes, no)

    def _of_states(self, values: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
        """Return the rows of values (B, T, ...) that belong to the states the net gives."""
        return values[:, -1] if self._one_each else values[inputs != self.net.pad]

    def _negatives(
        self, users: torch.Tensor, targets: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, ...]:
        """Return nothing; (B, S), every row the same; or (B, T, A, S), padded where there is no target."""
        if self._loss == "sampled_softmax":
            draws = torch.randint(
                len(self._pool), (self._n_negatives,), generator=generator, device=self._device
            )
            return (self._pool[draws].expand(len(users), -1),)
        if self._sampler is None:
            return ()
        real = targets != self.net.pad
        unseen = targets.new_full((*targets.shape, self._n_negatives), self.net.pad)
        readers = users[real.nonzero(as_tuple=True)[0]].repeat_interleave(self._n_negatives)
        unseen[real] = self._sampler.draw(readers, generator).view(-1, self._n_negatives)
        return (unseen,)

    def _leave_out_the_sated(self, indptr: torch.Tensor, items: torch.Tensor) -> UnseenSampler:
        """Return who draws unseen items; who has seen all of them is no longer trained on."""
        everyone = torch.arange(len(indptr) - 1, device=self._device)
        pairs = (torch.repeat_interleave(everyone, indptr.diff()) * self.net.n_items + items).unique()
        counts = torch.bincount(pairs // self.net.n_items, minlength=len(everyone)).cumsum(0).cpu().numpy()
        seen = np.concatenate(([0], counts)), (pairs % self.net.n_items).cpu().numpy()
        sampler = UnseenSampler(seen, self.net.n_items, self._device)
        self._windows.leave_out(~sampler.can_lose(everyone))
        return sampler
