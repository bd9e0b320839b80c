"""The yes/no prompt: profile, rated history, and "would they like this item?".

Paper: RALLRec section 2.3, after ReLLa's template (profile, list of rated items, question, answer in one
word).
Differs from the authors' code: the wording is ours; no running index before the titles; years behind titles;
the notes on stars and on the threshold stand before the question (theirs: behind it, ReLLa without a
threshold); the history is called oldest first where it is (theirs: "in order" on ML-1M, "in the past" on
BookCrossing); a country or an age that is not known is left out (theirs: "unknown"); plain text without a
chat envelope unless the backbone brings a chat template (`llm.backbone` adds it).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rec_core.prompts.profile import history_lead, one_line, profile_sentence, pronouns, stars

Order = Literal["relevance", "chronological"]
ANSWER_LEAD = "Answer:"
ANSWER_END = "."  # behind the answer's word in training rows
OLDEST_FIRST = "oldest first"
_RELEVANT_FIRST = "most relevant first"


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
    in_time: bool = True,
) -> LikePrompt:
    """Render the prompt whose next word is " Yes" or " No".

    Args:
        profile: stated attributes of the user (may be empty).
        history: (title, rating) in the order to be shown; empty gives a line that says so.
        target_title: the item asked about; neither its rating nor its popularity is shown.
        like_threshold: a like is a rating above this.
        order: how the list is said to be ordered.
        noun: what an item is called.
        in_time: the order of a history is that of time; where it is not, a chronological list is not said to
            be ordered.
    """
    who = pronouns(profile)
    if history:
        ordered = _RELEVANT_FIRST if order == "relevance" else OLDEST_FIRST * in_time
        rows = [f"{one_line(title)} {stars(rating)}" for title, rating in history]
        listing = "\n".join([history_lead(profile, noun, ordered), *rows])
    else:
        listing = f"{who.subject.capitalize()} rated no {noun} yet."
    parts = {
        "profile": profile_sentence(profile),
        "history": listing,
        "note": f"More stars mean a stronger like; a like is more than {like_threshold:g} stars.",
        "question": f"Would {who.subject} like this {noun}? Answer only Yes or No.\n{one_line(target_title)}",
        "lead": ANSWER_LEAD,
    }
    return LikePrompt("\n".join(parts.values()), parts)
