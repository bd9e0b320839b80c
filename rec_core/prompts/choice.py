"""The list prompt: lettered candidates, one letter as the answer, which may depend on the order shown."""

from __future__ import annotations

from collections.abc import Sequence

from rec_core.prompts.like import ANSWER_LEAD, OLDEST_FIRST
from rec_core.prompts.profile import history_lead, one_line, profile_sentence, pronouns, stars

LETTERS = "ABCDEFGHIJKLMNOPQRST"


def choice_prompt(
    profile: dict[str, str],
    history: Sequence[tuple[str, float]],
    candidates: Sequence[str],
    noun: str = "movie",
    in_time: bool = True,
) -> str:
    """Render the prompt whose next word is the letter of one candidate, " A", " B", ...

    Args:
        profile: stated attributes of the user (may be empty).
        history: (title, rating), oldest first.
        candidates: titles in slot order, at most 20.
        noun: what an item is called.
        in_time: the order of the history is that of time.

    Raises:
        ValueError: more candidates than letters, or none.
    """
    if not 1 <= len(candidates) <= len(LETTERS):
        raise ValueError(f"between 1 and {len(LETTERS)} candidates are needed, got {len(candidates)}")
    who = pronouns(profile)
    lines = [profile_sentence(profile), history_lead(profile, noun, OLDEST_FIRST * in_time)]
    lines += [f"{one_line(title)} {stars(rating)}" for title, rating in history]
    lines.append(f"Which of these {noun}s would {who.subject} pick next?")
    lines += [f"{letter}: {one_line(title)}" for letter, title in zip(LETTERS, candidates, strict=False)]
    lines.append(ANSWER_LEAD)
    return "\n".join(lines)
