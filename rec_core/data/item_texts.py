"""What an item is called and what is said about it, as plain strings for prompts and encoders."""

from __future__ import annotations

import re

import pandas as pd

from rec_core.types import Catalogue

Cell = str | int | float | None

_ENDS_IN_YEAR = re.compile(r"\((?:18|19|20)\d\d\)\s*$")


def title_text(catalogue: Catalogue) -> list[str]:
    """Return each item's title with its year: "Alien (1979)".

    The year is appended where it is known and the title does not end in one already.
    """
    table = catalogue.table
    return [_with_year(title, year) for title, year in zip(table["title"], table["year"], strict=True)]


def description_text(catalogue: Catalogue, noun: str) -> list[str]:
    """Return each item's description; where it is empty, one sentence made of the facts the catalogue has.

    The sentence is built from title, genres, director, country and year, each left out when unknown: "Alien
    is a horror and sci-fi movie directed by Ridley Scott, made in United Kingdom, from 1979."

    Args:
        catalogue: the items.
        noun: what an item is called ("movie", "book").
    """
    table = catalogue.table
    facts = ("title", "year", "genres", "director", "country", "description")
    columns = [table[name].tolist() if name in table.columns else [""] * len(table) for name in facts]
    return [
        _known(description) or _sentence(title, year, genres, director, country, noun)
        for title, year, genres, director, country, description in zip(*columns, strict=True)
    ]


def _sentence(title: str, year: Cell, genres: Cell, director: Cell, country: Cell, noun: str) -> str:
    kind = " ".join(filter(None, [_joined(_known(genres).lower().split("|")), noun]))
    article = "an" if kind[:1].lower() in tuple("aeiou") else "a"
    name = _ENDS_IN_YEAR.sub("", title).strip()
    sentence = f"{name} is {article} {kind}"
    if _known(director):
        sentence += f" directed by {_joined(_known(director).split('|'))}"
    if _known(country):
        sentence += f", made in {_joined(_known(country).split('|'))}"
    if _known(year):
        sentence += f", from {_known(year)}"
    return sentence + "."


def _with_year(title: str, year: Cell) -> str:
    return title if not _known(year) or _ENDS_IN_YEAR.search(title) else f"{title} ({_known(year)})"


def _known(value: Cell) -> str:
    """Return the value as trimmed text, "" when it is missing."""
    return "" if value is None or pd.isna(value) else str(value).strip()


def _joined(words: list[str]) -> str:
    words = [word.strip() for word in words if word.strip()]
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else ""
