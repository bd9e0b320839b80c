"""Every step of every history as a target once per epoch, in windows that are cut anew each time."""

from __future__ import annotations

import torch

Windows = tuple[torch.Tensor, torch.Tensor, torch.Tensor]  # users, first target, end of what is read


class SequenceWindows:
    """Cut histories into windows by index arithmetic on one flat copy of the items.

    A history of n items has n - 1 steps: after reading items 0..i, the target is item i + 1. They are cut
    into stretches of `targets_per_window` consecutive steps; the first stretch of a history that needs
    several has a random length, so that a step's context is another one each epoch. A window reads
    `max_length` items up to the one before its last target, fewer only where the history begins: its first
    targets have what room is left as context. `targets_per_window` = `max_length` reads each item about once;
    1 reads for each target all it can, which costs `max_length` times as much (one row per prefix).

    Args:
        indptr: (U + 1,) int64, where each user's items begin and end.
        items: (N,) int64, each user's in time order, repeats allowed.
        pad: stands for "nothing" in what is read.
        max_length: T.
        targets_per_window: 1 to `max_length`.
        n_ahead: how many next items are the targets of one step.

    Raises:
        ValueError: `targets_per_window` is out of bounds.
    """

    def __init__(
        self,
        indptr: torch.Tensor,
        items: torch.Tensor,
        pad: int,
        max_length: int,
        targets_per_window: int,
        n_ahead: int,
    ) -> None:
        if not 1 <= targets_per_window <= max_length:
            raise ValueError(f"{targets_per_window} targets do not fit into windows of {max_length} items")
        self._items = items
        self._starts = indptr[:-1]
        self._n_steps = (indptr.diff() - 1).clamp_(min=0)
        self._pad, self._stride = pad, targets_per_window
        self._back = torch.arange(max_length, 0, -1, device=items.device)  # T, T - 1, ..., 1 before the end
        self._ahead = torch.arange(1, n_ahead + 1, device=items.device)

    def leave_out(self, users: torch.Tensor) -> None:
        """Take no targets from the users whose entry of (U,) is true."""
        self._n_steps.masked_fill_(users, 0)

    @property
    def n_steps(self) -> int:
        """Return the number of steps of all histories."""
        return int(self._n_steps.sum())

    @property
    def fewest(self) -> int:
        """Return the smallest number of windows an epoch can have."""
        return int((-(-self._n_steps // self._stride)).sum())

    def draw(self, generator: torch.Generator) -> Windows:
        """Return an epoch's windows in random order (W,): users, first step with a target, end of steps."""
        device, stride, steps = self._items.device, self._stride, self._n_steps
        draws = torch.randint(1, stride + 1, steps.shape, generator=generator, device=device)
        first = torch.where(steps > stride, draws, steps)  # length of a history's first stretch
        counts = (steps > 0).long() + -(-(steps - first) // stride)
        users = torch.repeat_interleave(torch.arange(len(steps), device=device), counts)
        number = torch.arange(len(users), device=device) - (counts.cumsum(0) - counts)[users]
        ends = torch.minimum(first[users] + number * stride, steps[users])
        begins = torch.where(number > 0, first[users] + (number - 1) * stride, 0)
        order = torch.randperm(len(users), generator=generator, device=device)
        return users[order], begins[order], ends[order]

    def read(self, windows: Windows) -> tuple[torch.Tensor, torch.Tensor]:
        """Return inputs (B, T) int64, left-padded, and targets (B, T, n_ahead), padded where none is."""
        users, begins, ends = (part.unsqueeze(1) for part in windows)
        steps = ends - self._back  # (B, T)
        flat = self._starts[users] + steps
        inputs = self._items[flat.clamp(min=0)].masked_fill_(steps < 0, self._pad)
        later = steps.unsqueeze(2) + self._ahead  # (B, T, n_ahead)
        none = (steps < begins).unsqueeze(2) | (later > self._n_steps[users].unsqueeze(2))
        places = (self._starts[users].unsqueeze(2) + later).clamp_(0, len(self._items) - 1)
        return inputs, self._items[places].masked_fill_(none, self._pad)
