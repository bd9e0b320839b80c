"""The exact rank of wanted items in their rows of a score matrix, without sorting the catalogue.

A rank is 1 + the number of items that score higher + the number of equal ones with a lower item number. One
wanted item costs two passes of comparisons; from a few per row on, one sort of the row's values and two
binary searches per item are cheaper. Both give the counts of higher and lower scores; what is neither is a
tie (or NaN), and only ties are looked at again.
"""

from __future__ import annotations

import numpy as np
import torch

from rec_core.types import InputError

_FEW = 6  # wanted items of a row up to which counting beats sorting (measured on a CPU with 3,706 items)
_CELLS = 2**17  # comparisons whose outcome is held at once on a CPU: half a megabyte stays in its cache
_FLOAT32_COUNTS = 2**24  # sums of ones are exact in float32 below this


def wanted_ranks(
    scores: torch.Tensor, rows: torch.Tensor, items: torch.Tensor, users: np.ndarray
) -> torch.Tensor:
    """Return the 1-based rank of every wanted item among the items of its row.

    Args:
        scores: (C, I) float; -inf marks what does not count.
        rows: (P,) int64 ascending, the row of each wanted item; every row occurs.
        items: (P,) int64, what is wanted, not marked -inf.
        users: (C,) user numbers, for messages.

    Returns:
        (P,) int64, 1 is best.

    Raises:
        InputError: a score is NaN, or that of a wanted item is infinitely low.
    """
    targets = scores[rows, items]
    _refuse(targets == -torch.inf, rows, users, "scores a wanted item -inf")
    higher, lower = torch.empty_like(rows), torch.empty_like(rows)
    few = torch.bincount(rows, minlength=len(scores))[rows] <= _FEW
    for pairs, count in ((few, _by_counting), (~few, _by_sorting)):
        if pairs.all():
            higher, lower = count(scores, rows, targets)
        elif pairs.any():
            higher[pairs], lower[pairs] = count(scores, rows[pairs], targets[pairs])
    tied = (higher + lower < scores.shape[1] - 1).nonzero()[:, 0]
    for part in tied.split(len(scores)):
        higher[part] += _equal_before(scores, rows[part], items[part], targets[part], users)
    return higher + 1


def _by_counting(
    scores: torch.Tensor, rows: torch.Tensor, targets: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    n_items = scores.shape[1]
    dtype = torch.float32 if n_items < _FLOAT32_COUNTS else torch.float64
    size = max(1, min(len(scores), _CELLS // n_items if scores.device.type == "cpu" else len(scores)))
    ones = torch.empty((size, n_items), dtype=dtype, device=scores.device)
    one_each = len(rows) == len(scores) and bool((rows.diff() == 1).all())
    higher, lower = [], []
    for start in range(0, len(rows), size):
        part = slice(start, start + size)
        block, target = scores[part] if one_each else scores[rows[part]], targets[part, None]
        into = ones[: len(target)]
        higher.append(torch.gt(block, target, out=into).sum(dim=1))
        lower.append(torch.lt(block, target, out=into).sum(dim=1))
    return torch.cat(higher).long(), torch.cat(lower).long()


def _by_sorting(
    scores: torch.Tensor, rows: torch.Tensor, targets: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    names, row_index, counts = rows.unique_consecutive(return_inverse=True, return_counts=True)
    ordered = _sorted(scores[names])  # NaN comes last
    slots = torch.arange(len(rows), device=rows.device) - (counts.cumsum(0) - counts)[row_index]
    asked = scores.new_zeros((len(names), int(counts.max())))
    asked[row_index, slots] = targets
    not_higher = torch.searchsorted(ordered, asked, right=True)[row_index, slots]
    lower = torch.searchsorted(ordered, asked)[row_index, slots]
    lower = torch.where(ordered[row_index, -1].isnan(), 0, lower)  # sends the row to the tie check
    return scores.shape[1] - not_higher, lower


def _sorted(block: torch.Tensor) -> torch.Tensor:
    if block.device.type == "cpu":
        return torch.from_numpy(np.sort(block.numpy(), axis=1))
    return block.sort(dim=1).values


def _equal_before(
    scores: torch.Tensor, rows: torch.Tensor, items: torch.Tensor, targets: torch.Tensor, users: np.ndarray
) -> torch.Tensor:
    block = scores[rows]
    _refuse(block.isnan().any(dim=1), rows, users, "holds NaN")
    numbers = torch.arange(scores.shape[1], device=scores.device)
    return ((block == targets[:, None]) & (numbers < items[:, None])).sum(dim=1)


def _refuse(wrong: torch.Tensor, rows: torch.Tensor, users: np.ndarray, what: str) -> None:
    if wrong.any():
        user = int(users[int(rows[wrong][0])])
        raise InputError(
            f"The row of scores of user number {user} {what}; give a number to every item that can be "
            "recommended (a lower learning rate often cures NaN)."
        )
