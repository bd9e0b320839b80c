"""The prompt that asks for one item's description: its facts, and a list of what to cover.

Paper: RALLRec section 2.2.1: a language model writes a description per item, which is encoded beside the
title (equation 3). The published prompts list the aspects, ask for fewer than 80 words and for nothing but
the description.
Differs from the authors' code: the wording is ours; every fact of the catalogue is shown (theirs: title and
genre of films, title, ISBN, author, year and publisher of books; an ISBN is left out here, an id says nothing
elsewhere); things that are neither films nor books have a list of their own; no system message, because not
every chat template takes one; a model is told to leave out what it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping

from rec_core.prompts.profile import one_line

FACTS = (
    *("title", "year", "genres", "director", "author", "publisher", "country"),
    *("brand", "developer", "city", "state", "tags", "description"),
)
"""The facts that are shown where a catalogue has them, in this order."""

OWN_TEXT_WORDS = 100
"""Words of the catalogue's own description that are shown."""

_LABELS = {"description": "What its catalogue says"}
_FILMS = (
    "the plot in brief, with the ending left open",
    "themes and genre",
    "where and when it is set, and what was going on there",
    "the main characters and who plays them",
    "the director and how that director works",
    "tone and mood",
    "what it has meant to people, or what lies beneath the story",
)
_BOOKS = (
    "the plot or subject in brief, with the ending left open",
    "themes and genre",
    "where and when it is set, and what was going on there",
    "the main characters and their parts",
    "the author and how that author writes",
    "tone and mood",
    "what it has meant to people, or what lies beneath the text",
    "when and by whom it was published",
)
_OTHERS = (
    "what it is and what it is for",
    "what kind of {noun} it belongs to",
    "who made it or stands behind it, and their manner",
    "where and when people meet it",
    "what sets it apart from others of its kind",
    "the mood or character people find in it",
    "who likes it, and why",
)
_ASPECTS = {"movie": _FILMS, "film": _FILMS, "book": _BOOKS}
_IN_ONE_PIECE = {"title", "description"}  # a "|" in them parts nothing


def description_prompt(facts: Mapping[str, str], noun: str, words: int) -> str:
    """Render the request for one description.

    Args:
        facts: any of `FACTS`; empty ones are left out. Several genres, directors and so on are parted by "|".
            Each run of white space becomes a blank, so that no fact breaks out of its line.
        noun: what an item is called ("movie", "book", "product"); it chooses the list of aspects.
        words: a description should stay below this many.
    """
    lines = [f"Describe the {noun} below for somebody who may choose it: short and rich in facts."]
    for name in FACTS:
        if text := _shown(name, facts.get(name, "")):
            lines.append(f"{_LABELS.get(name, name.capitalize())}: {text}")
    lines.append("Cover these, and leave out what you do not know:")
    lines += [f"- {aspect.format(noun=noun)}" for aspect in _ASPECTS.get(noun, _OTHERS)]
    lines.append(f"Use fewer than {words} words. Answer with the description and nothing else.")
    return "\n".join(lines)


def _shown(name: str, value: str) -> str:
    parts = [value] if name in _IN_ONE_PIECE else value.split("|")
    text = ", ".join(filter(None, map(one_line, parts)))
    return " ".join(text.split(" ")[:OWN_TEXT_WORDS]) if name == "description" else text
