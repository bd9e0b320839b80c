"""Score prompts by the probability of yes: the last position's state, two logits.

Paper: RALLRec section 2.3 / ReLLa: the probability of a like is a softmax over the logits of the two answer
words at the position where the answer starts.
Differs from RALLRec's authors' code: one softmax over the pair. The code takes the full-vocabulary softmax
and then a second one over the two probabilities, which confines scores to (0.269, 0.731):
`metrics.ctr.double_softmax_log_loss`. Nothing is generated, prompts are read in batches, and what several of
them begin with is read once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from rec_core.llm.answer_head import AnswerHead, log_mass, look
from rec_core.llm.answer_tokens import AnswerTokens
from rec_core.llm.folded_adapter import folded
from rec_core.llm.prefix_groups import ON_ACCELERATOR, ON_CPU, PrefixGroup, prefix_groups
from rec_core.llm.shared_prefix import lent, prefix_cache
from rec_core.llm.token_budget import token_batches
from rec_core.types import InputError, Progress, ProgressEvent, ignore_progress

# More do not fit into a core's cache: with one thread, a Llama of 3 layers of 128 reads 1.0 to 1.2 times as
# fast by 1,024 as by 2,048 and 1.5 times as fast as by 16,384; one of 6 layers of 512 differs as little.
_TOKENS_PER_CORE = 1_024
_WORTH_FOLDING = 32  # prompts, from which on what an adapter costs each exceeds what folding it costs


def yes_no_logits(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[str],
    tokens: AnswerTokens,
    max_tokens_per_batch: int = 16_384,
    progress: Progress = ignore_progress,
    stage: str = "scoring",
    mass: bool = False,
) -> np.ndarray:
    """Return the logits of yes and no after each prompt.

    Each different prompt is read once. Prompts that begin alike share the pass over their beginning where
    `llm.prefix_groups` finds that this saves time; all others are batched by length. The head is applied to
    the last state alone, and only its two rows where `llm.answer_head` proves that this is the same; the
    message of each progress event says which way was taken. What a prompt is batched with changes rounding
    and no more.

    Args:
        model: a causal language model or a PEFT wrapper of one.
        tokenizer: the model's.
        prompts: texts, each of at least one token.
        tokens: the two answers.
        max_tokens_per_batch: tokens that a batch may hold, padding and a shared beginning included; on a CPU
            a pass reads fewer.
        progress: called after each batch; may raise `Cancelled`.
        stage: the name progress events carry.
        mass: also return log(P(yes) + P(no)) under the softmax over the whole vocabulary: how much of its
            probability the model gives to an answer at all. Costs the whole head at one position.

    Returns:
        (B, 2) float32, columns yes, no, in the order of `prompts`; with `mass` (B, 3).

    Raises:
        InputError: a prompt gives no token.
    """
    rows, row_of = _distinct(tokenizer, prompts)
    if not rows:
        return np.zeros((0, 2 + mass), dtype=np.float32)
    model.eval()
    if len(rows) >= _WORTH_FOLDING:
        model = folded(model)
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    way, passes = _way(model, tokens, rows, pad, max_tokens_per_batch, mass)
    n_prompts = np.bincount(row_of, minlength=len(rows))
    logits, done = np.zeros((len(rows), 2 + mass), dtype=np.float32), 0
    for batch, pair in passes:
        logits[batch] = pair.float().cpu().numpy()
        done += int(n_prompts[batch].sum())
        progress(ProgressEvent(stage, done, len(prompts), way))
    return logits[row_of]


def _way(
    model: Any, tokens: AnswerTokens, rows: Sequence[Sequence[int]], pad: int, max_tokens: int, mass: bool
) -> tuple[str, Iterator[tuple[list[int], torch.Tensor]]]:
    """Return how these rows are best read with this model, in words, and the batches that do so."""
    device = next(model.parameters()).device
    found = look(model, tokens)
    if found.head is None:
        passes = _whole_rows(model, tokens, rows, pad, device, max_tokens, mass)
        return f"the model's own forward pass: {found.reason}", passes
    cost = ON_CPU if device.type == "cpu" else ON_ACCELERATOR
    groups = prefix_groups(rows, cost if found.head.lends else None)
    read = sum(group.tokens_read(rows) for group in groups) / sum(map(len, rows))
    passes = _shared_rows(found.head, rows, groups, pad, device, max_tokens, mass)
    return f"two rows of the head, {read:.0%} of the tokens read", passes


def yes_probs(logits: np.ndarray) -> np.ndarray:
    """Return softmax over the pair, P(yes) in (0, 1): (B,)."""
    return 1.0 / (1.0 + np.exp(-(logits[:, 0] - logits[:, 1]).astype(np.float64)))


def double_softmax_probs(logits: np.ndarray) -> np.ndarray:
    """Return sigmoid(P(yes) - P(no)) over the vocabulary (B,), in [0.269, 0.731]: RALLRec's published scores.

    Args:
        logits: (B, 3), with the mass of the two answers.
    """
    gap = (2 * yes_probs(logits) - 1) * np.exp(logits[:, 2].astype(np.float64))
    return 1.0 / (1.0 + np.exp(-gap))


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


def _right_padded(rows: Sequence[Sequence[int]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return token numbers (B, T) from the first column on, and the place of each row's last token (B,)."""
    width = max(len(row) for row in rows)
    ids = torch.tensor([[*row, *[pad] * (width - len(row))] for row in rows])
    return ids, torch.tensor([len(row) - 1 for row in rows])


