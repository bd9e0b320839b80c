"""A writer on this machine: any causal language model, in batches, each text by its own random numbers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, Self

from pydantic import Field

from rec_core.config import Config
from rec_core.device import Precision
from rec_core.llm.backbone import chat_wrapped, load_backbone
from rec_core.llm.token_budget import token_batches
from rec_core.llm.writer import Answer, Ask, SamplingConfig
from rec_core.seeding import numpy_generator
from rec_core.types import InputError


class LocalConfig(Config):
    """How a language model of this machine is loaded and batched."""

    precision: Precision = Field("fp32", description="Weights in fp32, bf16, 8bit or 4bit.")
    max_tokens_per_batch: int = Field(
        16_384, ge=1, description="Token budget of a batch, prompts with their longest answers."
    )


class LocalWriter:
    """Writes with a model of this machine.

    A text depends on the model, the sampling, the seed and its own ask, not on what else is in the batch or
    was written before, up to rounding (`llm.row_sampler.draw`): in full precision that is as good as never,
    in bf16 and below a batch's rounding can change a word.

    Args:
        name: a folder or a hub name.
        sampling: how tokens are drawn, and how many at most.
        seed: of all texts; with it and an ask's key and attempt the random numbers of a text are drawn.
        config: precision and batches.
    """

    def __init__(self, name: str, sampling: SamplingConfig, seed: int, config: LocalConfig) -> None:
        self._name, self._sampling, self._seed, self._config = name, sampling, seed, config

    def __enter__(self) -> Self:
        backbone = load_backbone(self._name, self._config.precision)
        self._model, self._tokenizer = backbone.model, backbone.tokenizer
        self._ends = _end_tokens(self._model, self._tokenizer)
        self._forget_defaults()
        return self

    def __exit__(self, *error: object) -> None:
        del self._model, self._tokenizer

    def answers(self, asks: Sequence[Ask]) -> Iterator[Answer]:
        """Yield the answer of every ask, those with short prompts first.

        Raises:
            InputError: the model cannot hold the longest prompt with its answer.
        """
        rows = [self._tokenizer.encode(chat_wrapped(self._tokenizer, ask.prompt)) for ask in asks]
        self._check_room(max(map(len, rows), default=0))
        longest = self._sampling.max_new_tokens
        for batch in token_batches([len(row) + longest for row in rows], self._config.max_tokens_per_batch):
            yield from self._write([asks[i] for i in batch], [rows[i] for i in batch])

    def in_flight(self, seconds: float) -> Iterator[Answer]:
        """Yield nothing: what a batch has begun is lost and costs only time."""
        yield from ()

    def _write(self, asks: Sequence[Ask], rows: Sequence[Sequence[int]]) -> Iterator[Answer]:
        import torch  # late, so that whoever writes through an endpoint does not wait for it
        from transformers import GenerationConfig
        from transformers.generation.logits_process import LogitsProcessorList

        from rec_core.llm.row_sampler import RowSampler
        from rec_core.llm.yes_no import left_padded

        started = time.monotonic()
        ids, mask = left_padded(rows, self._tokenizer.pad_token_id)
        device = next(self._model.parameters()).device
        longest = self._sampling.max_new_tokens
        streams = [numpy_generator(self._seed, "writing", ask.key, ask.attempt) for ask in asks]
        uniforms = torch.stack([torch.from_numpy(stream.random(longest)) for stream in streams]).to(device)
        with torch.inference_mode():
            whole = self._model.generate(
                input_ids=ids.to(device),
                attention_mask=mask.to(device),
                generation_config=GenerationConfig(do_sample=False, max_new_tokens=longest),
                logits_processor=LogitsProcessorList([RowSampler(uniforms, self._sampling, ids.shape[1])]),
            )
        seconds = (time.monotonic() - started) / len(asks)
        for ask, row, tokens in zip(asks, rows, whole[:, ids.shape[1] :].tolist(), strict=True):
            new = _until(tokens, self._ends)
            ended = len(new) < len(tokens) or new[-1] in self._ends
            text = self._tokenizer.decode(new, skip_special_tokens=True)
            yield Answer(ask, text, "stop" if ended else "length", len(row), len(new), seconds)

    def _forget_defaults(self) -> None:
        """Keep of the model's own ways of generating only where it ends: sampling is ours, as published."""
        from transformers import GenerationConfig

        self._model.generation_config = GenerationConfig(
            eos_token_id=self._ends or None, pad_token_id=self._tokenizer.pad_token_id
        )

    def _check_room(self, longest_prompt: int) -> None:
        room = getattr(self._model.config, "max_position_embeddings", None)
        wanted = longest_prompt + self._sampling.max_new_tokens
        if room is not None and wanted > room:
            raise InputError(
                f"The longest prompt has {longest_prompt} tokens and an answer may have "
                f"{self._sampling.max_new_tokens}, but the model {self._name!r} holds {room}; lower "
                f"max_new_tokens (there is room for {max(0, room - longest_prompt)}) or take another model."
            )


def _end_tokens(model: Any, tokenizer: Any) -> list[int]:
    """Return the tokens that end an answer: those the model names, and its tokenizer's."""
    named = model.generation_config.eos_token_id
    ends = named if isinstance(named, list) else [named]
    return sorted({end for end in [*ends, tokenizer.eos_token_id] if end is not None})


def _until(tokens: Sequence[int], ends: Sequence[int]) -> list[int]:
    """Return the tokens up to the first end, which is kept; all of them where there is none."""
    for place, token in enumerate(tokens):
        if token in ends:
            return list(tokens[: place + 1])
    return list(tokens)
