"""Find the two tokens a yes/no answer begins with, for whatever tokenizer is at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rec_core.types import InputError

_WORDS = (("Yes", "No"), ("yes", "no"))


@dataclass(frozen=True)
class AnswerTokens:
    """Vocabulary numbers of the words that open a yes and a no answer, and how they are spelled."""

    yes: int
    no: int
    yes_text: str
    no_text: str


def answer_tokens(tokenizer: Any, lead: str) -> AnswerTokens:
    """Return the pair of single, different tokens that continue `lead`.

    Published code fixes the numbers of one model's vocabulary; here each spelling is tokenised after the lead
    and taken only when it adds exactly one token, a different one for yes and for no. Behind a lead that ends
    in white space (a chat template's last line break) the spelling without a blank comes first, elsewhere the
    one with it.

    Args:
        tokenizer: a Hugging Face tokenizer.
        lead: the text before the answer ("Answer:").

    Raises:
        InputError: no spelling gives single tokens; the model cannot be used for yes/no scoring.
    """
    before = tokenizer.encode(lead, add_special_tokens=False)
    blanks = ("", " ") if lead[-1:].isspace() else (" ", "")
    for yes_text, no_text in [(blank + yes, blank + no) for yes, no in _WORDS for blank in blanks]:
        pair = [tokenizer.encode(lead + text, add_special_tokens=False) for text in (yes_text, no_text)]
        single = all(ids[: len(before)] == before and len(ids) == len(before) + 1 for ids in pair)
        if single and pair[0][-1] != pair[1][-1]:
            return AnswerTokens(pair[0][-1], pair[1][-1], yes_text, no_text)
    name = getattr(tokenizer, "name_or_path", "this tokenizer")
    raise InputError(
        f"The tokenizer of {name!r} splits both Yes and No into several tokens, so a yes/no answer cannot be "
        "read from one position; choose another backbone."
    )
