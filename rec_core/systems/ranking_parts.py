"""The ranking task: who is trained on what, and who is asked to find what in the whole catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from rec_core.data.given_split import given_parts
from rec_core.data.seen import Seen, seen_items
from rec_core.data.splits import leave_one_out, per_user_ratio
from rec_core.evaluation.held_out import HeldOut
from rec_core.systems.ranking_task import RankingTask
from rec_core.types import Dataset, InputError, Split

Phase = Literal["valid", "test"]


@dataclass(frozen=True)
class Rows:
    """Compressed rows: user u has `items[indptr[u] : indptr[u + 1]]`, oldest first, repeats kept."""

    indptr: np.ndarray  # (U + 1,) int64
    items: np.ndarray  # (N,) int32

    @classmethod
    def of(cls, user_nums: np.ndarray, item_nums: np.ndarray, n_users: int) -> Rows:
        """Group time-ordered pairs by user."""
        counts = np.bincount(user_nums, minlength=n_users)
        order = np.argsort(user_nums, kind="stable")
        return cls(np.concatenate(([0], np.cumsum(counts))), np.asarray(item_nums, np.int32)[order])

    def row(self, user_num: int) -> np.ndarray:
        """Return one user's items."""
        return self.items[self.indptr[user_num] : self.indptr[user_num + 1]]


@dataclass(frozen=True)
class RankingParts:
    """Training pairs in time order and the two questions: what comes in validation, what in the test."""

    dataset: Dataset
    task: RankingTask
    split: Split  # rows of the interactions, positives only

    @classmethod
    def of(cls, dataset: Dataset, task: RankingTask, seed: int = 0) -> RankingParts:
        """Cut a dataset; `seed` decides the random split and nothing else.

        Raises:
            InputError: nothing can be trained on, or nobody is left to be asked.
        """
        parts = cls(dataset, task, _positive_rows(dataset, task, _split(dataset, task, seed)))
        for phase, held_out in (("validation", parts.valid), ("test", parts.test)):
            if not len(held_out.users):
                raise InputError(
                    f"The split {task.split!r} of {dataset.name!r} leaves no user with training items and a "
                    f"new {phase} item; import more interactions or choose another split."
                )
        return parts

    @property
    def n_users(self) -> int:
        """Return U."""
        return self.dataset.interactions.n_users

    @property
    def n_items(self) -> int:
        """Return I."""
        return self.dataset.interactions.n_items

    @cached_property
    def train_pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Return users and items (N,) of the training rows, in time order."""
        return self._pairs(self.split.train)

    @cached_property
    def seen(self) -> Seen:
        """Return who has seen what in training."""
        return seen_items(*self.train_pairs, self.n_users, self.n_items)

    @cached_property
    def popularity(self) -> np.ndarray:
        """Return the number of training rows of each item (I,)."""
        return np.bincount(self.train_pairs[1], minlength=self.n_items)

    @cached_property
    def valid(self) -> HeldOut:
        """Return the validation question: seen items hidden."""
        return HeldOut.of(*self._of_known_users(self.split.valid), self.seen, self.n_items)

    @cached_property
    def test(self) -> HeldOut:
        """Return the test question; validation items are hidden too where the task says so."""
        hidden = self.seen
        if self.task.hide_valid_at_test:
            users, items = self._pairs(np.concatenate([self.split.train, self.split.valid]))
            hidden = seen_items(users, items, self.n_users, self.n_items)
        return HeldOut.of(*self._of_known_users(self.split.test), hidden, self.n_items)

    def held_out(self, phase: Phase) -> HeldOut:
        """Return the question of a phase."""
        return self.valid if phase == "valid" else self.test

    def histories(self, phase: Phase) -> Rows:
        """Return what a model may read of each user: training items, in the test also validation items."""
        rows = self.split.train
        if phase == "test":
            rows = np.sort(np.concatenate([rows, self.split.valid]))
        return Rows.of(*self._pairs(rows), self.n_users)

    def _pairs(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        interactions = self.dataset.interactions
        return interactions.user_nums[rows], interactions.item_nums[rows]

    def _of_known_users(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        users, items = self._pairs(rows)
        known = np.diff(self.seen[0])[users] > 0
        return users[known], items[known]

    def describe(self) -> str:
        """Return the protocol in one sentence."""
        hidden = "training and validation" if self.task.hide_valid_at_test else "training"
        return (
            f"{self.task.split} split, {self.task.positives} positives, full ranking of {self.n_items:,} "
            f"items for {len(self.test.users):,} test users, {hidden} items left out"
        )


def _split(dataset: Dataset, task: RankingTask, seed: int) -> Split:
    if task.split == "given":
        return given_parts(dataset)
    if task.split == "per_user":
        return per_user_ratio(dataset.interactions, seed)
    return leave_one_out(dataset.interactions)


def _positive_rows(dataset: Dataset, task: RankingTask, split: Split) -> Split:
    if task.positives == "all":
        return split
    liked = ~(dataset.interactions.ratings <= dataset.like_threshold)  # NaN (no rating) counts as a like
    return Split(split.kind, *(rows[liked[rows]] for rows in (split.train, split.valid, split.test)))
