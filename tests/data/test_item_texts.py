"""Titles and descriptions as strings, written out by hand."""

import pandas as pd
import pytest

from rec_core.data.item_texts import description_text, title_text
from rec_core.types import Catalogue


def catalogue(**columns):
    rows = len(columns["title"])
    values = {"item_id": [str(row) for row in range(rows)], "year": [None] * rows, "genres": [""] * rows}
    values |= {"description": [""] * rows} | columns
    table = pd.DataFrame(values)
    return Catalogue(table.assign(year=pd.array(values["year"], dtype="Int64")))


@pytest.mark.parametrize(
    ("title", "year", "expected"),
    [
        ("Alien", 1979, "Alien (1979)"),
        ("Alien (1979)", 1979, "Alien (1979)"),
        ("Alien (1979) ", 1979, "Alien (1979) "),
        ("Alien", None, "Alien"),
        ("2001 (a film)", 1968, "2001 (a film) (1968)"),
        ("Numbers (3000)", 1990, "Numbers (3000) (1990)"),
        ("(1984) rethought", 1999, "(1984) rethought (1999)"),
    ],
)
def test_the_year_is_appended_once(title, year, expected):
    assert title_text(catalogue(title=[title], year=[year])) == [expected]


def test_a_description_is_taken_as_it_is():
    items = catalogue(title=["A", "B"], description=["  Said. ", "Told."], genres=["Drama", ""])
    assert description_text(items, "movie") == ["Said.", "Told."]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (
            {"title": ["Nine Lanterns (1999)"], "year": [1999], "genres": ["Thriller"]},
            "Nine Lanterns is a thriller movie, from 1999.",
        ),
        (
            {
                "title": ["N"],
                "genres": ["Action|Drama|War"],
                "director": ["Ada B|Cy D"],
                "country": ["Chile"],
            },
            "N is an action, drama and war movie directed by Ada B and Cy D, made in Chile.",
        ),
        (
            {"title": ["Emma"], "author": ["Jane Austen"], "publisher": ["Penguin"], "year": [1994]},
            "Emma is a book by Jane Austen, published by Penguin, from 1994.",
        ),
        (
            {"title": ["N"], "brand": ["Tall"], "genres": ["Kids & Family"]},
            "N is a kids & family book by Tall.",
        ),
        ({"title": ["N"], "director": [None], "country": [float("nan")]}, "N is a movie."),
        ({"title": ["N"], "description": [None], "genres": [None]}, "N is a movie."),
    ],
)
def test_an_empty_description_becomes_a_sentence_of_what_is_known(facts, expected):
    noun = "book" if "book" in expected else "movie"
    assert description_text(catalogue(**facts), noun) == [expected]


def test_the_noun_decides_the_article():
    assert description_text(catalogue(title=["N"]), "album") == ["N is an album."]
