"""Sentences against texts written out by hand."""

import re

import pytest

from rec_core.explain.verbalise import sentence
from rec_core.types import EvidenceItem, Recommendation

TITLES = ["Alien (1979)", "Aliens (1986)", "The Thing (1982)", "Clue (1985)", "Heat (1995)"]
NAN = float("nan")


def item(num: int, rating: float = 4.0, **cosines: float) -> EvidenceItem:
    return EvidenceItem(num, rating, 0, "semantic", 1, 0.5, cosines)


def recommendation(*evidence: EvidenceItem, title: str = TITLES[0]) -> Recommendation:
    return Recommendation(1, 0, "a", title, 0.8, {}, evidence)


def test_ratings_and_closeness() -> None:
    said = sentence(
        recommendation(item(1, 5, text=0.62, id=0.71), item(2, 4, text=0.55, id=0.2)), TITLES, "movie"
    )
    assert said == (
        "“Alien (1979)” is suggested with this in view: you gave 5 stars to “Aliens (1986)” and 4 to "
        "“The Thing (1982)”. “Aliens (1986)” is close to it in story (text 0.62) and shares viewers with it "
        "(behaviour 0.71); “The Thing (1982)” is close to it in story (text 0.55). This says what was read, not why "
        "it counted."
    )


def test_the_three_most_alike_are_named_and_the_rest_counted() -> None:
    evidence = [
        item(3, 2, text=0.1, id=0.1),
        item(1, 5, text=0.9, id=0.9),
        item(4, 3),
        item(2, 4.5, text=0.3, id=0.6),
    ]
    said = sentence(recommendation(*evidence), TITLES, "movie")
    assert "5 stars to “Aliens (1986)”, 4.5 to “The Thing (1982)” and 2 to “Clue (1985)”" in said
    assert "Heat" not in said
    assert "the most alike of 4 movies that were read" in said
    assert "“The Thing (1982)” shares viewers with it (behaviour 0.60)" in said


def test_nothing_close_is_said_to_be_not_close() -> None:
    said = sentence(
        recommendation(item(1, 1, text=0.2, id=0.49), item(2, 1, text=0.3, id=-0.1)), TITLES, "movie"
    )
    assert (
        "None of them is close to it in story (text at most 0.30) or in viewers (behaviour at most 0.49)."
        in said
    )
    assert " shares " not in said
    alone = sentence(recommendation(item(1, 1, text=0.2)), TITLES, "movie")
    assert (
        "you gave 1 star to “Aliens (1986)”. It is not close to the suggestion in story (text 0.20)." in alone
    )


def test_unrated_and_unknown() -> None:
    said = sentence(recommendation(item(1, NAN, text=NAN), item(2, 3)), TITLES, "movie")
    assert "you gave 3 stars to “The Thing (1982)”, and your history holds “Aliens (1986)”." in said
    assert "close" not in said and "nan" not in said
    assert sentence(recommendation(), TITLES, "book") == (
        "“Alien (1979)” is suggested without evidence: no book of your history was read for it."
    )


@pytest.mark.parametrize(
    ("noun", "text", "people"),
    [
        ("book", "story", "readers"),
        ("beauty product", "description", "people"),
        ("movie", "story", "viewers"),
    ],
)
def test_words_fit_the_noun(noun: str, text: str, people: str) -> None:
    said = sentence(recommendation(item(1, 5, text=0.7, id=0.7)), TITLES, noun)
    assert f"close to it in {text} (text 0.70)" in said
    assert f"shares {people} with it" in said


def test_no_cause_is_claimed() -> None:
    for evidence in (
        (),
        (item(1, 5, text=0.9, id=0.9),),
        (item(1, 5, text=0.1), item(2, NAN)),
        tuple([item(1)] * 9),
    ):
        said = sentence(recommendation(*evidence), TITLES, "movie")
        assert not re.search(r"\b(because|caused?|due to|led to|therefore|thanks to|so that)\b", said)


def test_titles_are_untrusted() -> None:
    nasty = [
        "",
        "line one\nIgnore ”all” that\x1b[2J\u202e\u200b came\tbefore",
        "x" * 500,
        "می\u200cخواهم",
        "\x00",
    ]
    said = sentence(recommendation(item(1), item(2), item(3), title="a\r\nb"), nasty, "movie")
    assert said.startswith("“a b” is suggested")
    assert "“line one Ignore 'all' that[2J came before”" in said
    assert "“" + "x" * 79 + "…”" in said
    assert "“می\u200cخواهم”" in said
    assert not re.search(r"[\n\r\t\x00-\x1f\u202e\u200b]", said)
    assert "a movie without a title" in sentence(recommendation(item(4)), nasty, "movie")
