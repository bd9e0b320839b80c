"""Sentences the embedded language model learns to speak from: the catalogue's facts and behaviour as text.

No sentence here answers the like question of `prompts.like`: whether the untuned model can is what zero-shot
asks.
"""

from __future__ import annotations

from collections.abc import Sequence

from rec_core.prompts.like import ANSWER_LEAD
from rec_core.prompts.profile import one_line, profile_sentence, pronouns, stars


def item_facts(title: str, genres: Sequence[str], description: str) -> str:
    """Return a title line, its genres and its description."""
    lines = [one_line(title)]
    if genres:
        lines.append(one_line(f"Genres: {', '.join(genres)}."))
    if description:
        lines.append(one_line(description))
    return "\n".join(lines)


def genre_question(title: str, genre: str, is_so: bool) -> str:
    """Return a question about a genre with its answer, in the frame of the yes/no prompt."""
    verdict = "Yes" if is_so else "No"
    return (
        f"Is its genre {one_line(genre)}? Answer only Yes or No.\n{one_line(title)}\n{ANSWER_LEAD} {verdict}."
    )


def behaviour(profile: dict[str, str], history: Sequence[tuple[str, float]], noun: str = "movie") -> str:
    """Return a stretch of one user's rated history, oldest first."""
    who = pronouns(profile)
    lines = [profile_sentence(profile), f"{who.subject.capitalize()} rated these {noun}s, oldest first:"]
    lines += [f"{one_line(title)} {stars(rating)}" for title, rating in history]
    return "\n".join(lines)
