"""The yes/no prompt: profile, rated history, and "would they like this item?".

Paper: RALLRec section 2.3, after ReLLa's template (profile, list of rated items, question, answer in one
word).
Differs from the authors' code: the wording is ours; no running index before the titles; plain text without a
chat envelope unless the backbone brings a chat template (`llm.backbone` adds it).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rec_core.prompts.profile import one_line, profile_sentence, pronouns, stars

Order = Literal["relevance", "chronological"]
ANSWER_LEAD = "Answer:"
ANSWER_END = "."  # behind the answer's word in training rows
_ORDER_WORDS = {"relevance": "most relevant first", "chronological": "oldest first"}


@dataclass(frozen=True)
class LikePrompt:
    """A rendered prompt: `text` is what the model reads, `parts` the same text cut by purpose, in order."""

    text: str
    parts: dict[str, str]


def like_prompt(
    profile: dict[str, str],
    history: Sequence[tuple[str, float]],
    target_title: str,
    like_threshold: float,
    order: Order,
    noun: str = "movie",
) -> LikePrompt:
    """Render the prompt whose next word is " Yes" or " No".

    Args:
        profile: stated attributes of the user (may be empty).
        history: (title, rating) in the order to be shown; empty gives a line that says so.
        target_title: the item asked about; neither its rating nor its popularity is shown.
        like_threshold: a like is a rating above this.
        order: how the list is said to be ordered.
        noun: what an item is called.
    """
    who = pronouns(profile)
    subject = who.subject.capitalize()
    if history:
        rows = "\n".join(f"{one_line(title)} {stars(rating)}" for title, rating in history)
        listing = f"{subject} rated these {noun}s, {_ORDER_WORDS[order]}:\n{rows}"
    else:
        listing = f"{subject} rated no {noun} yet."
    parts = {
        "profile": profile_sentence(profile),
        "history": listing,
        "note": f"More stars mean a stronger like; a like is more than {like_threshold:g} stars.",
        "question": f"Would {who.subject} like this {noun}? Answer only Yes or No.\n{one_line(target_title)}",
        "lead": ANSWER_LEAD,
    }
    return LikePrompt("\n".join(parts.values()), parts)
