"""Small held-out questions, and the slow and obvious way to answer them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from rec_core.data.seen import seen_items
from rec_core.evaluation.held_out import HeldOut


@dataclass
class Case:
    """Scores of every user, what is hidden and wanted, as plain sets."""

    scores: np.ndarray  # (U, I)
    hidden: list[set[int]]
    wanted: list[set[int]]

    @property
    def n_items(self) -> int:
        return self.scores.shape[1]

    @property
    def users(self) -> list[int]:
        """Users that want something they can be shown."""
        return [u for u in range(len(self.scores)) if self.wanted[u] - self.hidden[u]]

    @property
    def held_out(self) -> HeldOut:
        pairs = [(u, i) for u, items in enumerate(self.wanted) for i in items]
        users, items = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        return HeldOut.of(users, items, self.hidden_rows, self.n_items)

    @property
    def hidden_rows(self):
        pairs = [(u, i) for u, items in enumerate(self.hidden) for i in items]
        users, items = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        return seen_items(users, items, len(self.scores), self.n_items)

    def score(self, users: np.ndarray) -> torch.Tensor:
        return torch.tensor(self.scores[users])

    def order(self, user: int) -> list[int]:
        """All candidates, best first, ties to the lower number."""
        shown = [i for i in range(self.n_items) if i not in self.hidden[user]]
        return sorted(shown, key=lambda item: (-self.scores[user, item], item))

    def naive_ranks(self) -> list[int]:
        ranks = []
        for user in self.users:
            order = self.order(user)
            ranks += [order.index(item) + 1 for item in sorted(self.wanted[user] - self.hidden[user])]
        return ranks

    def naive_top(self, top_k: int) -> list[list[int]]:
        return [(self.order(user) + [-1] * top_k)[:top_k] for user in self.users]


def _case(
    seed: int, n_users: int = 9, n_items: int = 70, tied: bool = False, n_wanted: int = 12, dtype=np.float32
) -> Case:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(n_users, n_items)).astype(dtype)
    if tied:
        scores = np.round(scores)
    draw = lambda most: set(rng.choice(n_items, rng.integers(0, most + 1), replace=False).tolist())  # noqa: E731
    hidden = [draw(n_items) if user % 3 == 0 else draw(n_items // 4) for user in range(n_users)]
    return Case(scores, hidden, [draw(min(n_wanted, n_items)) for _ in range(n_users)])


@pytest.fixture(scope="session")
def make_case() -> Callable[..., Case]:
    return _case
