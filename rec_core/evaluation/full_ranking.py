"""Rank the whole catalogue for every held-out user, a block of users at a time.

No sampled candidates: every item that is not hidden competes. A block of scores stays small enough for the
cache of a CPU core, is masked in place and thrown away, so memory is linear in users and never U x I.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from rec_core.evaluation.exact_top import exact_top
from rec_core.evaluation.held_out import HeldOut
from rec_core.evaluation.wanted_ranks import wanted_ranks
from rec_core.types import InputError

Score = Callable[[np.ndarray], torch.Tensor]  # user numbers (C,) int64 -> scores (C, I)

_BLOCK_CELLS = {"cpu": 2**20, "cuda": 2**26}  # scores held at once: 4 MB, 256 MB


@dataclass(frozen=True)
class Ranking:
    """Where the wanted items came out.

    `top[b]` are the best items for `held_out.users[b]`, best first, -1 where there are fewer candidates;
    equal scores go to the lower item number. `ranks[p]` is the 1-based rank of wanted item p (the order of
    `held_out.wanted`) among all the user's candidates, by the same rule.
    """

    held_out: HeldOut
    top: np.ndarray  # (B, K) int32
    ranks: np.ndarray  # (P,) int64

    @property
    def users(self) -> np.ndarray:
        """Return the user numbers (B,)."""
        return self.held_out.users


def rank_catalogue(
    score: Score, held_out: HeldOut, n_items: int, top_k: int, chunk: int | None = None
) -> Ranking:
    """Rank all items that are not hidden, for every held-out user.

    Args:
        score: gives the scores of some users over the catalogue on any device, higher is better. The tensor
            is overwritten. Called with consecutive stretches of `held_out.users`.
        held_out: who is asked, what is wanted, what is hidden.
        n_items: I.
        top_k: K, length of the lists; 0 where ranks are enough, as in validation.
        chunk: users per block; by default as many as fit the cache.

    Raises:
        InputError: scores have the wrong shape or hold NaN, or a wanted item scores -inf.
    """
    wanted_of, hidden_of = held_out.wanted_places, held_out.hidden_places
    tops, ranks = [np.zeros((0, top_k), np.int32)], [np.zeros(0, np.int64)]
    start, size = 0, chunk or _users_per_block("cpu", n_items)
    with torch.no_grad():
        while start < len(held_out):
            users = held_out.users[start : start + size]
            scores = _block(score(users), len(users), n_items)
            rows, items = _inside(held_out.hidden[0], hidden_of, start, len(users), scores.device)
            scores.view(-1).index_fill_(0, rows * n_items + items, -torch.inf)
            rows, items = _inside(held_out.wanted[0], wanted_of, start, len(users), scores.device)
            ranks.append(wanted_ranks(scores, rows, items, users).cpu().numpy())
            tops.append(exact_top(scores, top_k).int().cpu().numpy())
            start += len(users)
            size = chunk or _users_per_block(scores.device.type, n_items)
    return Ranking(held_out, np.concatenate(tops), np.concatenate(ranks))


def _users_per_block(device: str, n_items: int) -> int:
    return max(1, _BLOCK_CELLS["cpu" if device == "cpu" else "cuda"] // n_items)


def _block(scores: torch.Tensor, n_users: int, n_items: int) -> torch.Tensor:
    """Return the scores laid out row by row, in a float type that counts of items fit in."""
    if tuple(scores.shape) != (n_users, n_items):
        raise InputError(
            f"Scores have the shape {tuple(scores.shape)} instead of ({n_users}, {n_items}); return one row "
            "per user asked for and one column per item of the catalogue."
        )
    if not scores.is_floating_point():
        scores = scores.double()
    elif scores.dtype not in (torch.float32, torch.float64):
        scores = scores.float()
    return scores.contiguous()


def _inside(
    indptr: np.ndarray, places: tuple[np.ndarray, np.ndarray], start: int, n_rows: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return row and item of the entries of a block's rows, rows counted from the block's first."""
    part = slice(indptr[start], indptr[start + n_rows])
    rows, items = places
    return torch.from_numpy(rows[part] - start).to(device), torch.from_numpy(items[part]).to(device)
