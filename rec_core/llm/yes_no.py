"""Score prompts by the probability of yes: one forward pass, the last position, two rows of logits.

Paper: RALLRec section 2.3 / ReLLa: the probability of a like is a softmax over the logits of the two answer
words at the position where the answer starts.
Differs from RALLRec's authors' code: one softmax over the pair. The code takes the full-vocabulary softmax
and then a second one over the two probabilities, which confines scores to (0.269, 0.731):
`metrics.ctr.double_softmax_log_loss`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from rec_core.llm.answer_tokens import AnswerTokens
from rec_core.types import Progress, ProgressEvent, ignore_progress


def yes_no_logits(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[str],
    tokens: AnswerTokens,
    max_tokens_per_batch: int = 16_384,
    progress: Progress = ignore_progress,
    stage: str = "scoring",
) -> np.ndarray:
    """Return the logits of yes and no after each prompt.

    Prompts are sorted by length and batched by a token budget with left padding; only the last position's
    logits are computed.

    Returns:
        (B, 2) float32, columns yes, no, in the order of `prompts`.
    """
    encoded = [tokenizer.encode(text) for text in prompts]
    order = sorted(range(len(encoded)), key=lambda i: (len(encoded[i]), i))
    logits = np.zeros((len(encoded), 2), dtype=np.float32)
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    device = next(model.parameters()).device
    model.eval()
    done = 0
    for batch in _batches(order, encoded, max_tokens_per_batch):
        ids, mask = left_padded([encoded[i] for i in batch], pad)
        with torch.inference_mode():
            last = last_logits(model, ids.to(device), mask.to(device))
        logits[batch] = last[:, [tokens.yes, tokens.no]].float().cpu().numpy()
        done += len(batch)
        progress(ProgressEvent(stage, done, len(encoded)))
    return logits


def yes_probs(logits: np.ndarray) -> np.ndarray:
    """Return softmax over the pair, P(yes) in (0, 1): (B,)."""
    return 1.0 / (1.0 + np.exp(-(logits[:, 0] - logits[:, 1]).astype(np.float64)))


def last_logits(model: Any, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the next-token logits (B, V) after left-padded rows; position numbers ignore the padding."""
    positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
    output = model(
        input_ids=ids, attention_mask=mask, position_ids=positions, logits_to_keep=1, use_cache=False
    )
    return output.logits[:, -1]


def left_padded(rows: Sequence[Sequence[int]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return token numbers and mask (B, T), padded on the left so that every row ends at the last column."""
    width = max(len(row) for row in rows)
    ids = torch.full((len(rows), width), pad, dtype=torch.long)
    mask = torch.zeros((len(rows), width), dtype=torch.long)
    for i, row in enumerate(rows):
        ids[i, width - len(row) :] = torch.tensor(row, dtype=torch.long)
        mask[i, width - len(row) :] = 1
    return ids, mask


def _batches(order: list[int], encoded: list[list[int]], max_tokens: int) -> list[list[int]]:
    batches: list[list[int]] = []
    for i in order:  # ascending length: the newcomer is the longest of its batch
        if batches and (len(batches[-1]) + 1) * len(encoded[i]) <= max_tokens:
            batches[-1].append(i)
        else:
            batches.append([i])
    return batches
