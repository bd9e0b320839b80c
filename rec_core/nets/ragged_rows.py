"""Sequences of unequal length laid end to end, so that no work is spent on padding."""

from __future__ import annotations

import torch


class RaggedRows:
    """The real positions of left-padded sequences: P of them, row by row, oldest first.

    What works position by position (linear maps, norms, dropout) works on (P, D). What works along the
    sequence takes the right-padded form (B, longest, D): read from left to right, padding that comes last
    never reaches a real position, so that it needs no mask.

    Args:
        sequences: (B, T) int64, padding only on the left.
        pad: the number that means "nothing".
    """

    def __init__(self, sequences: torch.Tensor, pad: int) -> None:
        real = sequences != pad
        rows, columns = real.nonzero(as_tuple=True)
        self.lengths = real.sum(dim=1)  # (B,)
        self.n_rows = len(sequences)
        self.longest = max(int(self.lengths.max()), 1) if self.n_rows else 1  # recurrences refuse 0 steps
        self.items = sequences[rows, columns]  # (P,)
        self.rows = rows  # (P,)
        self.from_start = columns - (sequences.shape[1] - self.lengths)[rows]  # (P,) 0 is the oldest
        self.from_end = sequences.shape[1] - 1 - columns  # (P,) 0 is the newest
        self._slots = rows * self.longest + self.from_start

    def pad_right(self, packed: torch.Tensor) -> torch.Tensor:
        """Return (B, longest, D) from (P, D), zero where nothing is."""
        if len(packed) == self.n_rows * self.longest:
            return packed.view(self.n_rows, self.longest, packed.shape[1])
        flat = packed.new_zeros(self.n_rows * self.longest, packed.shape[1])
        return flat.index_copy(0, self._slots, packed).view(self.n_rows, self.longest, packed.shape[1])

    def pack(self, padded: torch.Tensor) -> torch.Tensor:
        """Return (P, D) from (B, longest, D)."""
        flat = padded.reshape(self.n_rows * self.longest, padded.shape[2])
        return flat if len(flat) == len(self._slots) else flat.index_select(0, self._slots)

    def newest(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the rows that are not empty (R,), and where among the P positions each one ends (R,)."""
        filled = self.lengths.nonzero().squeeze(1)
        return filled, (self.lengths.cumsum(0) - 1)[filled]
