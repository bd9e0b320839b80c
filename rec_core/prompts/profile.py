"""Turn the little that is known about a user into words."""

from __future__ import annotations

import re
from dataclasses import dataclass

ATTRIBUTES = ("gender", "country", "age_group", "occupation")
"""What a profile may say, in the order in which it is said."""

_SPACES = re.compile(r"\s+")


@dataclass(frozen=True)
class Pronouns:
    """How a sentence speaks of the user."""

    subject: str
    verb: str  # the form of "to be" that goes with it


_PRONOUNS = {"woman": Pronouns("she", "is"), "man": Pronouns("he", "is")}
_UNKNOWN = Pronouns("they", "are")


def pronouns(profile: dict[str, str]) -> Pronouns:
    """Return she / he for a stated gender of woman / man, and they for anything else or nothing."""
    return _PRONOUNS.get(profile.get("gender", ""), _UNKNOWN)


def profile_sentence(profile: dict[str, str]) -> str:
    """Return one sentence of the stated attributes; missing ones are left out, none is guessed.

    Args:
        profile: any of `ATTRIBUTES`; empty values count as missing.
    """
    known = {name: text for name, value in profile.items() if (text := one_line(value))}
    parts = []
    if "gender" in known:
        parts.append(f"a {known['gender']}" if known["gender"] in _PRONOUNS else known["gender"])
    if "country" in known:
        parts.append(f"from {known['country']}")
    if "age_group" in known:
        parts.append(f"aged {known['age_group']}")
    if "occupation" in known:
        parts.append(f"occupation: {known['occupation']}")
    if not parts:
        return "Nothing is known about the user."
    return f"The user is {', '.join(parts)}."


def history_lead(profile: dict[str, str], noun: str, order: str) -> str:
    """Return the line above a rated history; `order` says how it is sorted, "" where that means nothing."""
    subject = pronouns(profile).subject.capitalize()
    return f"{subject} rated these {noun}s{', ' if order else ''}{order}:"


def one_line(text: str) -> str:
    """Return text with every run of white space as one blank: nothing breaks out of its line."""
    return _SPACES.sub(" ", text).strip()


def stars(rating: float) -> str:
    """Return "(4 stars)", "(1 star)", "(3.5 stars)", or "(not rated)"."""
    if rating != rating:  # NaN: the source has no ratings
        return "(not rated)"
    number = f"{rating:g}"
    return f"({number} star)" if number == "1" else f"({number} stars)"
