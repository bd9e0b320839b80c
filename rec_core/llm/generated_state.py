"""The state of the last token a language model writes after a text: what published code takes for the text.

ReLLa's and RALLRec's code reads the input of the language-model head while it samples and keeps the last
call. With cached keys that is a single position, whatever is averaged afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rec_core.llm.writer import SamplingConfig
from rec_core.seeding import numpy_generator
from rec_core.types import InputError


def last_generated_states(
    model: Any, ids: Any, mask: Any, texts: Sequence[str], sampling: SamplingConfig, seed: int
) -> Any:
    """Return the head's input at the step that drew the last token of each row's continuation: (B, D).

    A row ends with the end token or after `max_new_tokens`. Each text draws from random numbers of its own
    (seed, text), so that its vector does not depend on what else is in the batch, up to rounding.

    Differs from authors' code: theirs draws from one unseeded stream, so no run repeats another.

    Args:
        model: a causal language model.
        ids: (B, T) token numbers, padded on the left.
        mask: (B, T), 1 = token.
        texts: B texts.
        sampling: temperature, top-p and the most tokens to draw.
        seed: of all texts.
    """
    import torch
    from transformers import GenerationConfig
    from transformers.generation.logits_process import LogitsProcessorList

    from rec_core.llm.row_sampler import RowSampler

    longest = sampling.max_new_tokens
    streams = [numpy_generator(seed, "generated state", text) for text in texts]
    uniforms = torch.stack([torch.from_numpy(stream.random(longest)) for stream in streams]).to(ids.device)
    states: list[Any] = []  # (B, D) per token drawn
    hook = model.get_output_embeddings().register_forward_pre_hook(
        lambda _head, inputs: states.append(inputs[0][:, -1])
    )
    try:
        whole = model.generate(
            input_ids=ids,
            attention_mask=mask,
            generation_config=GenerationConfig(do_sample=False, max_new_tokens=longest),
            logits_processor=LogitsProcessorList([RowSampler(uniforms, sampling, ids.shape[1])]),
        )
    finally:
        hook.remove()
    ends = model.generation_config.eos_token_id or []
    ended = torch.isin(whole[:, ids.shape[1] :], torch.tensor(ends, device=ids.device))
    drawn = torch.where(ended.any(dim=1), ended.int().argmax(dim=1), len(states) - 1)
    return torch.stack(states, dim=1)[torch.arange(len(ids), device=ids.device), drawn]


def prepare_writing(model: Any, tokenizer: Any, name: str) -> None:
    """Make a model write as asked for: of its own ways of generating it keeps only where it ends.

    Raises:
        InputError: it is no causal language model, because states of earlier tokens see later ones.
    """
    import torch
    from transformers import GenerationConfig

    first, second = (torch.tensor([[0, 1, end]], device=model.device) for end in (2, 3))
    with torch.inference_mode():
        one, other = (
            model(ids, output_hidden_states=True).hidden_states[-1][0, 0] for ids in (first, second)
        )
    if not torch.allclose(one, other, rtol=1e-3, atol=1e-5):
        raise InputError(
            f"{name!r} is an encoder and writes nothing, so it has no last generated token; choose pooling "
            "mean or last, or a causal language model."
        )
    named = model.generation_config.eos_token_id
    ends = {*np.atleast_1d([] if named is None else named).tolist(), tokenizer.eos_token_id} - {None}
    model.generation_config = GenerationConfig(
        eos_token_id=sorted(ends) or None, pad_token_id=tokenizer.pad_token_id
    )
