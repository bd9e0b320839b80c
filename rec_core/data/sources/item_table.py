"""The catalogue of a streamed log from a table of items that may list fewer, or none."""

from __future__ import annotations

import pandas as pd

from rec_core.data.sources.table import item_rows, need, unique_ids
from rec_core.data.sources.table_file import TableFile


def listed_items(table: TableFile | None) -> list[str]:
    """Return the ids that a table of items lists, in its order.

    Raises:
        InputError: it has no ids, an empty one, or one twice.
    """
    if table is None:
        return []
    need(table, "item_id", "title")
    return unique_ids(table, "item_id").tolist()


def item_table(table: TableFile | None, ids: list[str], notes: list[str]) -> pd.DataFrame:
    """Return one row per item number.

    Args:
        table: items with at least item_id and title; None = there is no such file.
        ids: (I,) the item of each number: first those of the table in its order, then any that it lacks.
        notes: gets a sentence about items whose id stands for their title.

    Raises:
        InputError: a year is none.
    """
    if table is None:
        notes.append("No items file: an item's title is its id.")
        return item_rows(None, pd.DataFrame({"item_id": ids, "title": ids}))
    rows = table.rows
    unlisted = ids[len(rows) :]
    if unlisted:
        notes.append(f"{len(unlisted):,} items are not in {table.name}; their id is their title.")
        more = pd.DataFrame({"item_id": unlisted, "title": unlisted}, index=[0] * len(unlisted))
        rows = pd.concat([rows, more]).fillna("")
    rows = rows.assign(title=rows["title"].where(rows["title"] != "", rows["item_id"]))
    completed = TableFile(table.name, rows, table.sequences, table.data)
    return item_rows(completed, rows.reset_index(drop=True))
