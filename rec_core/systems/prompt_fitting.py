"""Keep a prompt within the backbone's length by leaving out history, never by cutting text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rec_core.llm.backbone import chat_wrapped
from rec_core.prompts.like import LikePrompt, Order
from rec_core.systems.prompting import Prompter
from rec_core.types import EvidenceItem, InputError, ScoreRequest


def fitted_prompt(
    prompter: Prompter,
    tokenizer: Any,
    request: ScoreRequest,
    evidence: Sequence[EvidenceItem],
    order: Order,
    max_length: int,
) -> LikePrompt:
    """Return the prompt with as much evidence as fits.

    Of a chronological list the oldest row is left out first, of a relevance list the last.

    Differs from authors' code: a tokenizer limit cuts the prompt's end there, that is the question itself.

    Raises:
        InputError: not even the prompt without history fits.
    """
    shown = list(evidence)
    while True:
        prompt = prompter.like(request, shown, order)
        text = chat_wrapped(tokenizer, prompt.text)
        # A token is at least one byte, so a short text needs no counting.
        if len(text.encode()) < max_length or len(tokenizer.encode(text)) <= max_length:
            return prompt
        if not shown:
            raise InputError(
                f"A prompt without any history is longer than {max_length} tokens; raise backbone.max_length."
            )
        shown.pop(0 if order == "chronological" else -1)
