"""What an item is called and what is said about it, as plain strings for prompts and encoders."""

from __future__ import annotations

import re

import pandas as pd

from rec_core.types import Catalogue

Cell = str | int | float | None

_FACTS = {  # how a sentence goes on with each fact, in this order; genres stand before the noun
    "genres": "",
    "director": " directed by",
    "author": " by",
    "developer": " by",
    "brand": " by",
    "publisher": ", published by",
    "country": ", made in",
    "year": ", from",
}
_ENDS_IN_YEAR = re.compile(r"\((?:18|19|20)\d\d\)\s*$")


def title_text(catalogue: Catalogue) -> list[str]:
    """Return each item's title with its year: "Alien (1979)".

    The year is appended where it is known and the title does not end in one already.
    """
    table = catalogue.table
    return [_with_year(title, year) for title, year in zip(table["title"], table["year"], strict=True)]


def description_text(catalogue: Catalogue, noun: str) -> list[str]:
    """Return each item's description; where it is empty, one sentence made of the facts the catalogue has.

    The sentence is built from title, genres, director, author, developer, brand, publisher, country and year,
    each left out when unknown: "Alien is a horror and sci-fi movie directed by Ridley Scott, made in United
    Kingdom, from 1979.", "Emma is a book by Jane Austen, published by Penguin, from 1994."

    Paper: ReLLa's and RALLRec's sentence on a book has title, ISBN, author, year and publisher; an ISBN says
    nothing elsewhere and is left out.

    Args:
        catalogue: the items.
        noun: what an item is called ("movie", "book").
    """
    table = catalogue.table
    columns = {
        name: table[name].tolist() for name in ("title", "description", *_FACTS) if name in table.columns
    }
    rows = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    return [_known(row["description"]) or _sentence(row, noun) for row in rows]


def _sentence(facts: dict[str, Cell], noun: str) -> str:
    kind = " ".join(filter(None, [_joined(_known(facts.get("genres")).lower().split("|")), noun]))
    article = "an" if kind[:1].lower() in tuple("aeiou") else "a"
    name = _ENDS_IN_YEAR.sub("", str(facts["title"])).strip()
    known = {fact: _known(facts.get(fact)).split("|") for fact in _FACTS if _known(facts.get(fact))}
    told = "".join(f"{_FACTS[fact]} {_joined(known[fact])}" for fact in known if _FACTS[fact])
    return f"{name} is {article} {kind}{told}."


def _with_year(title: str, year: Cell) -> str:
    return title if not _known(year) or _ENDS_IN_YEAR.search(title) else f"{title} ({_known(year)})"


def _known(value: Cell) -> str:
    """Return the value as trimmed text, "" when it is missing."""
    return "" if value is None or pd.isna(value) else str(value).strip()


def _joined(words: list[str]) -> str:
    words = [word.strip() for word in words if word.strip()]
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else ""