def _distinct(tokenizer: Any, prompts: Sequence[str]) -> tuple[list[list[int]], np.ndarray]:
    """Return the different token rows, sorted, and the number of each prompt's row (B,)."""
    encoded = [tuple(row) for row in tokenizer(list(prompts))["input_ids"]] if len(prompts) else []
    empty = next((i for i, row in enumerate(encoded) if not row), None)
    if empty is not None:
        raise InputError(f"Prompt {empty + 1} of {len(encoded)} gives no token; give a text that has some.")
    rows = sorted(set(encoded))
    number = {row: i for i, row in enumerate(rows)}
    return [list(row) for row in rows], np.array([number[row] for row in encoded], dtype=np.int64)


def _shared_rows(
    head: AnswerHead,
    rows: Sequence[Sequence[int]],
    groups: Sequence[PrefixGroup],
    pad: int,
    device: torch.device,
    max_tokens: int,
    mass: bool,
) -> Iterator[tuple[list[int], torch.Tensor]]:
    """Yield row numbers and their logits, batch by batch; a group's beginning is read before its batches."""
    for group in groups:
        with torch.inference_mode():
            shared = rows[group.numbers[0]][: group.prefix] if group.prefix else []
            cache = prefix_cache(head.body, shared, device) if shared else None
        for batch in _batches(group.numbers, rows, group.prefix, max_tokens, device):
            ids, last = _right_padded([rows[i][group.prefix :] for i in batch], pad)
            with torch.inference_mode():
                behind = lent(cache, len(batch)) if shared else None
                pair = head.logits(ids.to(device), last.to(device), behind, mass)
            yield batch, pair


def _whole_rows(
    model: Any,
    tokens: AnswerTokens,
    rows: Sequence[Sequence[int]],
    pad: int,
    device: torch.device,
    max_tokens: int,
    mass: bool,
) -> Iterator[tuple[list[int], torch.Tensor]]:
    """Yield row numbers and their logits, batch by batch, through the model's own forward pass."""
    for batch in _batches(range(len(rows)), rows, 0, max_tokens, device):
        ids, mask = left_padded([rows[i] for i in batch], pad)
        with torch.inference_mode():
            every = last_logits(model, ids.to(device), mask.to(device))
            pair = every[:, [tokens.yes, tokens.no]]
        yield batch, torch.cat([pair, log_mass(pair, every)], dim=1) if mass else pair


def _batches(
    numbers: Sequence[int], rows: Sequence[Sequence[int]], prefix: int, max_tokens: int, device: torch.device
) -> list[list[int]]:
    """Return the rows of these numbers in batches; their first `prefix` tokens are in the cache."""
    lengths = [len(rows[i]) for i in numbers]
    batches = token_batches(lengths, max_tokens, prefix, _pass_tokens(device))
    return [[numbers[place] for place in batch] for batch in batches]


def _pass_tokens(device: torch.device) -> float:
    return _TOKENS_PER_CORE * torch.get_num_threads() if device.type == "cpu" else float("inf")
