"""Find the token rows that begin alike, where reading the common beginning once saves more than it costs.

Sorted rows form a tree: rows that agree on their first tokens stand side by side. Each branch of the tree
could be read as one group, its beginning once and then the rest of each row. The cost rule says what that
saves, and one walk over the rows finds the branches that together save most, no row in two of them.

Source: the walk is the one that lists the intervals of equal common prefix of a suffix array (Abouelhoda,
Kurtz and Ohlebusch, Journal of Discrete Algorithms 2, 2004).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

Row = Sequence[int]


@dataclass(frozen=True)
class SharingCost:
    """What sharing costs, counted in tokens: how many tokens of a long pass take the same time.

    `per_pass` is a forward pass of next to nothing; a group needs two more. `per_copied` is a token of the
    cache, copied and attended to for one row. `per_behind` is what a token read behind a cache costs more
    than one of a whole row: its attention goes through a mask and skips no later position.
    """

    per_pass: float
    per_copied: float
    per_behind: float

    def saved(self, n_rows: int, prefix: int, n_behind: int) -> float:
        """Return the tokens saved when rows share `prefix` tokens and have `n_behind` others in all."""
        more = self.per_copied * n_rows * prefix + self.per_behind * n_behind
        return (n_rows - 1) * prefix - more - 2 * self.per_pass


# Measured with one thread on Llamas of 3 layers of 128 and 8 of 512: a pass takes the time of 22 to 38
# tokens; beginnings of 18 to 400 tokens before rests of 10 to 200 cost a row 1 to 37 tokens in all, which
# these two shares give within 8 (the wide one costs less).
ON_CPU = SharingCost(per_pass=40, per_copied=0.06, per_behind=0.15)
# Not measured, by arithmetic: launching the kernels of 16 to 32 layers takes 10 to 25 ms, in which a large
# GPU reads about a thousand tokens of a model of some billion parameters.
ON_ACCELERATOR = SharingCost(per_pass=1_024, per_copied=0.1, per_behind=0.15)


@dataclass(frozen=True)
class PrefixGroup:
    """Rows, by number, that share their first `prefix` tokens; 0 for rows that are read whole."""

    numbers: tuple[int, ...]
    prefix: int

    def tokens_read(self, rows: Sequence[Row]) -> int:
        """Return the tokens that pass through the model, padding aside."""
        return self.prefix + sum(len(rows[i]) - self.prefix for i in self.numbers)


@dataclass
class _Branch:
    """Rows from `start` on that agree on `depth` tokens, and the best groups found among them so far."""

    depth: int
    start: int
    saved: float = 0.0
    groups: list[PrefixGroup] = field(default_factory=list)

    def take(self, other: _Branch) -> None:
        self.saved += other.saved
        self.groups += other.groups


def prefix_groups(rows: Sequence[Row], cost: SharingCost | None) -> list[PrefixGroup]:
    """Return groups that hold every row once: those worth sharing, and behind them the rows left over.

    At least one token of every row stays behind the shared ones, so that each has a last state of its own.

    Args:
        rows: sorted, no two equal, none empty.
        cost: decides what is worth sharing; None: nothing is.
    """
    shared = _best_groups(rows, cost) if cost else []
    taken = {i for group in shared for i in group.numbers}
    return [*shared, PrefixGroup(tuple(i for i in range(len(rows)) if i not in taken), 0)]


def _best_groups(rows: Sequence[Row], cost: SharingCost) -> list[PrefixGroup]:
    ends = np.cumsum([0, *map(len, rows)])  # tokens before each row, of all rows one behind the other
    branches: list[_Branch] = []  # open ones, each within the one before it
    for last, depth in enumerate(_common_lengths(rows)):
        branch = _Branch(depth, last)
        while branches and branches[-1].depth > depth:
            closed = _closed(branches.pop(), last + 1, rows, ends, cost)
            branch.start = closed.start
            within = branches[-1] if branches and branches[-1].depth >= depth else branch
            within.take(closed)
        if not branches or branches[-1].depth < depth:
            branches.append(branch)
    return branches[0].groups if branches else []


def _closed(branch: _Branch, stop: int, rows: Sequence[Row], ends: np.ndarray, cost: SharingCost) -> _Branch:
    """Return the branch, up to row `stop`, as one group or as the groups within: what saves more."""
    start = branch.start
    prefix = min(branch.depth, len(rows[start]) - 1)  # the first of sorted rows may be the beginning itself
    n_rows = stop - start
    saved = cost.saved(n_rows, prefix, int(ends[stop] - ends[start]) - n_rows * prefix)
    if saved <= branch.saved:
        return branch
    return _Branch(branch.depth, start, saved, [PrefixGroup(tuple(range(start, stop)), prefix)])


def _common_lengths(rows: Sequence[Row]) -> Iterator[int]:
    """Yield how many first tokens each row has in common with the next; -1 behind the last row."""
    for row, following in zip(rows, rows[1:], strict=False):
        pairs = enumerate(zip(row, following, strict=False))
        yield next((at for at, (one, other) in pairs if one != other), min(len(row), len(following)))
    if rows:
        yield -1
