"""The embedded language model: a small Llama trained from scratch on one catalogue's text and behaviour.

It speaks only its dataset's language. Any Hugging Face causal language model takes its place in one field.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from rec_core.config import Config
from rec_core.llm.causal_trainer import TokenRow, TrainerConfig, fit_causal
from rec_core.llm.quiet import quiet_libraries
from rec_core.llm.whole_weights import save_whole
from rec_core.processes import is_main
from rec_core.seeding import derive_seed, numpy_generator
from rec_core.types import Progress

BEGIN, END, PAD = "<s>", "</s>", "<pad>"
# A rating (with the line break behind it), an answer, a letter with its colon and a line break never merge
# with what stands beside them; all else, blanks included, may: frequent titles become single tokens, rare
# ones fall back to words and letters.
_BOUNDARY = r"\n| \((?:\d+(?:\.\d+)?) stars?\)\n?| (?:Yes|No)(?=\.|$)| [A-T]$|^[A-T]:|Answer:"
# What an answer can be. Read once per line of text besides, each is one token however small the data is.
_ANSWERS = (" Yes", " No", " A", " B", " C", " D", " E")


class SampleLMConfig(Config):
    """Architecture and training of the embedded model."""

    hidden_size: int = Field(128, ge=16, le=4096, multiple_of=4, description="Width H.")
    n_layers: int = Field(4, ge=1, le=64, description="Transformer blocks.")
    n_heads: int = Field(4, ge=1, le=64, description="Attention heads.")
    vocab_size: int = Field(6000, ge=300, le=128_000, description="Upper bound of the byte-pair vocabulary.")
    block_length: int = Field(512, ge=32, le=8192, description="Tokens per packed training row.")
    max_positions: int = Field(2048, ge=64, le=131_072, description="Longest prompt the model can be asked.")
    training: TrainerConfig = Field(
        TrainerConfig(epochs=3, batch_size=8, learning_rate=3e-3, warmup_share=0.05, weight_decay=0.01),
        description="Duration and optimiser.",
    )


def train_sample_lm(
    texts: Sequence[str], config: SampleLMConfig, folder: Path, work: Path, seed: int, progress: Progress
) -> None:
    """Train tokenizer and model and write both to `folder` in Hugging Face format.

    Several processes share the training of the model (`causal_trainer.fit_causal`); all must call it.

    Args:
        texts: documents; each is followed by an end token, and all are packed into rows of `block_length`
            tokens.
        config: architecture and training.
        folder: where the finished model goes.
        work: where checkpoints live; an interrupted training found there is continued.
        seed: decides initial weights, document order and batches.
        progress: called at every step.
    """
    quiet_libraries()
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = train_tokenizer(texts, config.vocab_size)
    order = numpy_generator(seed, "sample_lm", "documents").permutation(len(texts))
    rows = pack(tokenizer, [texts[i] for i in order], config.block_length)
    architecture = LlamaConfig(
        hidden_size=config.hidden_size,
        intermediate_size=-(-config.hidden_size * 8 // 3 // 32) * 32,
        num_hidden_layers=config.n_layers,
        num_attention_heads=config.n_heads,
        num_key_value_heads=config.n_heads,
        vocab_size=len(tokenizer),
        max_position_embeddings=config.max_positions,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=True,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "sample_lm", "weights"))
        model = LlamaForCausalLM(architecture)
    fit_causal(
        model,
        rows,
        tokenizer.pad_token_id,
        config.training,
        work,
        derive_seed(seed, "sample_lm", "training"),
        "language model",
        progress,
    )
    if is_main():
        tokenizer.save_pretrained(str(folder))
    save_whole(model, folder)


def train_tokenizer(texts: Sequence[str], vocab_size: int) -> Any:
    """Return a byte-level BPE tokenizer whose merges may cross blanks but never a boundary of the prompts."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_BOUNDARY), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    n_lines = sum(text.count("\n") + 1 for text in texts)
    tokenizer.train_from_iterator(
        chain(texts, _ANSWERS * n_lines),
        trainers.BpeTrainer(
            vocab_size=vocab_size,
            special_tokens=[BEGIN, END, PAD],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    begin = tokenizer.token_to_id(BEGIN)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A", special_tokens=[(BEGIN, begin)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=BEGIN, eos_token=END, pad_token=PAD)


def pack(tokenizer: Any, texts: Sequence[str], block_length: int) -> list[TokenRow]:
    """Return rows of exactly `block_length` tokens (the last may be shorter): documents end to end.

    No document is dropped. A last row of a single token, from which nothing could be predicted, is left out.
    """
    stream: list[int] = []
    for ids in tokenizer(list(texts))["input_ids"]:
        stream.extend(ids)
        stream.append(tokenizer.eos_token_id)
    blocks = np.array_split(np.array(stream), range(block_length, len(stream), block_length))
    return [TokenRow(block.tolist(), len(block)) for block in blocks if len(block) > 1]
