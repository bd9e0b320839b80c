"""Say in plain words what a recommendation was made next to: ratings and likeness, never a cause.

The sentences hold only what the evidence holds. What a language model read is known, why it answered as it
did is not; `explain.removal` measures that. Titles are untrusted text: they are quoted, flattened to one line
and cut.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from rec_core.types import EvidenceItem, Recommendation

CLOSE = 0.5  # cosine from which two items are called close
_MOST_NAMED = 3
_LONGEST_TITLE = 80
_JOINERS = "\u200c\u200d"  # needed to spell some scripts


class _Words(NamedTuple):
    text: str
    people: str


_WORDS = {
    "movie": _Words("story", "viewers"),
    "film": _Words("story", "viewers"),
    "book": _Words("story", "readers"),
}
_ANY_NOUN = _Words("description", "people")


def sentence(recommendation: Recommendation, titles: Sequence[str], noun: str) -> str:
    """Return two or three plain sentences on what the user rated and how close that is to the suggestion.

    The (at most three) items named are those most alike in text and behaviour; an item is called close from a
    cosine of 0.5. An item without a rating is said to be in the history.

    Args:
        recommendation: with its evidence and, where known, similarities by view ("text", "id").
        titles: the title of each item number.
        noun: what an item is called ("movie").
    """
    target = _quoted(recommendation.title, noun)
    if not recommendation.evidence:
        return f"{target} is suggested without evidence: no {noun} of your history was read for it."
    named = sorted(recommendation.evidence, key=_likeness, reverse=True)[:_MOST_NAMED]
    names = [_quoted(titles[item.item_num], noun) for item in named]
    words = _WORDS.get(noun, _ANY_NOUN)
    parts = [
        f"{target} is suggested with this in view: {_ratings(named, names)}.",
        *_closeness(named, names, words),
        _caveat(len(recommendation.evidence), len(named), noun),
    ]
    return " ".join(parts)


def _ratings(items: Sequence[EvidenceItem], names: Sequence[str]) -> str:
    rated = [
        (item.rating, name) for item, name in zip(items, names, strict=True) if not math.isnan(item.rating)
    ]
    unrated = [name for item, name in zip(items, names, strict=True) if math.isnan(item.rating)]
    said = []
    if rated:
        first, *rest = rated
        stars = "star" if first[0] == 1 else "stars"
        said.append(
            "you gave "
            + _joined([f"{first[0]:g} {stars} to {first[1]}", *(f"{r:g} to {n}" for r, n in rest)])
        )
    if unrated:
        said.append(f"your history holds {_joined(unrated)}")
    return ", and ".join(said)


def _closeness(items: Sequence[EvidenceItem], names: Sequence[str], words: _Words) -> list[str]:
    """Return the sentence on likeness, or nothing where no view knows the items."""
    said = []
    for item, name in zip(items, names, strict=True):
        text, behaviour = _known(item, "text"), _known(item, "id")
        ways = []
        if text is not None and text >= CLOSE:
            ways.append(f"is close to it in {words.text} (text {text:.2f})")
        if behaviour is not None and behaviour >= CLOSE:
            ways.append(f"shares {words.people} with it (behaviour {behaviour:.2f})")
        if ways:
            said.append(f"{name} {' and '.join(ways)}")
    if said:
        return ["; ".join(said) + "."]
    best = []
    for view, label, way in (("text", "text", words.text), ("id", "behaviour", words.people)):
        values = [value for item in items if (value := _known(item, view)) is not None]
        if values:
            best.append(f"in {way} ({label} {'at most ' if len(items) > 1 else ''}{max(values):.2f})")
    subject = "None of them" if len(items) > 1 else "It"
    verb = "is close to it" if len(items) > 1 else "is not close to the suggestion"
    return [f"{subject} {verb} {' or '.join(best)}."] if best else []


def _caveat(n_read: int, n_named: int, noun: str) -> str:
    if n_read > n_named:
        return (
            f"They are the most alike of {n_read} {noun}s that were read; "
            "this says what was read, not why it counted."
        )
    return "This says what was read, not why it counted."


def _likeness(item: EvidenceItem) -> float:
    values = [value for view in ("text", "id") if (value := _known(item, view)) is not None]
    return sum(values) / len(values) if values else -2.0  # below every cosine: unknown items come last


def _known(item: EvidenceItem, view: str) -> float | None:
    value = item.similarities.get(view, math.nan)
    return None if math.isnan(value) else value


def _joined(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _quoted(title: str, noun: str) -> str:
    """Return a title in quotation marks on one line, without characters that hide or reorder text."""
    shown = "".join(" " if c.isspace() else c for c in title)
    shown = "".join(c for c in shown if c in _JOINERS or not unicodedata.category(c).startswith("C"))
    shown = " ".join(shown.replace("“", "'").replace("”", "'").split())
    if len(shown) > _LONGEST_TITLE:
        shown = shown[: _LONGEST_TITLE - 1].rstrip() + "…"
    return f"“{shown}”" if shown else f"a {noun} without a title"
