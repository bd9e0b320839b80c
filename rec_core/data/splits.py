"""Cut time-ordered rows into train, valid and test, and say what each cut leaks."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from rec_core.data.histories import positions_in_history
from rec_core.seeding import numpy_generator
from rec_core.types import InputError, Interactions, Split


def leave_one_out(interactions: Interactions) -> Split:
    """Test on each user's last row, validate on the one before, train on the rest.

    Users with fewer than three rows are all train: they would otherwise be tested without any history.

    Returns:
        Rows of the interactions; |test| = |valid| = the number of users with at least three rows.
    """
    lengths = np.bincount(interactions.user_nums, minlength=interactions.n_users)[interactions.user_nums]
    from_end = lengths - 1 - positions_in_history(interactions.user_nums)
    test = (from_end == 0) & (lengths >= 3)
    valid = (from_end == 1) & (lengths >= 3)
    return Split("leave_one_out", np.flatnonzero(~test & ~valid), np.flatnonzero(valid), np.flatnonzero(test))


def per_user_ratio(
    interactions: Interactions, seed: int, fractions: Sequence[float] = (0.8, 0.1, 0.1)
) -> Split:
    """Deal each user's rows at random to train, valid and test.

    The usual split of ranking papers and of RecBole's general models. It lets the future of a user into
    training: `leak_checks` counts the rows.

    Args:
        interactions: N rows.
        seed: decides who gets what.
        fractions: shares of train, valid and test, summing to 1; of a user's n rows round(n x share), but at
            least one (from two rows on), go to test, the same (from three on) to valid, the rest to train.

    Raises:
        InputError: the shares are not three non-negative numbers that sum to 1.
    """
    _, valid_share, test_share = _shares(fractions)
    shuffled = numpy_generator(seed, "per-user split").permutation(len(interactions))
    places = np.empty(len(interactions), dtype=np.int64)
    places[shuffled] = positions_in_history(interactions.user_nums[shuffled])
    lengths = np.bincount(interactions.user_nums, minlength=interactions.n_users)[interactions.user_nums]
    n_test = np.where(lengths > 1, np.maximum(np.rint(lengths * float(test_share)), 1), 0)
    n_valid = np.where(lengths > 2, np.maximum(np.rint(lengths * float(valid_share)), 1), 0)
    test = places < n_test
    valid = ~test & (places < n_test + n_valid)
    return Split("per_user", np.flatnonzero(~test & ~valid), np.flatnonzero(valid), np.flatnonzero(test))


def global_time(n_rows: int, fractions: Sequence[float] = (0.8, 0.1, 0.1)) -> Split:
    """Cut rows that are already in global time order into three stretches, the latest for the test.

    Paper: ReLLa's and RALLRec's ML-1M split: 970,009 samples give 776,007 / 97,000 / 97,002.

    Args:
        n_rows: how many rows (or samples) there are.
        fractions: shares of train, valid and test, summing to 1. Train and valid are rounded down, exactly
            (0.29 of 100 is 29); test takes what remains.

    Raises:
        InputError: the shares are not three non-negative numbers that sum to 1.
    """
    shares = _shares(fractions)
    first = int(shares[0] * n_rows)
    second = first + int(shares[1] * n_rows)
    rows = np.arange(n_rows)
    return Split("global_time", rows[:first], rows[first:second], rows[second:])


def _shares(fractions: Sequence[float]) -> list[Fraction]:
    shares = [Fraction(str(fraction)) for fraction in fractions]
    if len(shares) != 3 or min(shares) < 0 or sum(shares) != 1:
        raise InputError(
            f"The fractions {tuple(fractions)} cannot split the rows; give three shares that sum to 1, "
            "like 0.8, 0.1, 0.1."
        )
    return shares


def in_rows(split: Split, rows: np.ndarray) -> Split:
    """Translate a split of samples into a split of interactions: sample s stands on row `rows[s]`."""
    return Split(split.kind, rows[split.train], rows[split.valid], rows[split.test])


def leak_checks(
    interactions: Interactions, split: Split, has_time: bool = True, learned: np.ndarray | None = None
) -> list[dict[str, Any]]:
    """Look for ways in which the answers of the test part are visible in training.

    Args:
        interactions: the rows in global time order.
        split: rows of these interactions (a split of samples goes through `in_rows` first).
        has_time: the timestamps are times; without, they only number the rows of a file.
        learned: rows that are learned from when they are more than the training part, such as the histories
            of everybody who is asked; they tell who and what is known. None = the training part.

    Returns:
        One dict per check: `check` (name), `ok`, `detail` (what was found, with the counts). "parts disjoint"
        and "users in order" hold for every sound split, "pairs apart" unless the source repeats pairs.
        "calendar in order" ("rows in order" where there is no calendar) fails for leave-one-out by
        construction. The last two tell of cold starts.
    """
    parts = {"train": split.train, "valid": split.valid, "test": split.test}
    instead = _order_without_times(interactions, has_time)
    known = split.train if learned is None else learned
    return [
        _parts_are_disjoint(parts),
        _users_are_in_order(interactions, parts, instead),
        _all_are_in_order(interactions, parts, instead),
        _pairs_are_apart(interactions, parts),
        _are_known("user", "belong to", interactions.user_nums, split.test, known),
        _are_known("item", "are about", interactions.item_nums, split.test, known),
    ]


def _order_without_times(interactions: Interactions, has_time: bool) -> str:
    """Return a sentence on what orders the rows when it is not time, else nothing."""
    if not has_time:
        return "There are no times: the order is that of the rows."
    if len(interactions) > 1 and np.ptp(interactions.timestamps) == 0:
        return "All times are the same: the order is that of user and item numbers."
    return ""


def _check(name: str, bad: int, good: str, problem: str) -> dict[str, Any]:
    return {"check": name, "ok": bad == 0, "detail": good if bad == 0 else problem}


def _parts_are_disjoint(parts: dict[str, np.ndarray]) -> dict[str, Any]:
    rows = np.concatenate(list(parts.values()))
    repeated = len(rows) - len(np.unique(rows))
    problem = f"{repeated:,} rows are in more than one part."
    return _check("parts disjoint", repeated, "No row is in two parts.", problem)


def _users_are_in_order(
    interactions: Interactions, parts: dict[str, np.ndarray], instead: str
) -> dict[str, Any]:
    latest = np.full(interactions.n_users, -1, dtype=np.int64)
    np.maximum.at(latest, interactions.user_nums[parts["train"]], parts["train"])
    later = np.concatenate([parts["valid"], parts["test"]])
    bad = int((later < latest[interactions.user_nums[later]]).sum())
    if instead:
        return _check(
            "users in order",
            bad,
            f"{instead} No user is tested on a row that stands before a row of theirs that was trained on.",
            f"{instead} {bad:,} valid or test rows stand before a training row of the same user.",
        )
    return _check(
        "users in order",
        bad,
        "No user is tested on a row older than a row of theirs that was trained on.",
        f"{bad:,} valid or test rows are older than a training row of the same user.",
    )


def _all_are_in_order(
    interactions: Interactions, parts: dict[str, np.ndarray], instead: str
) -> dict[str, Any]:
    held_out = np.concatenate([parts["valid"], parts["test"]])
    first = held_out.min() if len(held_out) else len(interactions)
    bad = int((parts["train"] > first).sum())
    if instead:
        return _check(
            "rows in order",
            bad,
            f"{instead} Everything in train stands before everything held out.",
            f"{instead} {bad:,} training rows stand after the first held-out row.",
        )
    return _check(
        "calendar in order",
        bad,
        "Everything in train happened before everything held out.",
        f"{bad:,} training rows happened after the first held-out row: the model sees other users' future.",
    )


def _pairs_are_apart(interactions: Interactions, parts: dict[str, np.ndarray]) -> dict[str, Any]:
    pairs = interactions.user_nums.astype(np.int64) * interactions.n_items + interactions.item_nums
    bad = int(np.isin(pairs[parts["test"]], pairs[np.concatenate([parts["train"], parts["valid"]])]).sum())
    return _check(
        "pairs apart",
        bad,
        "No user-item pair of the test part is also in train or valid.",
        f"{bad:,} test rows repeat a user-item pair of train or valid.",
    )


def _are_known(
    noun: str, says: str, numbers: np.ndarray, test: np.ndarray, known: np.ndarray
) -> dict[str, Any]:
    bad = int((~np.isin(numbers[test], numbers[known])).sum())
    return _check(
        f"test {noun}s known",
        bad,
        f"Every {noun} of the test part is in train.",
        f"{bad:,} test rows {says} {noun}s without a training row (cold start).",
    )
