"""What every net that reads item sequences has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import nn

from rec_core.nets.ragged_rows import RaggedRows


class SequenceNet(nn.Module, ABC):
    """Read items oldest first; the state at a position has read the items up to and including it.

    Scores of all items are `states @ item_vectors.T`, higher is better. Sequences are left-padded with `pad`.
    A subclass writes `read_rows` and `item_vectors`, and `newest_states` where that can be had for less.

    Args:
        n_items: I; items are numbered from 0, `pad` is I.
    """

    reads_users = False  # whether `users` changes anything

    def __init__(self, n_items: int) -> None:
        super().__init__()
        self.n_items = n_items

    @property
    def pad(self) -> int:
        """Return the number that stands for "no item"."""
        return self.n_items

    @property
    @abstractmethod
    def item_vectors(self) -> torch.Tensor:
        """Return the vectors (I, D) that states are compared with."""

    @abstractmethod
    def read_rows(self, rows: RaggedRows, users: torch.Tensor | None) -> torch.Tensor:
        """Return the states (P, D) of the real positions."""

    def newest_states(self, rows: RaggedRows, users: torch.Tensor | None, ends: torch.Tensor) -> torch.Tensor:
        """Return the states (R, D) at the positions `ends`, the newest one of each row that is not empty."""
        return self.read_rows(rows, users)[ends]

    def read(self, sequences: torch.Tensor, users: torch.Tensor | None = None) -> torch.Tensor:
        """Return the states (P, D) of the real positions alone, row by row, oldest first."""
        return self.read_rows(RaggedRows(sequences, self.pad), users)

    def forward(self, sequences: torch.Tensor, users: torch.Tensor | None = None) -> torch.Tensor:
        """Return the states (B, T, D), zero where there is padding.

        Args:
            sequences: (B, T) int64 item numbers, left-padded.
            users: (B,) int64; only nets with `reads_users` look at them.
        """
        states = self.read(sequences, users)
        flat = states.new_zeros(sequences.numel(), states.shape[1])
        slots = (sequences != self.pad).flatten().nonzero().squeeze(1)
        return flat.index_copy(0, slots, states).view(*sequences.shape, states.shape[1])

    def last(self, sequences: torch.Tensor, users: torch.Tensor | None = None) -> torch.Tensor:
        """Return the state (B, D) at the last position, zero for an empty sequence."""
        rows = RaggedRows(sequences, self.pad)
        filled, ends = rows.newest()
        states = self.newest_states(rows, users, ends)
        return states.new_zeros(len(sequences), states.shape[1]).index_copy(0, filled, states)
