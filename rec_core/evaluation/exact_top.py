"""The K best items of every row of a score matrix, ties broken by item number, without sorting the rows.

Intuition: cut a row into groups and keep each group's maximum. At least K items score as high as the K-th
best maximum, so everything below that bound is out; with 4 K groups about 1.1 K items survive, and only they
are sorted. Items that tie at the border survive together, so the cut between them is exact.
"""

from __future__ import annotations

import numpy as np
import torch

_GROUPS_PER_PLACE = 4


def exact_top(scores: torch.Tensor, top_k: int) -> torch.Tensor:
    """Return each row's best items, best first; equal scores go to the lower item number.

    Args:
        scores: (C, I) float without NaN; -inf marks what may not be shown.
        top_k: K; 0 gives empty lists.

    Returns:
        (C, K) int64 item numbers, -1 where a row has fewer than K items above -inf.
    """
    n_rows, n_items = scores.shape
    if not top_k:
        return torch.empty((n_rows, 0), dtype=torch.int64, device=scores.device)
    bound = _lower_bound(scores, min(top_k, n_items)).clamp_(min=torch.finfo(scores.dtype).min)
    rows, items = _places(scores >= bound)
    counts = torch.bincount(rows, minlength=n_rows)
    starts = counts.cumsum(0) - counts
    slots = torch.arange(len(rows), device=scores.device) - starts[rows]
    width = max(int(counts.max()), top_k)
    values = scores.new_full((n_rows, width), -torch.inf)
    numbers = torch.full((n_rows, width), -1, dtype=torch.int64, device=scores.device)
    values[rows, slots] = scores[rows, items]
    numbers[rows, slots] = items  # ascending inside a row, so a stable sort breaks ties by number
    order = values.sort(dim=1, descending=True, stable=True).indices[:, :top_k]
    return numbers.gather(1, order)


def _lower_bound(scores: torch.Tensor, top_k: int) -> torch.Tensor:
    """Return (C, 1) a score that at least K items of the row reach."""
    n_rows, n_items = scores.shape
    n_groups = _GROUPS_PER_PLACE * top_k
    depth = n_items // n_groups
    if depth > 1:
        scores = scores[:, : depth * n_groups].unflatten(1, (depth, n_groups)).amax(dim=1)
    if scores.device.type == "cpu":
        kth = scores.shape[1] - top_k
        return torch.from_numpy(np.partition(scores.numpy(), kth, axis=1)[:, kth : kth + 1])
    return scores.topk(top_k, dim=1).values[:, -1:]


def _places(mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return row and column of every True, row by row."""
    if mask.device.type == "cpu":
        flat = torch.from_numpy(np.flatnonzero(mask.numpy()))
        return flat // mask.shape[1], flat % mask.shape[1]
    rows, columns = mask.nonzero(as_tuple=True)
    return rows, columns
