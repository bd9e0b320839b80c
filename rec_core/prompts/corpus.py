"""Sentences the embedded language model learns to speak from: the catalogue's facts and behaviour as text.

No sentence here answers the like question of `prompts.like`: whether the untuned model can is what zero-shot
asks.
"""

from __future__ import annotations

from collections.abc import Sequence

from rec_core.prompts.like import ANSWER_LEAD, OLDEST_FIRST
from rec_core.prompts.profile import history_lead, one_line, profile_sentence, stars


def item_facts(title: str, genres: Sequence[str], description: str) -> str:
    """Return a title line, its genres and its description."""
    lines = [one_line(title)]
    if genres:
        lines.append(one_line(f"Genres: {', '.join(genres)}."))
    if description:
        lines.append(one_line(description))
    return "\n".join(lines)


def fact_question(title: str, fact: str, value: str, is_so: bool) -> str:
    """Return a question about a fact ("genre", "author"), answered, in the frame of the yes/no prompt."""
    verdict = "Yes" if is_so else "No"
    return (
        f"Is its {fact} {one_line(value)}? Answer only Yes or No.\n"
        f"{one_line(title)}\n{ANSWER_LEAD} {verdict}."
    )


def behaviour(
    profile: dict[str, str], history: Sequence[tuple[str, float]], noun: str = "movie", in_time: bool = True
) -> str:
    """Return a stretch of one user's rated history, oldest first where its order is that of time."""
    lines = [profile_sentence(profile), history_lead(profile, noun, OLDEST_FIRST * in_time)]
    lines += [f"{one_line(title)} {stars(rating)}" for title, rating in history]
    return "\n".join(lines)
