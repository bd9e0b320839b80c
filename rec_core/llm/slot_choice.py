"""Read a list prompt: the probability of each candidate's letter at the answer position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rec_core.llm.yes_no import last_logits, left_padded
from rec_core.types import InputError


def slot_probs(
    model: Any, tokenizer: Any, prompts: Sequence[str], letters: str, lead: str, batch_size: int = 32
) -> np.ndarray:
    """Return the probability of each slot, a softmax over the letters' logits: (B, C), rows sum to 1.

    Raises:
        InputError: some letter is not a single token after the lead.
    """
    import torch

    columns = _letter_tokens(tokenizer, letters, lead)
    device = next(model.parameters()).device
    model.eval()
    rows = []
    for start in range(0, len(prompts), batch_size):
        ids, mask = left_padded(
            [tokenizer.encode(p) for p in prompts[start : start + batch_size]], tokenizer.pad_token_id
        )
        with torch.inference_mode():
            logits = last_logits(model, ids.to(device), mask.to(device))[:, columns]
        rows.append(torch.softmax(logits.double(), dim=1).cpu().numpy())
    return np.concatenate(rows) if rows else np.zeros((0, len(letters)))


def _letter_tokens(tokenizer: Any, letters: str, lead: str) -> list[int]:
    before = tokenizer.encode(lead, add_special_tokens=False)
    columns = []
    for letter in letters:
        ids = tokenizer.encode(f"{lead} {letter}", add_special_tokens=False)
        if ids[: len(before)] != before or len(ids) != len(before) + 1:
            raise InputError(
                f"The tokenizer splits the answer letter {letter!r}, so list prompts cannot be read."
            )
        columns.append(ids[-1])
    return columns
