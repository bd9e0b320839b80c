"""Item texts as they stream by: one row per known item, filled in when its record comes."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from rec_core.types import Catalogue

_YEAR = re.compile(r"(?<!\d)(1[5-9]\d\d|20\d\d)(?!\d)")


class CatalogueRows:
    """The catalogue of items whose ids are known; records of other items are passed over."""

    def __init__(self, items: Mapping[str, int], *more: str) -> None:
        """Begin with empty texts for `items` (id to number, 0 .. I-1) and `more` columns after the usual."""
        self._items = items
        columns = ("title", "year", "genres", "description", *more)
        self._texts: dict[str, list[str]] = {column: [""] * len(items) for column in columns}

    def put(self, item: str, **texts: str) -> None:
        """Fill in texts of an item; the first text that is not empty stays."""
        number = self._items.get(item)
        if number is None:
            return
        for column, text in texts.items():
            self._texts[column][number] = self._texts[column][number] or text

    def finish(self) -> tuple[Catalogue, tuple[str, ...]]:
        """Return the catalogue and what a reader should know: an item without a title goes by its id."""
        ids = pd.Series(list(self._items), dtype="str")
        table = pd.DataFrame({"item_id": ids, **self._texts}).astype("str")
        untitled = table["title"] == ""
        table["title"] = table["title"].where(~untitled, ids)
        table["year"] = pd.array([year_in(text) for text in self._texts["year"]], dtype="Int64")
        n_untitled = int(untitled.sum())
        note = f"{n_untitled:,} of {len(ids):,} items have no title; their id stands for it."
        return Catalogue(table), (note,) if n_untitled else ()


def year_in(text: str) -> int | None:
    """Return the first year of four digits (1500 to 2099) in a text such as "Nov 5, 2011", None without."""
    found = _YEAR.search(text)
    return int(found.group()) if found else None
