"""Write a split as the atomic files RecBole reads, every id being our number written as text.

Rows keep their place in the source as a timestamp (0, 1, 2, ...), so that sorting by it gives our order even
where real timestamps tie, and RecBole's own leave-one-out cuts where ours does. Numbers below 2**24 survive
the 32-bit floats RecBole keeps timestamps in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from rec_core.types import InputError, Split

PARTS = ("train", "valid", "test")
_MOST_ROWS = 2**24


def export_ranking(
    folder: Path, name: str, user_nums: np.ndarray, item_nums: np.ndarray, split: Split
) -> Path:
    """Write who took what: all rows in one file for sequential models, and one file per part for the others.

    Args:
        folder: where a folder `name` is made.
        name: what RecBole calls the data set (not one of those it ships settings for, like "ml-100k").
        user_nums: (N,) user numbers, rows in time order, every number below the largest in use.
        item_nums: (N,) item numbers, the same.
        split: rows of each part.

    Returns:
        The folder of the data set.

    Raises:
        InputError: a number is missing, so that RecBole would know fewer users or items than we do; or there
            are more rows than a 32-bit float can number.
    """
    _check_numbers(user_nums, "user")
    _check_numbers(item_nums, "item")
    if len(user_nums) > _MOST_ROWS:
        raise InputError(f"{len(user_nums):,} rows are too many to number in 32-bit floats; export a sample.")
    target = _folder(folder, name)
    table = pd.DataFrame(
        {
            "user_id:token": user_nums,
            "item_id:token": item_nums,
            "timestamp:float": np.arange(len(user_nums)),
        }
    )
    _write(table, target / f"{name}.inter")
    for part in PARTS:
        _write(table.iloc[getattr(split, part)], target / f"{name}.{part}.inter")
    return target


def export_ctr(
    folder: Path,
    name: str,
    user_nums: np.ndarray,
    item_nums: np.ndarray,
    labels: np.ndarray,
    split: Split,
    user_columns: Mapping[str, Sequence[str]],
    item_columns: Mapping[str, Sequence[str]],
    item_bags: Mapping[str, Sequence[Sequence[str]]],
) -> Path:
    """Write like / not-like questions with the attributes of both sides.

    Args:
        folder: where a folder `name` is made.
        name: what RecBole calls the data set.
        user_nums: (N,) who is asked.
        item_nums: (N,) about what.
        labels: (N,) 0 or 1.
        split: rows of each part; the files keep their order.
        user_columns: attribute -> one word per user number; an empty word is "unknown".
        item_columns: attribute -> one word per item number.
        item_bags: attribute -> several words per item number (genres).

    Returns:
        The folder of the data set.
    """
    target = _folder(folder, name)
    table = pd.DataFrame({"user_id:token": user_nums, "item_id:token": item_nums, "label:float": labels})
    for part in PARTS:
        _write(table.iloc[getattr(split, part)], target / f"{name}.{part}.inter")
    users = {f"{column}:token": [_one_word(word) for word in words] for column, words in user_columns.items()}
    items = {f"{column}:token": [_one_word(word) for word in words] for column, words in item_columns.items()}
    for column, bags in item_bags.items():
        items[f"{column}:token_seq"] = [" ".join(_one_word(word) for word in bag) for bag in bags]
    for file, key, columns in (("user", "user_id:token", users), ("item", "item_id:token", items)):
        n = len(next(iter(columns.values())))
        _write(pd.DataFrame({key: np.arange(n), **columns}), target / f"{name}.{file}")
    return target


def read_part(target: Path, part: str) -> pd.DataFrame:
    """Return one exported part as it is on disk, columns without their types."""
    table = pd.read_csv(target / f"{target.name}.{part}.inter", sep="\t")
    return table.rename(columns=lambda column: column.partition(":")[0])


def _folder(folder: Path, name: str) -> Path:
    target = folder / name
    target.mkdir(parents=True, exist_ok=True)
    return target


def _write(table: pd.DataFrame, path: Path) -> None:
    temporary = path.with_name(f"{path.name}.tmp")
    table.to_csv(temporary, sep="\t", index=False)
    temporary.rename(path)


def _one_word(text: str) -> str:
    return "_".join(str(text).split())


def _check_numbers(nums: np.ndarray, kind: str) -> None:
    missing = np.setdiff1d(np.arange(int(nums.max(initial=-1)) + 1), nums)
    if len(missing):
        raise InputError(
            f"No row has {kind} number {missing[0]}, so the peer would not know it; number the {kind}s that "
            "occur anew before exporting."
        )
