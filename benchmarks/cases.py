"""What both libraries are asked: the same rows, cut the same way, written once for the peer.

Ranking: each user's last row is the test, the one before it validation (`data.splits.leave_one_out`), every
rating counts as a positive, all items that have a row are candidates. Clicks: is the rating above 3? over all
rows, dealt 8:1:1 at random; both sides see user, age, gender, occupation, item, year and genres, no history.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.export import export_ctr, export_ranking
from rec_core.data.ctr import make_ctr_samples
from rec_core.data.filters import core_of
from rec_core.data.interactions import subset
from rec_core.data.sources import load_source
from rec_core.data.splits import leave_one_out
from rec_core.seeding import numpy_generator
from rec_core.types import CTRSamples, Dataset, InputError, Split

USER_COLUMNS = ("age_years", "age_group", "gender", "occupation")  # of ages, the finer one that is there
ITEM_COLUMNS = ("year",)


@dataclass(frozen=True)
class RankingCase:
    """Find each user's last item among all of them."""

    name: str  # what the peer calls it
    dataset: Dataset
    split: Split

    def export(self, folder: Path) -> None:
        """Write the peer's files into `folder`/`name`."""
        rows = self.dataset.interactions
        export_ranking(folder, self.name, rows.user_nums, rows.item_nums, self.split)


@dataclass(frozen=True)
class ClickCase:
    """Tell likes from dislikes."""

    name: str
    dataset: Dataset
    samples: CTRSamples
    split: Split  # places in `samples`

    @property
    def user_columns(self) -> tuple[str, ...]:
        """Return the attributes of users that both sides see."""
        there = [column for column in USER_COLUMNS if column in self.dataset.users.columns]
        return tuple(column for column in there if column != "age_group" or "age_years" not in there)

    def export(self, folder: Path) -> None:
        """Write the peer's files into `folder`/`name`."""
        table = self.dataset.catalogue.table
        users = {column: self.dataset.users[column].astype(str).tolist() for column in self.user_columns}
        items = {column: _words(table[column]) for column in ITEM_COLUMNS}
        genres = [[genre for genre in text.split("|") if genre] for text in table["genres"].astype(str)]
        samples = self.samples
        export_ctr(
            folder,
            self.name,
            samples.user_nums,
            samples.item_nums,
            samples.labels,
            self.split,
            users,
            items,
            {"genres": genres},
        )


def ranking_case(source: str, n_users: int = 0, seed: int = 0) -> RankingCase:
    """Return the ranking question about a built-in dataset.

    Args:
        source: its name.
        n_users: so many users, drawn at random, with their whole histories; 0 takes all.
        seed: decides who is drawn.
    """
    dataset = _users_of(source, "ranking", n_users, seed)
    return RankingCase(dataset.name, dataset, leave_one_out(dataset.interactions))


def click_case(source: str, n_users: int = 0, seed: int = 0) -> ClickCase:
    """Return the like / not-like question about every row of a built-in dataset.

    Args:
        source: its name.
        n_users: so many users, drawn at random, with all their rows; 0 takes all.
        seed: decides who is drawn and how rows are dealt.
    """
    dataset = _users_of(source, "clicks", n_users, seed)
    samples = make_ctr_samples(dataset.interactions, dataset.like_threshold, min_history=0)
    return ClickCase(dataset.name, dataset, samples, random_rows(len(samples), seed))


def sample_users(dataset: Dataset, n_users: int, seed: int) -> Dataset:
    """Return a dataset with the rows of `n_users` users drawn at random among those who have any.

    Numbers stay as they were: `core_of` numbers anew.

    Raises:
        InputError: there are not so many users.
    """
    active = np.unique(dataset.interactions.user_nums)
    if n_users > len(active):
        raise InputError(
            f"{dataset.name!r} has {len(active):,} users with rows, not {n_users:,}; ask for fewer."
        )
    drawn = numpy_generator(seed, "benchmark users").choice(active, n_users, replace=False)
    kept = np.isin(dataset.interactions.user_nums, drawn)
    return replace(dataset, interactions=subset(dataset.interactions, kept))


def random_rows(n_rows: int, seed: int) -> Split:
    """Deal rows 8:1:1 at random."""
    shuffled = numpy_generator(seed, "benchmark rows").permutation(n_rows)
    tenth = n_rows // 10
    test, valid, train = shuffled[:tenth], shuffled[tenth : 2 * tenth], shuffled[2 * tenth :]
    return Split("random_rows", np.sort(train), np.sort(valid), np.sort(test))


def _users_of(source: str, question: str, n_users: int, seed: int) -> Dataset:
    """Return a built-in dataset, or a sample of its users, under the name of the question asked of it."""
    dataset, name = load_source(source), f"{source}-{question}"
    if n_users:
        dataset, name = sample_users(dataset, n_users, seed), f"{name}-{n_users}-users-{seed}"
    return core_of(dataset, 1, 1, name)


def _words(values) -> list[str]:
    return values.astype("string").fillna("").tolist()
