"""Instruction tuning on like questions: few-shot samples, augmentation, LoRA, and the proof that it learned.

Paper: RALLRec section 2.3 and 3.2.
Differs from authors' code: shots are the first rows of a seeded permutation, so that fewer shots are a subset
of more; the test rows decide nothing; the answer is the only target.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from rec_core.config import Config
from rec_core.llm.answer_tokens import answer_tokens
from rec_core.llm.backbone import Backbone, chat_wrapped
from rec_core.llm.causal_trainer import TokenRow, TrainerConfig, fit_causal
from rec_core.llm.lora import LoraConfig, attach, check_learned, save_adapter
from rec_core.prompts.like import ANSWER_END, ANSWER_LEAD, Order
from rec_core.seeding import derive_seed
from rec_core.store import new_folder
from rec_core.systems.evidence import Retriever, reordered, select_evidence
from rec_core.systems.prompt_fitting import fitted_prompt
from rec_core.types import EvidenceItem, Progress, ScoreRequest

if TYPE_CHECKING:
    import numpy as np

    from rec_core.systems.prompting import Prompter

Augmentation = Literal["paper", "three_way", "none"]


class TuningConfig(Config):
    """What the backbone is tuned on and how."""

    n_shots: int = Field(4096, ge=1, description="Training samples drawn; augmentation multiplies the rows.")
    augmentation: Augmentation = Field(
        "paper",
        description="'paper': each sample in similarity order and in time order; 'three_way': also with the "
        "most recent items, as the published builder does; 'none': similarity order only.",
    )
    lora: LoraConfig = Field(LoraConfig(), description="The adapter's shape.")
    training: TrainerConfig = Field(
        TrainerConfig(epochs=1, batch_size=32, learning_rate=2e-3, checkpoint_steps=25),
        description="Duration and optimiser.",
    )


def tuning_rows(
    prompter: Prompter,
    backbone: Backbone,
    requests: Sequence[ScoreRequest],
    labels: np.ndarray,
    text_values: np.ndarray,
    augmentation: Augmentation,
    top_k: int,
    max_length: int,
) -> list[TokenRow]:
    """Return the training rows: prompt and answer, with the answer's tokens as the only targets.

    Retrieval uses the text view, as in the published training files. The first target is the very token the
    score is read from (`llm.answer_tokens`), however the tokenizer would cut the word on its own.

    Args:
        prompter: renders prompts.
        backbone: whose tokenizer and chat template are used.
        requests: the drawn samples.
        labels: (B,) 1 = liked.
        text_values: (I, D) the text view.
        augmentation: which orders of the evidence are added.
        top_k: history items per prompt.
        max_length: longest prompt in tokens.
    """
    similar = select_evidence(requests, Retriever(text_values, "relevance"), top_k)
    arms: list[tuple[Order, list[tuple[EvidenceItem, ...]]]] = [("relevance", similar)]
    if augmentation != "none":
        arms.append(("chronological", [reordered(evidence, "chronological") for evidence in similar]))
    if augmentation == "three_way":
        arms.append(("chronological", select_evidence(requests, Retriever(None, "chronological"), top_k)))
    tokenizer = backbone.tokenizer
    tokens = answer_tokens(tokenizer, chat_wrapped(tokenizer, ANSWER_LEAD))
    end = tokenizer.encode(ANSWER_END, add_special_tokens=False)
    rows = []
    for i, request in enumerate(requests):
        for order, evidence in arms:
            prompt = fitted_prompt(prompter, tokenizer, request, evidence[i], order, max_length).text
            before = tokenizer.encode(chat_wrapped(tokenizer, prompt))
            reply = [tokens.yes if labels[i] else tokens.no, *end]
            rows.append(TokenRow(before + reply, len(reply)))
    return rows


def tune(
    backbone: Backbone,
    rows: Sequence[TokenRow],
    config: TuningConfig,
    adapter_folder: Path,
    work: Path,
    seed: int,
    progress: Progress,
) -> float:
    """Train an adapter, write it to `adapter_folder`, and return the norm of what was saved (never zero).

    Raises:
        RuntimeError: the saved adapter changes nothing.
    """
    model = attach(backbone.model, config.lora, derive_seed(seed, "tuning", "adapter"))
    pad = backbone.tokenizer.pad_token_id
    fit_causal(
        model, rows, pad, config.training, work, derive_seed(seed, "tuning", "steps"), "tuning", progress
    )
    with new_folder(adapter_folder) as folder:
        save_adapter(model, folder)
        delta = check_learned(folder)
    return delta
